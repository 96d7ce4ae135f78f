//! OTLP/gRPC into the same relay.

use std::net::{SocketAddr, TcpListener};

use tonic::Code;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

use crate::support::{
    Grpc, PATIENCE, Relay, Watcher, gauge, gauge_json, post, prefixed, run_to_end, wait,
};

/// A relay that takes both, and its address for gRPC.
fn start(args: &[&str]) -> (Relay, SocketAddr) {
    let relay = Relay::with(&[&["--grpc-listen", "127.0.0.1:0"], args].concat());
    let address = relay.grpc_address();
    (relay, address)
}

/// Scenario: the same export over HTTP and over gRPC.
/// Guarantees: the answer is an empty message; watchers see the same text, byte for byte.
#[test]
fn the_same_frames_as_over_http() {
    let (relay, address) = start(&[]);
    let mut watcher = Watcher::connect(relay.address());
    let body = gauge("m", 7);
    post(relay.address(), &body);
    let over_http = watcher.text();
    let grpc = Grpc::connect(address);
    assert_eq!(grpc.export(body).unwrap(), "");
    assert_eq!(watcher.text(), over_http);
    assert_eq!(watcher_json(&over_http), gauge_json("m", 7));
}

fn watcher_json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Scenario: a call that has sent half its message when SIGTERM comes.
/// Guarantees: it is answered OK; its frame reaches the watcher, then Close 1001; nobody can
/// connect any more; the exit code is 0, long before the end of the grace.
#[test]
fn calls_in_flight_are_finished_first() {
    let (mut relay, address) = start(&["--shutdown-grace", "1h"]);
    let mut watcher = Watcher::connect(relay.address());
    let grpc = Grpc::connect(address);
    let body = gauge("in flight", 1);
    let message = prefixed(body.len(), &body);
    let (sent, left) = message.split_at(10);
    let call = grpc.begin(sent.to_vec());

    relay.signal("TERM");
    relay.wait_for_log("shutting down");
    // Closed after the listeners are.
    let health = grpc.runtime.block_on(async {
        let mut health = HealthClient::new(grpc.channel.clone());
        tokio::time::timeout(PATIENCE, async {
            while health.check(HealthCheckRequest::default()).await.is_ok() {}
        })
        .await
    });
    health.expect("in time");
    std::net::TcpStream::connect(address).unwrap_err();

    assert_eq!(grpc.finish(call, left.to_vec()), Code::Ok);
    assert_eq!(watcher.frame(), gauge_json("in flight", 1));
    assert_eq!(watcher.close_code(), 1001);
    assert_eq!(relay.wait_for_exit().code(), Some(0));
}

/// Scenario: SIGTERM while a call never ends its message, and one client connects and says
/// nothing.
/// Guarantees: neither holds the relay longer than the grace; the exit code is 0, and whoever
/// watches gets 1001.
#[test]
fn nobody_holds_it_longer_than_the_grace() {
    let (mut relay, address) = start(&["--shutdown-grace", "2s"]);
    let mut watcher = Watcher::connect(relay.address());
    let _silent = std::net::TcpStream::connect(address).unwrap();
    let grpc = Grpc::connect(address);
    let _call = grpc.begin(prefixed(100, b"half"));
    relay.signal("TERM");
    assert_eq!(watcher.close_code(), 1001);
    relay.wait_for_log("and are cut off");
    assert_eq!(relay.wait_for_exit().code(), Some(0));
}

