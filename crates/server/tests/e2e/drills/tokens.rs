//! A file of tokens that is replaced by garbage.

use crate::support::{PROTOBUF, Relay, TokenFile, Watcher, exchange, gauge, gauge_json, request};

const TOKEN: &str = "the-token-of-the-fault-drill";
const OTHER: &str = "another-token-of-the-drill";

/// Scenario: the tokens of watchers are overwritten with bytes that are no text; the clock looks
/// at the files again and again, as changes of another file show.
/// Guarantees: who watches goes on, and who comes with the old token is let in; one warning, and
/// one failure is counted, however often it was looked at; a good file counts again.
#[test]
fn old_tokens_stay_good() {
    let watch = TokenFile::new("drill-watch", TOKEN);
    let send = TokenFile::new("drill-send", TOKEN);
    let files = [
        "--watch-token-file",
        watch.path(),
        "--ingest-token-file",
        send.path(),
    ];
    let mut relay = Relay::with(&[&files[..], &["--reload-interval", "50ms"]].concat());
    let (address, path) = (relay.address(), format!("/ws/metrics?access_token={TOKEN}"));
    let mut before = Watcher::connect_to(address, &path);

    std::fs::write(watch.path(), [0xff, 0x00, 0xfe, b'\n', 0xc3, 0x28]).unwrap();
    relay.wait_for_log("the tokens stay as they were");
    for tokens in [OTHER, TOKEN].into_iter().cycle().take(6) {
        std::fs::write(send.path(), tokens).unwrap();
        let line = relay.wait_for_log("the tokens");
        assert!(line.contains("of senders were read again"), "{line}");
    }
    let mut after = Watcher::connect_to(address, &path);
    let authorization = format!("Bearer {TOKEN}");
    let headers = [
        ("Content-Type", PROTOBUF),
        ("Authorization", authorization.as_str()),
    ];
    let body = gauge("m", 1);
    let answer = exchange(address, &request("POST", "/v1/metrics", &headers, &body));
    assert_eq!(answer.status, 200);
    assert_eq!(before.frame(), gauge_json("m", 1));
    assert_eq!(after.frame(), gauge_json("m", 1));

    std::fs::write(watch.path(), OTHER).unwrap();
    assert_eq!(before.close_code(), 3500);
    relay.signal("TERM");
    let (_, log) = relay.end();
    assert!(!log.contains("stay as they were"), "{log}");
    assert!(log.contains(r#""failed_reloads":1"#), "{log}");
}
