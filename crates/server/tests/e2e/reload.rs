//! SIGHUP and the file of settings.

use std::net::SocketAddr;

use crate::support::{
    Folder, Http, Relay, Scrape, Watcher, exchange, gauge, gauge_json, head, post, shake, soon,
};

const OLD: &str = "the-old-token-of-watchers";
const NEW: &str = "the-new-token-of-watchers";

fn origin(name: &str) -> String {
    format!("https://{name}.example")
}

/// Whether a page of an origin may watch.
fn may_watch(address: SocketAddr, name: &str) -> bool {
    shake(address, &[("Origin", &origin(name))]) == 101
}

/// Whether a page of an origin may send: what the answer to its preflight says.
fn may_send(address: SocketAddr, name: &str) -> bool {
    let origin = origin(name);
    let headers = [
        ("Origin", origin.as_str()),
        ("Access-Control-Request-Method", "POST"),
    ];
    let mut http = Http::connect(address);
    http.send(&head("OPTIONS", "/v1/metrics", &headers));
    // 204 has no length.
    http.answer_head().status == 204
}

/// A file that lets in pages of an origin, and says more.
fn settings(folder: &Folder, name: &str, more: &str) -> String {
    let origin = origin(name);
    let lists =
        format!("allowed-origins = [\"{origin}\"]\ncors-allowed-origins = [\"{origin}\"]\n");
    folder.write("relay.toml", &(lists + more))
}

/// Scenario: somebody watches; the file names other origins, another limit and a file of tokens,
/// and the relay gets SIGHUP; then it is broken, and again.
/// Guarantees: the origins count from then on, and who watches goes on; the rest is named as what
/// needs a restart; of a broken file nothing counts, and the log says why.
#[test]
fn a_file_is_read_again() {
    let folder = Folder::new("reload");
    let file = settings(&folder, "one", "");
    let relay = Relay::with(&["--config", &file]);
    let address = relay.address();
    let mut watcher = Watcher::connect_with(address, "/ws/metrics", &[("Origin", &origin("one"))]);
    assert!(may_send(address, "one") && !may_send(address, "two"));
    assert!(!may_watch(address, "two"));

    let tokens = folder.write("tokens", NEW);
    let more = format!("max-views = 7\ningest-token-file = \"{tokens}\"\n");
    settings(&folder, "two", &more);
    relay.signal("HUP");
    let line = relay.wait_for_log("SIGHUP: ingest-token-file");
    assert!(
        line.contains("relay.toml:4") && line.contains("needs a restart"),
        "{line}"
    );
    let line = relay.wait_for_log("SIGHUP: allowed-origins");
    assert!(
        line.contains("two.example") && line.contains("is in force"),
        "{line}"
    );
    let line = relay.wait_for_log("SIGHUP: max-views = 7");
    assert!(
        line.contains("relay.toml:3") && line.contains("needs a restart"),
        "{line}"
    );
    assert!(may_watch(address, "two") && !may_watch(address, "one"));
    assert!(may_send(address, "two") && !may_send(address, "one"));
    post(address, &gauge("m", 1));
    assert_eq!(watcher.frame(), gauge_json("m", 1));

    settings(&folder, "three", "max-vews = 7\nmax-lag = 3\n");
    relay.signal("HUP");
    for part in ["did you mean max-views?", "max-lag can't be"] {
        let line = relay.wait_for_log(part);
        assert!(line.contains("stays as it was"), "{line}");
    }
    assert!(may_watch(address, "two") && !may_watch(address, "three"));
    post(address, &gauge("m", 2));
    assert_eq!(watcher.frame(), gauge_json("m", 2));
}

/// Scenario: a file names other origins and another file of tokens, which is garbage; then it is
/// mended.
/// Guarantees: all or nothing: first neither changes, then both do; sessions whose token is gone
/// are closed.
#[test]
fn all_changes_or_none() {
    let folder = Folder::new("all-or-none");
    let name_tokens = |file: &str| format!("watch-token-file = \"{file}\"\n");
    folder.write("old.tokens", OLD);
    let file = settings(&folder, "one", &name_tokens("old.tokens"));
    let relay = Relay::with(&["--config", &file]);
    let address = relay.address();
    let status = |token: &str, page: &str| {
        let (token, page) = (format!("Bearer {token}"), origin(page));
        shake(address, &[("Authorization", &token), ("Origin", &page)])
    };
    let header = format!("Bearer {OLD}");
    let headers = [("Authorization", header.as_str())];
    let mut watcher = Watcher::connect_with(address, "/ws/metrics", &headers);
    assert_eq!((status(OLD, "one"), status(OLD, "two")), (101, 403));

    folder.write("new.tokens", "garbage, garbage");
    settings(&folder, "two", &name_tokens("new.tokens"));
    relay.signal("HUP");
    let line = relay.wait_for_log("stays as it was");
    assert!(
        line.contains("new.tokens") && !line.contains("garbage,"),
        "{line}"
    );
    assert!(line.contains("relay.toml:3: "), "{line}");
    assert_eq!((status(OLD, "one"), status(OLD, "two")), (101, 403));
    post(address, &gauge("m", 1));
    assert_eq!(watcher.frame(), gauge_json("m", 1));

    folder.write("new.tokens", NEW);
    relay.signal("HUP");
    relay.wait_for_log("SIGHUP: allowed-origins");
    assert_eq!((status(NEW, "two"), status(NEW, "one")), (101, 403));
    assert_eq!(status(OLD, "two"), 401);
    assert_eq!(watcher.close_code(), 3500);
}

