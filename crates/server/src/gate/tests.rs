//! The rules, request by request.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::header::{HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use actix_web::test::TestRequest;

use super::{GateConfig, Rules};
use crate::counters::Counters;
use crate::tokens::{Asked, Tokens};

fn rules(listen: &str, origins: &[&str], hosts: &[&str]) -> Rules {
    let config = GateConfig {
        allowed_origins: origins
            .iter()
            .map(|origin| origin.parse().unwrap())
            .collect(),
        allowed_hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
    };
    let listen: SocketAddr = listen.parse().unwrap();
    let tokens = Asked::default();
    Rules::new(&config, &[listen], &tokens, Arc::new(Counters::default()))
}

/// The status of a refusal, or 200.
fn host(rules: &Rules, host: &str) -> u16 {
    let request = TestRequest::get()
        .insert_header((HOST, host))
        .to_http_request();
    rules
        .check_host(request.head())
        .map_or_else(|refusal| refusal.status().as_u16(), |()| 200)
}

fn origin(rules: &Rules, origin: &str, host: &str) -> u16 {
    let request = TestRequest::get()
        .insert_header((ORIGIN, origin))
        .insert_header((HOST, host));
    let request = request.to_http_request();
    rules
        .check_origin(request.head())
        .map_or_else(|refusal| refusal.status().as_u16(), |()| 200)
}

/// Scenario: hosts of every kind, to a relay on loopback, with and without names added.
/// Guarantees: only loopback names and added ones pass, so a page can't rebind a name to here.
#[test]
fn loopback_wants_loopback_hosts() {
    let plain = rules("127.0.0.1:4444", &[], &[]);
    for good in [
        "localhost",
        "localhost:4444",
        "LOCALHOST:4444",
        "localhost.:4444",
        "app.localhost",
        "127.0.0.1",
        "127.0.0.1:4444",
        "127.8.8.8:1",
        "[::1]:4444",
        "[::ffff:127.0.0.1]:4444",
    ] {
        assert_eq!(host(&plain, good), 200, "{good}");
    }
    for bad in [
        "evil.example",
        "evil.example:4444",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "notlocalhost",
        "192.168.0.1",
        "[::2]",
        "0.0.0.0:4444",
    ] {
        assert_eq!(host(&plain, bad), 403, "{bad}");
    }
    for malformed in [
        "",
        ":4444",
        "a b",
        "localhost:x",
        "localhost:99999",
        "[::1",
        "[::1]x",
        "a/b",
        "localhost:+80",
        "[<b>]",
        "[]",
    ] {
        assert_eq!(host(&plain, malformed), 400, "{malformed}");
    }
    let named = rules("127.0.0.1:4444", &[], &["relay.example.com"]);
    assert_eq!(host(&named, "Relay.Example.Com:80"), 200);
    assert_eq!(host(&named, "localhost"), 200);
    assert_eq!(host(&named, "other.example.com"), 403);
    // The malformed ones too.
    assert_eq!(plain.counters.totals().refused_hosts, 8 + 11);
}

/// Scenario: the same on a wider address.
/// Guarantees: no rule by default; with names added, those alone.
#[test]
fn wider_addresses_have_a_rule_when_asked() {
    let open = rules("0.0.0.0:4444", &[], &[]);
    assert_eq!(host(&open, "anything.example"), 200);
    assert_eq!(host(&open, "a b"), 400);
    let named = rules("0.0.0.0:4444", &[], &["relay.example.com"]);
    assert_eq!(host(&named, "relay.example.com:4444"), 200);
    assert_eq!(host(&named, "localhost"), 403);
}

/// Scenario: a target in absolute form that names another host than the header.
/// Guarantees: both are held to the rule; a second Host header is an error.
#[test]
fn every_host_counts() {
    let rules = rules("127.0.0.1:4444", &[], &[]);
    let absolute = TestRequest::with_uri("http://evil.example/").insert_header((HOST, "localhost"));
    let refusal = rules
        .check_host(absolute.to_http_request().head())
        .unwrap_err();
    assert_eq!(refusal.status().as_u16(), 403);
    let two = TestRequest::get()
        .append_header((HOST, "localhost"))
        .append_header((HOST, "evil"));
    let refusal = rules.check_host(two.to_http_request().head()).unwrap_err();
    assert_eq!(refusal.status().as_u16(), 400);
    assert_eq!(rules.counters.totals().refused_hosts, 2);
}

