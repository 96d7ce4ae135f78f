//! How many connections may be open, in all and from one address, and who is meant where a proxy
//! stands between.

#[cfg(target_os = "linux")]
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

#[cfg(target_os = "linux")]
use socket2::{Domain, Socket, Type};
use tonic::Code;

use crate::support::{
    Answer, Grpc, Http, JSON, Relay, Scrape, Watcher, exchange, gauge, handshake, head, prefixed,
    request, soon,
};

const ALICE: &str = "192.0.2.1";
const BOB: &str = "192.0.2.2";

/// A connection from an address of loopback, of which Linux has many.
#[cfg(target_os = "linux")]
fn connect_from(last: u8, to: SocketAddr) -> Http {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    socket.bind(&from.into()).unwrap();
    socket.connect(&to.into()).unwrap();
    Http::over(TcpStream::from(socket))
}

fn probe(http: &mut Http) -> u16 {
    http.send(&head("GET", "/healthz", &[]));
    http.answer().status
}

/// What a request gets that a proxy passes on for `client`.
fn pass_on(relay: &Relay, client: &str) -> Answer {
    let headers = [("Content-Type", JSON), ("X-Forwarded-For", client)];
    exchange(
        relay.address(),
        &request("POST", "/v1/metrics", &headers, b"{}"),
    )
}

/// Tries until an address has a place again: the relay answers first and counts afterwards.
fn has_a_place(relay: &Relay, client: &str) -> bool {
    soon(|| pass_on(relay, client).status == 200)
}

/// Scenario: three connections where two are allowed, then one leaves.
/// Guarantees: the third is answered 503 with Retry-After and a status; once there is room again,
/// others are served.
#[test]
fn one_connection_too_many_is_told_so() {
    let relay = Relay::with(&["--max-connections", "2"]);
    let probe = head("GET", "/healthz", &[]);
    let mut first = Http::connect(relay.address());
    first.send(&probe);
    assert_eq!(first.answer().status, 200);
    let _session = Watcher::connect(relay.address());

    let mut third = Http::connect(relay.address());
    let refused = third.answer();
    assert_eq!((refused.status, refused.status_code()), (503, 14));
    assert_eq!(refused.header("retry-after"), Some("1"));
    third.send(&probe);
    assert_eq!(third.rest(), b"");

    first.finish();
    assert_eq!(first.rest(), b"");
    // The relay closes its side first and counts afterwards.
    assert!(soon(|| exchange(relay.address(), &probe).status == 200));
}

/// Scenario: three connections of an address that may have two, and one of another; then one
/// leaves.
/// Guarantees: the third is answered 503 with Retry-After and closed; the other address is
/// served, and the first again once it has room.
#[cfg(target_os = "linux")]
#[test]
fn one_connection_too_many_of_an_address() {
    let relay = Relay::with(&["--max-connections-per-address", "2"]);
    let mut first = connect_from(1, relay.address());
    let mut second = connect_from(1, relay.address());
    assert_eq!((probe(&mut first), probe(&mut second)), (200, 200));

    let mut third = connect_from(1, relay.address());
    let refused = third.answer();
    assert_eq!((refused.status, refused.status_code()), (503, 14));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(third.rest(), b"");
    assert_eq!(probe(&mut connect_from(2, relay.address())), 200);

    first.finish();
    assert_eq!(first.rest(), b"");
    assert!(soon(|| {
        let mut http = connect_from(1, relay.address());
        // The refusal comes by itself.
        let _ = http.try_send(&head("GET", "/healthz", &[]));
        http.answer().status == 200
    }));
}

/// Scenario: all connections to an address for metrics alone are from one address, and one more
/// comes.
/// Guarantees: that is answered 503, as one too many of all; no address has a limit there.
#[test]
fn metrics_have_one_limit() {
    let relay = Relay::with(&["--metrics-listen", "127.0.0.1:0"]);
    let line = relay.wait_for_log("metrics are at http://");
    let rest = line.split_once("://").unwrap().1;
    let metrics = rest[..rest.find('/').unwrap()].parse().unwrap();
    let mut open: Vec<Http> = (0..64).map(|_| Http::connect(metrics)).collect();
    assert!(open.iter_mut().all(|http| probe(http) == 200));
    assert_eq!(Http::connect(metrics).answer().status, 503);
    let scrape = Scrape::over(&mut open[0]);
    for (limit, refused) in [("address", 0), ("total", 1)] {
        let label = format!("listener=\"metrics\",limit=\"{limit}\"");
        assert_eq!(scrape.of("connections_refused_total", &label), refused);
    }
}