/// Scenario: the file lets less be logged, and more again, with a SIGHUP each time.
/// Guarantees: the filter counts from then on.
#[test]
fn the_log_is_filtered_anew() {
    let folder = Folder::new("filter");
    let filter = |level: &str| format!("log-filter = \"{level}\"\n");
    let file = settings(&folder, "one", &filter("info"));
    let relay = Relay::with(&["--config", &file]);
    let reload = |name: &str, level: &str| {
        settings(&folder, name, &filter(level));
        relay.signal("HUP");
    };
    let comes_in = |name: &str| soon(|| may_watch(relay.address(), name));
    reload("two", "error");
    relay.wait_for_log("SIGHUP: log-filter");
    reload("three", "error");
    assert!(comes_in("three"));
    // Still under the old filter.
    reload("four", "info");
    assert!(comes_in("four"));
    reload("five", "info");
    let line = relay.wait_for_log("SIGHUP: allowed-origins");
    assert!(line.contains("five.example"), "{line}");
}

/// Scenario: another name is allowed, by SIGHUP, of a relay with an address for metrics alone that
/// shows its demo.
/// Guarantees: it counts at that address too; the demo calls the relay by it, so none of its
/// exports is refused.
#[test]
fn names_change_everywhere() {
    let folder = Folder::new("names");
    let name = |host: &str| folder.write("relay.toml", &format!("allowed-hosts = [\"{host}\"]\n"));
    let file = name("one.example");
    let args = [
        "--config",
        &file,
        "--metrics-listen",
        "127.0.0.1:0",
        "--demo",
    ];
    let relay = Relay::with(&args);
    let line = relay.wait_for_log("metrics are at http://");
    let rest = line.split_once("://").unwrap().1;
    let metrics: SocketAddr = rest[..rest.find('/').unwrap()].parse().unwrap();
    let status = |host| {
        let request = head("GET", "/metrics", &[("Host", host)]);
        exchange(metrics, &request).status
    };
    assert_eq!((status("one.example"), status("two.example")), (200, 403));
    name("two.example");
    relay.signal("HUP");
    relay.wait_for_log("SIGHUP: allowed-hosts");
    assert!(soon(|| status("two.example") == 200));
    assert_eq!(status("one.example"), 403);
    let refused = |scrape: &Scrape| scrape.of("rules_broken_total", "rule=\"host\"");
    // What is counted from here on was sent under the new name, all of its second too.
    let more = |than: &Scrape, count: u64| {
        let sum = than.sum("exports_total") + count;
        Scrape::until(metrics, |now| now.sum("exports_total") >= sum)
    };
    let before = more(&Scrape::of_relay(metrics), 1);
    let after = more(&before, 3);
    assert_eq!(refused(&before), refused(&after));
}

/// Scenario: a file of tokens becomes a pipe that nobody writes to, and the relay gets SIGHUP, then
/// SIGTERM.
/// Guarantees: it says what is wrong, everything stays as it was, and it ends in order.
#[test]
fn a_pipe_holds_nobody_up() {
    let folder = Folder::new("pipe");
    let file = folder.write("tokens", OLD);
    let mut relay = Relay::with(&["--watch-token-file", &file]);
    std::fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status();
    assert!(made.unwrap().success());
    relay.signal("HUP");
    // The clock may look at it too, and says less.
    let line = relay.wait_for_log("everything stays as it was");
    assert!(line.contains("it is no regular file"), "{line}");
    let header = format!("Bearer {OLD}");
    assert_eq!(shake(relay.address(), &[("Authorization", &header)]), 101);
    relay.signal("TERM");
    let (status, log) = relay.end();
    assert!(status.success(), "{log}");
}
