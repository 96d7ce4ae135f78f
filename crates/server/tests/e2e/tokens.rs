//! Who may send: a file of tokens, and what SIGHUP does with it.

use tonic::Code;

use crate::support::{
    Grpc, JSON, Relay, TokenFile, Watcher, exchange, gauge, gauge_json, request, run_to_end,
};

const OLD: &str = "the-old-token-of-this-test";
const NEW: &str = "the-new-token-of-this-test";

/// The status of an export, and the header that asks for a token.
fn send(relay: &Relay, token: Option<&str>, value: i64) -> (u16, Option<String>) {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("Content-Type", JSON)];
    if let Some(authorization) = &authorization {
        headers.push(("Authorization", authorization));
    }
    let body = gauge_json("m", value).to_string();
    let request = request("POST", "/v1/metrics", &headers, body.as_bytes());
    let answer = exchange(relay.address(), &request);
    let asks = answer.header("www-authenticate").map(str::to_owned);
    (answer.status, asks)
}

/// Scenario: exports with the token, with another, and with none; the file changes and the relay
/// gets SIGHUP; then the file is broken, and again.
/// Guarantees: 401 with `WWW-Authenticate` for all but the tokens of the file, of which watchers
/// see nothing; after SIGHUP the new ones count; a broken file changes nothing, and is named in
/// the log, which never holds a token.
#[test]
fn senders_show_a_token() {
    let file = TokenFile::new("senders", &format!("# one\n{OLD}\n"));
    let relay = Relay::with(&["--ingest-token-file", file.path()]);
    let mut watcher = Watcher::connect(relay.address());
    let unauthorized = (401, Some("Bearer".to_owned()));
    for token in [None, Some(NEW), Some("")] {
        assert_eq!(send(&relay, token, 1), unauthorized, "{token:?}");
    }
    assert_eq!(send(&relay, Some(OLD), 2).0, 200);
    assert_eq!(watcher.frame(), gauge_json("m", 2));

    std::fs::write(file.path(), NEW).unwrap();
    relay.signal("HUP");
    relay.wait_for_log("read again: 1 tokens");
    assert_eq!(send(&relay, Some(OLD), 3), unauthorized);
    assert_eq!(send(&relay, Some(NEW), 4).0, 200);
    assert_eq!(watcher.frame(), gauge_json("m", 4));

    std::fs::write(file.path(), format!("{NEW}\nthis is not a token\n")).unwrap();
    relay.signal("HUP");
    let line = relay.wait_for_log("stays as it was");
    assert!(
        line.contains("line 2") && line.contains(file.path()),
        "{line}"
    );
    assert!(
        !line.contains(NEW) && !line.contains("this is not"),
        "{line}"
    );
    assert_eq!(send(&relay, Some(NEW), 5).0, 200);
    assert_eq!(watcher.frame(), gauge_json("m", 5));
}

/// Scenario: a file that isn't there, and one without a token.
/// Guarantees: the relay doesn't start, and says which file and why.
#[test]
fn a_bad_file_is_explained() {
    let empty = TokenFile::new("empty", "# nothing yet\n");
    for (path, why) in [
        ("/nonexistent/tokens", "is the path right?"),
        (empty.path(), "no token"),
    ] {
        let args = ["--listen", "127.0.0.1:0", "--ingest-token-file", path];
        let (status, log) = run_to_end(&args);
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(log.contains(path) && log.contains(why), "{log}");
        assert!(log.contains("--ingest-token-file: "), "{log}");
    }
}

/// Scenario: SIGHUP to a relay without tokens.
/// Guarantees: it goes on.
#[test]
fn a_hangup_ends_nothing() {
    let relay = Relay::start();
    relay.signal("HUP");
    relay.wait_for_log("nothing to read again");
    assert_eq!(send(&relay, None, 1).0, 200);
}

/// Scenario: exports over gRPC with the token, with another, and with none.
/// Guarantees: UNAUTHENTICATED for all but the token of the file; watchers see that one alone.
#[test]
fn senders_show_it_over_grpc_too() {
    let file = TokenFile::new("grpc", OLD);
    let args = ["--grpc-listen", "127.0.0.1:0", "--ingest-token-file"];
    let relay = Relay::with(&[&args[..], &[file.path()]].concat());
    let mut watcher = Watcher::connect(relay.address());
    let grpc = Grpc::connect(relay.grpc_address());
    for wrong in [None, Some("Bearer another-token-of-this-test"), Some(OLD)] {
        let status = grpc.export_with(wrong, gauge("m", 1)).unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{wrong:?}");
    }
    let right = format!("Bearer {OLD}");
    assert!(grpc.export_with(Some(&right), gauge("m", 2)).is_ok());
    assert_eq!(watcher.frame(), gauge_json("m", 2));
}