/// Scenario: a trusted proxy with more connections than an address may have; over them, a client
/// with a request in flight sends another, and so does another client; the first one's request
/// ends, it opens a session, and closes it.
/// Guarantees: the proxy's connections count for nobody; a client's second request is a 503 with
/// Retry-After, whatever it writes before what the proxy adds; a session counts as long as it is
/// open; other clients notice nothing.
#[test]
fn clients_of_a_proxy_count_each_for_itself() {
    let relay = Relay::with(&[
        "--max-connections-per-address",
        "1",
        "--trusted-proxies",
        "127.0.0.0/8",
    ]);
    let mut idle: Vec<Http> = (0..3).map(|_| Http::connect(relay.address())).collect();
    assert!(idle.iter_mut().all(|http| probe(http) == 200));

    let headers = [
        ("Content-Type", JSON),
        ("X-Forwarded-For", ALICE),
        ("Expect", "100-continue"),
    ];
    let whole = request("POST", "/v1/metrics", &headers, b"{}");
    let mut upload = Http::connect(relay.address());
    upload.send(&whole[..whole.len() - 1]);
    // From here on it is in flight.
    assert_eq!(upload.answer_head().status, 100);
    for way in [ALICE, "192.0.2.9, 192.0.2.1", "192.0.2.1, 127.0.0.9"] {
        let refused = pass_on(&relay, way);
        assert_eq!((refused.status, refused.status_code()), (503, 14), "{way}");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    assert_eq!(pass_on(&relay, BOB).status, 200);

    upload.send(&whole[whole.len() - 1..]);
    assert_eq!(upload.answer().status, 200);
    assert!(has_a_place(&relay, ALICE));

    let mut session = Http::connect(relay.address());
    session.send(&handshake("/ws/metrics", &[("X-Forwarded-For", ALICE)]));
    assert_eq!(session.answer_head().status, 101);
    for _ in 0..3 {
        assert_eq!(pass_on(&relay, ALICE).status, 503);
        assert_eq!(pass_on(&relay, BOB).status, 200);
    }
    drop(session);
    assert!(has_a_place(&relay, ALICE));
}

/// Scenario: nobody is trusted, and a client says that it is another for each request.
/// Guarantees: what it says counts for nothing; neither does it make a request fail.
#[test]
fn without_trust_nobody_speaks_for_others() {
    let relay = Relay::with(&["--max-connections-per-address", "1"]);
    let mut http = Http::connect(relay.address());
    assert_eq!(probe(&mut http), 200);
    assert_eq!(pass_on(&relay, BOB).status, 503);
    http.send(&head("GET", "/healthz", &[("X-Forwarded-For", "nonsense")]));
    assert_eq!(http.answer().status, 200);
}

/// Scenario: over gRPC, a second connection of an address that may have one; then a trusted proxy
/// whose client has a call in flight and makes another, on one connection.
/// Guarantees: the second connection is closed at once; the second call is UNAVAILABLE with
/// RetryInfo; when the first has ended, the client has room again.
#[test]
fn grpc_too() {
    let args = [
        "--grpc-listen",
        "127.0.0.1:0",
        "--grpc-max-connections-per-address",
        "1",
    ];
    let relay = Relay::with(&args);
    let address = relay.grpc_address();
    let grpc = Grpc::connect(address);
    assert!(grpc.export(gauge("m", 1)).is_ok());
    assert!(Http::connect(address).ends());
    assert!(grpc.export(gauge("m", 1)).is_ok());

    let relay = Relay::with(&[&args[..], &["--trusted-proxies", "127.0.0.1"]].concat());
    let mut grpc = Grpc::connect(relay.grpc_address());
    grpc.forwarded_for = Some(ALICE);
    let message = gauge("m", 1);
    let call = grpc.start(prefixed(message.len(), &message[..1]));
    let mut refused = None;
    assert!(soon(|| {
        refused = grpc.export(gauge("m", 1)).err();
        refused.is_some()
    }));
    let refused = refused.unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.metadata().contains_key("google.rpc.retryinfo-bin"));
    assert_eq!(grpc.finish(call, message[1..].to_vec()), Code::Ok);
    assert!(soon(|| grpc.export(gauge("m", 1)).is_ok()));
}
