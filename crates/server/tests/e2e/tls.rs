//! TLS on every listener: who gets in, and what a change of certificates does.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::version::{TLS12, TLS13};
use tonic::Code;

use crate::support::{
    Authority, Folder, Grpc, Http, PROTOBUF, RawWatcher, Relay, TlsStream, Watcher, bulky,
    certificate, exchange, gauge, gauge_json, head, name_of, request, run_to_end, tls_flags,
};

const GRPC: [&str; 2] = ["--grpc-listen", "127.0.0.1:0"];

/// A relay with a certificate, and where its files are.
struct Secured {
    relay: Relay,
    authority: Authority,
    folder: Folder,
}

impl Secured {
    fn start(name: &str, args: &[&str]) -> Self {
        let (folder, authority) = (Folder::new(name), Authority::new());
        let tls = tls_flags(&folder, &authority.issue());
        let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
        let relay = Relay::with(&[&tls, args].concat());
        Self {
            relay,
            authority,
            folder,
        }
    }

    /// A client of it.
    fn client(&self) -> Arc<ClientConfig> {
        self.authority.client(&[&TLS13], None)
    }
}

/// The status of an export on a connection; none if it was closed.
fn send(http: &mut Http<TlsStream>, name: &str) -> Option<u16> {
    let headers = [("Content-Type", PROTOBUF)];
    let request = request("POST", "/v1/metrics", &headers, &gauge(name, 1));
    http.try_send(&request).ok()?;
    http.try_answer().ok().map(|answer| answer.status)
}

/// Scenario: exports over HTTP with TLS 1.2 and 1.3, by a client that knows HTTP/1.0 alone, and over
/// gRPC, watched over TLS.
/// Guarantees: the watcher gets every one of them; the log names the scheme.
#[test]
fn every_door_has_it() {
    let secured = Secured::start("doors", &GRPC);
    let (relay, authority) = (&secured.relay, &secured.authority);
    let mut watcher = Watcher::connect_tls(relay.address(), secured.client());
    for version in [&TLS12, &TLS13] {
        let client = authority.client(&[version], None);
        let mut http = Http::tls(relay.address(), &client).unwrap();
        for name in ["one", "two"] {
            assert_eq!(send(&mut http, name), Some(200), "{version:?}");
            assert_eq!(watcher.frame(), gauge_json(name, 1));
        }
    }
    let mut old = ClientConfig::clone(&secured.client());
    old.alpn_protocols = vec![b"http/1.0".to_vec()];
    let mut http = Http::tls(relay.address(), &Arc::new(old)).unwrap();
    assert_eq!(send(&mut http, "three"), Some(200));
    assert_eq!(watcher.frame(), gauge_json("three", 1));
    let tls = authority.grpc_client(None);
    let grpc = Grpc::connect_tls(relay.grpc_address(), tls).unwrap();
    grpc.export(gauge("four", 1)).unwrap();
    assert_eq!(watcher.frame(), gauge_json("four", 1));
}

/// Scenario: a stream of lines over TLS; then SIGTERM.
/// Guarantees: each line is there whole, and the end is said.
#[test]
fn a_stream_has_it_too() {
    let secured = Secured::start("stream", &[]);
    let mut lines = Http::tls(secured.relay.address(), &secured.client()).unwrap();
    lines.send(&head("GET", "/stream/metrics", &[]));
    assert_eq!(lines.answer_head().status, 200);
    let mut http = Http::tls(secured.relay.address(), &secured.client()).unwrap();
    for name in ["one", "two"] {
        assert_eq!(send(&mut http, name), Some(200));
        let line = lines.chunk();
        assert!(line.ends_with(b"\n"));
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(line, gauge_json(name, 1));
    }
    secured.relay.signal("TERM");
    assert_eq!(lines.chunk(), b"");
}

