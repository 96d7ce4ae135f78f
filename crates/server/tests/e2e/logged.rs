//! What the log says: enough to find a refused request, and nothing that is nobody's business.

use crate::support::{
    Grpc, JSON, PROTOBUF, Relay, TokenFile, Watcher, exchange, gauge, head, request,
};

/// Scenario: a request that is refused by the receiver over HTTP and over gRPC, by the rule for
/// Host, and one to no page.
/// Guarantees: the answer has an id of 16 digits, and the log has it beside the reason.
#[test]
fn refusals_are_found_by_their_id() {
    let env = [("RUST_LOG", "debug")];
    let args = ["--listen", "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0"];
    let relay = Relay::run(&args, &env, 1);
    let grpc = Grpc::connect(relay.grpc_address());
    let json = [("Content-Type", JSON)];
    let foreign = [("Host", "evil.example")];
    for (request, why) in [
        (request("POST", "/v1/metrics", &json, b"{"), "bad_json"),
        (head("GET", "/metrics", &foreign), "another host"),
        (head("GET", "/nowhere", &[]), "404"),
    ] {
        let answer = exchange(relay.address(), &request);
        let id = answer.header("x-request-id").expect("an id");
        assert_eq!(id.len(), 16);
        let line = relay.wait_for_log(id);
        assert!(line.contains(why), "{line}");
    }
    let status = grpc.export(b"\xff".to_vec()).unwrap_err();
    let id = status.metadata().get("x-request-id").expect("an id");
    let line = relay.wait_for_log(id.to_str().unwrap());
    assert!(
        line.contains("bad_protobuf") && line.contains("127.0.0.1"),
        "{line}"
    );
}

/// Scenario: everything is logged that can be, while tokens are shown right and wrong and in each
/// place, and payloads come that are accepted and refused, over HTTP and gRPC, and are watched.
/// Guarantees: no line of the log has a token or anything of a payload.
#[test]
fn the_log_has_no_secrets() {
    const MARK: &str = "mark-of-a-payload";
    let senders = "the-send-token-of-this-test";
    let watchers = "the-watch-token-of-this-test";
    let wrong = "a-wrong-token-of-this-test";
    let files = [
        TokenFile::new("secret-senders", senders),
        TokenFile::new("secret-watchers", watchers),
    ];
    let args = [
        "--listen",
        "127.0.0.1:0",
        "--grpc-listen",
        "127.0.0.1:0",
        "--ingest-token-file",
        files[0].path(),
        "--watch-token-file",
        files[1].path(),
    ];
    let mut relay = Relay::run(&args, &[("RUST_LOG", "trace")], 1);
    let (address, grpc) = (relay.address(), Grpc::connect(relay.grpc_address()));
    let path = format!("/ws/metrics?access_token={watchers}&format=points");
    let mut watcher = Watcher::connect_to(address, &path);
    for token in [senders, wrong] {
        let token = format!("Bearer {token}");
        let headers = [
            ("Authorization", token.as_str()),
            ("Content-Type", PROTOBUF),
        ];
        let json = [("Authorization", token.as_str()), ("Content-Type", JSON)];
        let broken = format!(r#"{{"resourceMetrics":[{{"{MARK}":{MARK}}}]}}"#);
        for request in [
            request("POST", "/v1/metrics", &headers, &gauge(MARK, 1)),
            request("POST", "/v1/metrics", &json, broken.as_bytes()),
        ] {
            exchange(address, &request);
        }
        for message in [gauge(MARK, 2), gauge(MARK, 3)[3..].to_vec()] {
            drop(grpc.export_with(Some(&token), message));
        }
        let watching = [("Authorization", token.as_str())];
        let ask = |path: &str, headers: &[_]| exchange(address, &head("GET", path, headers));
        assert_eq!(ask("/ws/metrics", &watching).status, 401);
        ask(&format!("/stream/metrics?access_token={wrong}"), &[]);
    }
    assert!(watcher.text().contains(MARK));
    drop((watcher, grpc));
    relay.signal("TERM");
    let (status, log) = relay.end();
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("TRACE"), "there is something to look through");
    for secret in [senders, wrong, watchers, MARK] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
