//! A log that has a reader, which doesn't read.

use std::iter::repeat_n;
use std::process::Stdio;

use crate::support::{Http, Relay, Scrape, Watcher, gauge, gauge_json, head, post};

/// Requests with a line each: more than the pipe and what waits for it have room for.
const REFUSED: usize = 10_000;

/// Scenario: the log goes to a pipe that nobody reads; requests are refused, each with a line,
/// until lines are lost; then exports come, and the relay is asked to end.
/// Guarantees: all of it is done as ever, and the exit code is 0: nobody waits for the reader.
#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    let env = [("RUST_LOG", "debug")];
    let mut relay = Relay::unread(&[], &env, Stdio::piped());
    let address = relay.address();
    let mut http = Http::connect(address);
    http.send_in_background(repeat_n(head("GET", "/nowhere", &[]), REFUSED));
    for _ in 0..REFUSED {
        assert_eq!(http.answer().status, 404);
    }
    Scrape::until(address, |now| now.sum("log_lines_lost_total") > 0);
    let mut watcher = Watcher::connect(address);
    for number in 0..100 {
        post(address, &gauge("m", number));
        assert_eq!(watcher.frame(), gauge_json("m", number));
    }
    relay.signal("TERM");
    assert_eq!(watcher.close_code(), 1001);
    assert_eq!(relay.wait_for_exit().code(), Some(0));
}