/// Scenario: probes and other requests, to a foreign name and to none that can be read, on loopback
/// and on a wider address with names.
/// Guarantees: the two pages without data are for every name, and nothing else is; what can't be
/// read is refused there too.
#[test]
fn probes_may_use_any_name() {
    let named = |listen| rules(listen, &[], &["relay.example"]);
    for rules in [named("127.0.0.1:4444"), named("0.0.0.0:4444")] {
        for (path, name, status) in [
            ("/healthz", "10.0.0.7:4444", 200),
            ("/readyz", "10.0.0.7:4444", 200),
            ("/readyz?x=y", "evil.example", 200),
            ("/healthz", "a b", 400),
            ("/healthz/", "10.0.0.7", 403),
            ("/metrics", "10.0.0.7", 403),
            ("/", "10.0.0.7", 403),
        ] {
            let request = TestRequest::with_uri(path).insert_header((HOST, name));
            let judged = rules.check_host(request.to_http_request().head());
            let judged = judged.map_or_else(|refusal| refusal.status().as_u16(), |()| 200);
            assert_eq!(judged, status, "{path} {name}");
        }
    }
}

/// Scenario: a watcher that shows two tokens, and one that offers a token as its only subprotocol.
/// Guarantees: 400, and each is counted with those whose token is wrong.
#[test]
fn tokens_that_are_refused_unread_are_counted() {
    let file = std::env::temp_dir().join(format!("otlp-relay-gate-{}", std::process::id()));
    std::fs::write(&file, "a-token-of-this-test").unwrap();
    let tokens = Asked {
        senders: None,
        watchers: Some(Arc::new(Tokens::read(file.clone()).unwrap())),
    };
    std::fs::remove_file(file).unwrap();
    let counters = Arc::new(Counters::default());
    let rules = Rules::new(&GateConfig::default(), &[], &tokens, counters);
    let two = "/ws?access_token=a-token-of-this-test&access_token=b";
    let two = TestRequest::with_uri(two).to_http_request();
    let alone = TestRequest::with_uri("/ws").insert_header((SEC_WEBSOCKET_PROTOCOL, "bearer.YQ"));
    for (seen, request) in (1..).zip([two, alone.to_http_request()]) {
        let refusal = rules.check_token(request.head(), None).unwrap_err();
        assert_eq!(refusal.status().as_u16(), 400);
        assert_eq!(rules.counters.totals().refused_watchers, seen);
    }
}

/// Scenario: pages of the relay's own origin, of others, and of none.
/// Guarantees: none and the own pass, whatever the scheme in front of a proxy; others do not.
#[test]
fn origins_must_be_the_own_or_listed() {
    let plain = rules("127.0.0.1:4444", &[], &[]);
    for (page, to) in [
        ("http://localhost:4444", "localhost:4444"),
        ("http://LOCALHOST:4444", "localhost:4444"),
        ("https://relay.example.com", "relay.example.com"),
        ("http://relay.example.com", "relay.example.com:80"),
        ("http://[::1]:4444", "[::1]:4444"),
    ] {
        assert_eq!(origin(&plain, page, to), 200, "{page} {to}");
    }
    for (page, to) in [
        ("http://localhost:3000", "localhost:4444"),
        ("http://evil.example", "localhost:4444"),
        ("http://localhost:4444.evil.example", "localhost:4444"),
        ("null", "localhost:4444"),
        ("", "localhost:4444"),
        ("file://", "localhost:4444"),
        ("http://localhost:4444/", "localhost:4444"),
        ("ws://localhost:4444", "localhost:4444"),
    ] {
        assert_eq!(origin(&plain, page, to), 403, "{page} {to}");
    }
    let none = TestRequest::get()
        .insert_header((HOST, "localhost"))
        .to_http_request();
    assert_eq!(plain.check_origin(none.head()), Ok(()));
}

/// Scenario: origins on the list, with and without a wildcard.
/// Guarantees: scheme, host and port all count; `*.` stands for at least one label.
#[test]
fn listed_origins_pass() {
    let listed = rules(
        "127.0.0.1:4444",
        &["https://dash.example.com", "http://*.lan:3000"],
        &[],
    );
    for (page, status) in [
        ("https://dash.example.com", 200),
        ("https://dash.example.com:443", 200),
        ("http://dash.example.com", 403),
        ("https://dash.example.com:8443", 403),
        ("https://x.dash.example.com", 403),
        ("http://a.lan:3000", 200),
        ("http://a.b.lan:3000", 200),
        ("http://lan:3000", 403),
        ("http://.lan:3000", 403),
        ("http://evillan:3000", 403),
        ("http://a.lan", 403),
    ] {
        assert_eq!(origin(&listed, page, "localhost:4444"), status, "{page}");
    }
    let any = rules("127.0.0.1:4444", &["*"], &[]);
    assert_eq!(origin(&any, "http://evil.example", "localhost:4444"), 200);
    for bad in [
        "",
        "dash.example.com",
        "https://",
        "https://a.example/path",
        "https://*.*.example",
    ] {
        assert!(bad.parse::<super::OriginPattern>().is_err(), "{bad}");
    }
}
