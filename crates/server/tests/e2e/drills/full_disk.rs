//! A log that can't be written.

use std::fs::File;
use std::process::Stdio;

use crate::support::{
    Http, Relay, TokenFile, Watcher, exchange, gauge, gauge_json, head, post, request, soon,
};

/// Scenario: the log goes to a device that is always full, and to a pipe that nobody reads; as
/// text and as JSON, with all that there is to tell. A relay starts, refuses, reloads a file that
/// can't be used, takes exports, and is asked to end.
/// Guarantees: all of it is done as ever, and the exit code is 0: nothing panics. What can't be
/// written is counted.
#[test]
fn a_log_that_cannot_be_written_harms_nothing() {
    const TOKEN: &str = "the-token-of-the-full-disk";
    const LOST: &str = "otlp_relay_log_lines_lost_total ";
    for format in ["text", "json"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        for log in [Stdio::from(full), Stdio::piped()] {
            let file = TokenFile::new("full-disk", TOKEN);
            let args = ["--watch-token-file", file.path(), "--log-format", format];
            // The pipe has lost its reader when this returns.
            let mut relay = Relay::silent(&args, &[("RUST_LOG", "trace")], log);
            let address = relay.address();
            let path = format!("/ws/metrics?access_token={TOKEN}");
            let mut watcher = Watcher::connect_to(address, &path);
            std::fs::write(file.path(), "short").unwrap();
            relay.signal("HUP");
            let mut garbage = Http::connect(address);
            garbage.send(b"\x00\r\n\r\n");
            garbage.rest();
            for number in 0..20 {
                let answer = exchange(address, &head("GET", "/ws?access_token=wrong", &[]));
                assert_eq!(answer.status, 401);
                let bad = request("POST", "/v1/metrics", &[("Host", "evil.example")], b"");
                assert_eq!(exchange(address, &bad).status, 403);
                post(address, &gauge("m", number));
                assert_eq!(watcher.frame(), gauge_json("m", number));
            }
            let token = format!("Bearer {TOKEN}");
            let shown = head("GET", "/metrics", &[("Authorization", &token)]);
            assert!(soon(|| {
                let metrics = String::from_utf8(exchange(address, &shown).body).unwrap();
                let lost = metrics.lines().find_map(|line| line.strip_prefix(LOST));
                lost.unwrap() != "0"
            }));
            relay.signal("TERM");
            assert_eq!(watcher.close_code(), 1001);
            assert_eq!(relay.wait_for_exit().code(), Some(0));
        }
    }
}