/// Scenario: clients that speak no TLS, and one that doesn't trust the certificate.
/// Guarantees: over HTTP they are told what to do; the log names the failure; good ones go on.
#[test]
fn plain_clients_are_told() {
    let secured = Secured::start("plain", &GRPC);
    let relay = &secured.relay;
    let grpc_address = relay.grpc_address();
    let answer = exchange(relay.address(), &head("GET", "/healthz", &[]));
    assert_eq!(answer.status, 400);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("https://"), "{text}");
    relay.wait_for_log("the client speaks no TLS");
    let plain = Grpc::try_connect(grpc_address).and_then(|grpc| grpc.export(gauge("one", 1)));
    assert!(plain.is_err());

    let stranger = Authority::new().client(&[&TLS13], None);
    assert!(Http::tls(relay.address(), &stranger).is_err());
    let mut http = Http::tls(relay.address(), &secured.client()).unwrap();
    assert_eq!(send(&mut http, "one"), Some(200));
}

/// Scenario: an authority for clients; clients with its certificate, with that of another, and
/// with none, over HTTP and gRPC.
/// Guarantees: only the first get in, to every path.
#[test]
fn clients_show_a_certificate() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let folder = Folder::new("clients-ca");
    let ca = folder.write("ca.pem", &ours.pem());
    let args = [&GRPC[..], &["--tls-client-ca", &ca]].concat();
    let secured = Secured::start("clients", &args);
    let (relay, authority) = (&secured.relay, &secured.authority);
    let grpc_address = relay.grpc_address();
    let (good, bad) = (ours.issue(), theirs.issue());
    for version in [&TLS12, &TLS13] {
        for (pair, gets_in) in [(Some(&good), true), (Some(&bad), false), (None, false)] {
            let client = authority.client(&[version], pair);
            let status = Http::tls(relay.address(), &client)
                .ok()
                .and_then(|mut http| send(&mut http, "one"));
            assert_eq!(status, gets_in.then_some(200), "{version:?}");
        }
    }
    for (pair, gets_in) in [(Some(&good), true), (Some(&bad), false), (None, false)] {
        let exported = Grpc::connect_tls(grpc_address, authority.grpc_client(pair))
            .and_then(|grpc| grpc.export(gauge("one", 1)));
        assert_eq!(exported.is_ok(), gets_in, "{exported:?}");
    }
}

/// Scenario: watchers and senders are connected; the certificate is replaced, with SIGHUP and
/// without; then by garbage.
/// Guarantees: who is connected stays and is served; who comes gets the newest good certificate.
#[test]
fn a_new_certificate_ends_nothing() {
    let secured = Secured::start("renewal", &["--reload-interval", "100ms"]);
    let (relay, authority, folder) = (&secured.relay, &secured.authority, &secured.folder);
    let client = secured.client();
    let mut watcher = Watcher::connect_tls(relay.address(), secured.client());
    let mut sender = Http::tls(relay.address(), &client).unwrap();
    for (round, signal) in [(0, Some("HUP")), (1, None)] {
        let pair = authority.issue();
        tls_flags(folder, &pair);
        if let Some(signal) = signal {
            relay.signal(signal);
        }
        relay.wait_for_log("read again; they count for new connections");
        // The clock may have seen a certificate without its key between the two.
        let mut shown = Http::tls(relay.address(), &client).unwrap().certificate();
        while shown != certificate(&pair.cert) {
            shown = Http::tls(relay.address(), &client).unwrap().certificate();
        }
        let name = format!("round {round}");
        assert_eq!(send(&mut sender, &name), Some(200));
        assert_eq!(watcher.frame(), gauge_json(&name, 1));
    }
    let shown = Http::tls(relay.address(), &client).unwrap().certificate();
    folder.write("cert.pem", "garbage");
    let line = relay.wait_for_log("TLS stays as it was");
    assert!(line.contains("cert.pem"), "{line}");
    let mut newcomer = Http::tls(relay.address(), &client).unwrap();
    assert!(newcomer.certificate() == shown);
    for http in [&mut sender, &mut newcomer] {
        assert_eq!(send(http, "last"), Some(200));
        assert_eq!(watcher.frame(), gauge_json("last", 1));
    }
}

