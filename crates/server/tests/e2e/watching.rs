//! Who may watch: a file of tokens, the ways to show one, and what becomes of one that goes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::support::{
    Relay, TokenFile, Watcher, exchange, gauge, gauge_json, handshake, head, post, shake,
};

/// With every character that has to be escaped somewhere.
const ONE: &str = "the/first+token~of-this_test==";
const TWO: &str = "the-second-token-of-this-test";
const WRONG: &str = "a-wrong-token-of-this-test";

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn subprotocols(token: &str) -> String {
    format!("otlp-relay, bearer.{}", URL_SAFE_NO_PAD.encode(token))
}

/// The status of a handshake, and what it says of tokens.
fn knock(relay: &Relay, query: &str, headers: &[(&str, &str)]) -> (u16, Option<String>) {
    let request = handshake(&format!("/ws/metrics{query}"), headers);
    let answer = exchange(relay.address(), &request);
    let asks = answer.header("www-authenticate").map(str::to_owned);
    (answer.status, asks)
}

/// Scenario: watchers with the token as header, as query parameter, escaped and not, and as
/// subprotocol; others with a wrong one or none; with two; with the subprotocol of a token alone.
/// The log holds all that there is.
/// Guarantees: the former get frames, in a view that knows nothing of the token; the others get 401
/// that names the scheme, and 400; senders need no token; nothing of any token is in the log.
#[test]
fn watchers_show_a_token_in_one_of_three_ways() {
    let file = TokenFile::new("watchers", &format!("{ONE}\n{TWO}\n"));
    let args = ["--listen", "127.0.0.1:0", "--watch-token-file", file.path()];
    let log = [("RUST_LOG", "trace,actix_http=trace")];
    let mut relay = Relay::run(&args, &log, 1);
    let (header, offers) = (bearer(ONE), subprotocols(ONE));
    let escaped = ONE.replace('+', "%2B").replace('=', "%3D");
    for (number, (query, headers)) in [
        (String::new(), &[("authorization", header.as_str())][..]),
        (
            String::new(),
            &[("sec-websocket-protocol", offers.as_str())],
        ),
        (format!("?access_token={ONE}"), &[]),
        (format!("?format=otlp&access_token={escaped}"), &[]),
        (format!("?access_token={TWO}&format=otlp"), &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/ws/metrics{query}");
        let mut watcher = Watcher::connect_with(relay.address(), &path, headers);
        let number = number as i64;
        post(relay.address(), &gauge("m", number));
        assert_eq!(watcher.frame(), gauge_json("m", number));
    }

    let none = (401, Some("Bearer".to_owned()));
    let wrong = (401, Some(r#"Bearer error="invalid_token""#.to_owned()));
    assert_eq!(knock(&relay, "", &[]), none);
    assert_eq!(knock(&relay, "?format=nonsense", &[]), none);
    assert_eq!(knock(&relay, "", &[("Authorization", "Basic YTpi")]), none);
    for token in [WRONG, &ONE[..ONE.len() - 1]] {
        let (header, offers) = (bearer(token), subprotocols(token));
        let query = format!("?access_token={token}");
        assert_eq!(knock(&relay, &query, &[]), wrong, "{token}");
        assert_eq!(knock(&relay, "", &[("Authorization", &header)]), wrong);
        let offers = [("Sec-WebSocket-Protocol", offers.as_str())];
        assert_eq!(knock(&relay, "", &offers), wrong, "{token}");
    }
    let two = knock(
        &relay,
        &format!("?access_token={ONE}"),
        &[("Authorization", &header)],
    );
    assert_eq!(two, (400, None));
    let alone = offers.split_once(", ").unwrap().1;
    let alone = knock(&relay, "", &[("Sec-WebSocket-Protocol", alone)]);
    assert_eq!(alone, (400, None));

    relay.signal("TERM");
    let (status, log) = relay.end();
    assert!(status.success() && log.contains("stopped"), "{log}");
    assert!(log.contains("refused a watcher"), "{log}");
    for token in [ONE, TWO, WRONG, &escaped] {
        let encoded = URL_SAFE_NO_PAD.encode(token);
        assert!(!log.contains(token) && !log.contains(&encoded), "{log}");
    }
}

/// Scenario: two sessions with a token each; the file loses one of them, and the relay gets SIGHUP.
/// Guarantees: that session closes with 3500 and can't come back; the other goes on; a new token
/// lets in.
#[test]
fn a_token_that_goes_takes_its_sessions_along() {
    let file = TokenFile::new("revoked", &format!("{ONE}\n{TWO}\n"));
    let relay = Relay::with(&["--watch-token-file", file.path()]);
    let watch = |token: &str| {
        let header = bearer(token);
        let headers = [("authorization", header.as_str())];
        Watcher::connect_with(relay.address(), "/ws/metrics", &headers)
    };
    let (mut leaves, mut stays) = (watch(ONE), watch(TWO));
    std::fs::write(file.path(), format!("{TWO}\n{WRONG}\n")).unwrap();
    relay.signal("HUP");
    relay.wait_for_log("read again: 2 tokens, 1 gone");
    assert_eq!(leaves.close_code(), 3500);
    let status = |token| shake(relay.address(), &[("Authorization", &bearer(token))]);
    assert_eq!((status(ONE), status(WRONG)), (401, 101));
    post(relay.address(), &gauge("m", 1));
    assert_eq!(stays.frame(), gauge_json("m", 1));
}

/// Scenario: requests for another name than a loopback one, to relays on loopback that ask senders,
/// watchers, or both for a token; and a page of another origin with a token.
/// Guarantees: only a relay that asks both leaves names be; the rule for origins stands beside that
/// for tokens.
#[test]
fn a_rebound_name_is_no_use_where_all_show_tokens() {
    let file = TokenFile::new("names", ONE);
    let [send, watch] = ["--ingest-token-file", "--watch-token-file"];
    for (args, expected) in [
        (&[send, file.path()][..], 403),
        (&[watch, file.path()], 403),
        (&[send, file.path(), watch, file.path()], 200),
    ] {
        let relay = Relay::with(args);
        let request = head("GET", "/", &[("Host", "relay.example.com")]);
        let answer = exchange(relay.address(), &request);
        assert_eq!(answer.status, expected, "{args:?}");
        let header = bearer(ONE);
        let headers = [
            ("Origin", "https://evil.example"),
            ("Authorization", &header),
        ];
        assert_eq!(shake(relay.address(), &headers), 403, "{args:?}");
    }
}