/// Scenario: health of the whole, of each service, of one that is off, and one that waits for
/// news while the relay is told to stop.
/// Guarantees: SERVING, NOT_FOUND, then NOT_SERVING and the end; who waits holds nobody up.
#[test]
fn health() {
    let (mut relay, address) = start(&["--shutdown-grace", "1h"]);
    let grpc = Grpc::connect(address);
    let mut client = HealthClient::new(grpc.channel.clone());
    let named = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    for service in [
        "",
        "opentelemetry.proto.collector.metrics.v1.MetricsService",
        "opentelemetry.proto.collector.trace.v1.TraceService",
        "opentelemetry.proto.collector.logs.v1.LogsService",
    ] {
        let answer = wait(&grpc.runtime, client.check(named(service))).unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    }
    let off = "opentelemetry.proto.collector.profiles.v1development.ProfilesService";
    let status = wait(&grpc.runtime, client.check(named(off))).unwrap_err();
    assert_eq!(status.code(), Code::NotFound);

    let mut news = wait(&grpc.runtime, client.watch(named("")))
        .unwrap()
        .into_inner();
    let mut next = || wait(&grpc.runtime, news.message()).unwrap();
    assert_eq!(next().unwrap().status(), ServingStatus::Serving);
    relay.signal("TERM");
    assert_eq!(next().unwrap().status(), ServingStatus::NotServing);
    assert!(next().is_none());
    assert_eq!(relay.wait_for_exit().code(), Some(0));
}

/// Scenario: calls that declare 3 GiB each, send nothing of it and end.
/// Guarantees: no memory is reserved for what was only announced.
#[cfg(target_os = "linux")]
#[test]
fn declared_lengths_reserve_nothing() {
    let (relay, address) = start(&["--max-body", "4GiB"]);
    let grpc = Grpc::connect(address);
    let before = relay.peak_address_space();
    let calls: Vec<_> = (0..8)
        .map(|_| grpc.begin(prefixed(3 << 30, b"a little")))
        .collect();
    for call in calls {
        assert_eq!(grpc.finish(call, Vec::new()), Code::InvalidArgument);
    }
    let grown = relay.peak_address_space() - before;
    assert!(grown < 3 << 30, "{grown}");
}

/// Scenario: one message over `--max-body`.
/// Guarantees: the limit of HTTP holds: RESOURCE_EXHAUSTED.
#[test]
fn the_limit_is_that_of_http() {
    let (_relay, address) = start(&["--max-body", "1KiB"]);
    let grpc = Grpc::connect(address);
    let status = grpc.export(vec![0; 1025]).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(grpc.export(gauge("m", 1)).is_ok());
}

/// Scenario: one connection more than `--grpc-max-connections`.
/// Guarantees: it is closed without an answer, and counted; the first is served on.
#[test]
fn connections_are_bounded() {
    let (mut relay, address) = start(&["--grpc-max-connections", "1"]);
    let first = Grpc::connect(address);
    assert!(first.export(gauge("m", 1)).is_ok());
    let second = Grpc::connect(address);
    let status = second.export(gauge("m", 2)).unwrap_err();
    assert!(
        matches!(status.code(), Code::Unavailable | Code::Unknown),
        "{status:?}"
    );
    assert!(first.export(gauge("m", 3)).is_ok());
    drop((first, second));
    relay.signal("TERM");
    let totals = relay.wait_for_log("\"stopped\"");
    assert!(!totals.contains("\"refused_connections\":0"), "{totals}");
    assert_eq!(relay.wait_for_exit().code(), Some(0));
}

/// Scenario: a relay without `--grpc-listen`, one with it twice in the environment, and one whose
/// port is taken.
/// Guarantees: nothing listens; both do; exit code 1 with a message that names address and flag.
#[test]
fn where_it_listens() {
    let mut relay = Relay::start();
    relay.signal("TERM");
    let (status, log) = relay.end();
    assert!(status.success() && !log.contains("gRPC"), "{log}");

    let both = [("OTLP_RELAY_GRPC_LISTEN", "127.0.0.1:0,127.0.0.1:0")];
    let relay = Relay::run(&["--listen", "127.0.0.1:0"], &both, 1);
    for _ in 0..2 {
        let grpc = Grpc::connect(relay.grpc_address());
        assert!(grpc.export(gauge("m", 1)).is_ok());
    }

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, log) = run_to_end(&["--listen", "127.0.0.1:0", "--grpc-listen", &address]);
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(
        log.contains(&address) && log.contains("--grpc-listen"),
        "{log}"
    );
}