/// Scenario: more connections over TLS than there may be.
/// Guarantees: one more is answered 503, over TLS.
#[test]
fn too_many_are_answered_there_too() {
    let secured = Secured::start("many", &["--max-connections", "1"]);
    let address = secured.relay.address();
    let mut first = Http::tls(address, &secured.client()).unwrap();
    assert_eq!(send(&mut first, "one"), Some(200));
    let mut second = Http::tls(address, &secured.client()).unwrap();
    let answer = second.answer();
    assert_eq!((answer.status, answer.status_code()), (503, 14));
}

/// Scenario: a client that never begins its handshake, while the relay is told to stop.
/// Guarantees: nobody waits for it.
#[test]
fn a_handshake_that_never_comes_holds_up_nobody() {
    let mut secured = Secured::start("silent", &["--shutdown-grace", "10m"]);
    let mut silent = Http::connect(secured.relay.address());
    // Comes behind it.
    let mut http = Http::tls(secured.relay.address(), &secured.client()).unwrap();
    assert_eq!(send(&mut http, "one"), Some(200));
    secured.relay.signal("TERM");
    assert!(silent.ends());
    assert!(secured.relay.wait_for_exit().success());
}

/// Scenario: a watcher over TLS that doesn't read while many large exports come, then reads.
/// Guarantees: it loses frames and never a part of one.
#[test]
fn frames_stay_whole() {
    let secured = Secured::start("stalled", &["--ping-interval", "1h"]);
    let (relay, client) = (&secured.relay, secured.client());
    let mut stalled = RawWatcher::connect_tls(relay.address(), &client);
    let mut reader = Watcher::connect_tls(relay.address(), Arc::clone(&client));
    let mut sender = Http::tls(relay.address(), &client).unwrap();
    let count = 200;
    for number in 0..count {
        let wire = bulky(&number.to_string(), 200);
        let headers = [("Content-Type", PROTOBUF)];
        sender.send(&request("POST", "/v1/metrics", &headers, &wire));
        assert_eq!(sender.answer().status, 200);
        assert_eq!(name_of(&reader.frame()), number.to_string());
    }
    let mut last = None;
    while last != Some(count - 1) {
        let frame = serde_json::from_slice(&stalled.text()).unwrap();
        let number: usize = name_of(&frame).parse().unwrap();
        assert!(last.is_none_or(|last| last < number));
        last = Some(number);
    }
}

/// Scenario: files that aren't there, or don't belong together.
/// Guarantees: the relay doesn't start, and says which file and why.
#[test]
fn bad_files_are_explained() {
    let (folder, authority) = (Folder::new("explained"), Authority::new());
    let [_, cert, _, key] = tls_flags(&folder, &authority.issue());
    let other = folder.write("other.pem", &authority.issue().key);
    for (cert, key, named, why) in [
        (
            "/nonexistent/cert.pem",
            &key,
            "/nonexistent/cert.pem",
            "can't be read",
        ),
        (&cert, &other, "other.pem", "can't be used"),
        (&cert, &cert, "cert.pem", "no private key"),
    ] {
        let args = [
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            cert,
            "--tls-key",
            key,
        ];
        let (status, log) = run_to_end(&args);
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(log.contains(named) && log.contains(why), "{log}");
    }
}

/// Scenario: gRPC over TLS with a token that isn't one.
/// Guarantees: it is the token that is refused, not the connection.
#[test]
fn tokens_count_behind_it() {
    let folder = Folder::new("tokens-file");
    let tokens = folder.write("tokens", "a-token-of-this-test");
    let args = [&GRPC[..], &["--ingest-token-file", &tokens]].concat();
    let secured = Secured::start("tokens", &args);
    let tls = secured.authority.grpc_client(None);
    let grpc = Grpc::connect_tls(secured.relay.grpc_address(), tls).unwrap();
    let status = grpc.export(gauge("one", 1)).unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let right = Some("Bearer a-token-of-this-test");
    assert!(grpc.export_with(right, gauge("one", 1)).is_ok());
}
