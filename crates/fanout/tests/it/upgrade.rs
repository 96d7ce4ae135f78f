//! From a request to a session, on a server with connections that can be detached.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_web::dev::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use fanout::{Fanout, FanoutConfig, Gate, Hub, OpenGate, Pass, Refusal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;

use crate::support::detach::{Server, start};
use crate::support::{DRAIN, close_code, frame, hub, next_text, number, publish};

/// A handshake as in RFC 6455 section 1.3, without its end.
const HANDSHAKE: &str = "GET /ws/metrics HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n";

fn serve(hub: &Hub) -> Server {
    start(
        Fanout {
            hub: hub.clone(),
            gate: Arc::new(OpenGate),
        },
        true,
    )
}

/// Sends a request and gives the whole answer.
async fn ask(addr: SocketAddr, request: &str) -> String {
    let mut io = TcpStream::connect(addr).await.unwrap();
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        assert_ne!(io.read_buf(&mut answer).await.unwrap(), 0);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let (_, len) = head.split_once("content-length: ").unwrap();
        if body.len() == len.lines().next().unwrap().parse::<usize>().unwrap() {
            return text.into_owned();
        }
    }
}

/// Checks status, headers (lower case) and the JSON body of a refusal.
fn check(answer: &str, status: u16, headers: &[&str], code: u64, text: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(head.starts_with(&format!("http/1.1 {status} ")), "{answer}");
    for header in headers.iter().chain(&["content-type: application/json"]) {
        assert!(head.contains(header), "{header} in {answer}");
    }
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["code"], code, "{answer}");
    assert!(
        body["message"].as_str().unwrap().contains(text),
        "{text} in {answer}"
    );
}

/// Scenario: an independent client connects; exports are published as soon as it has the 101;
/// the hub closes.
/// Guarantees: nothing published after the 101 is missed; the session ends with 1001.
#[tokio::test]
async fn a_client_misses_nothing_after_the_101() {
    let (hub, _) = hub(FanoutConfig::default());
    let server = serve(&hub);
    for round in 0..20 {
        let url = format!("ws://{}/ws/metrics?format=otlp", server.addr);
        let (mut client, response) = connect_async(url).await.unwrap();
        assert_eq!(response.status(), 101);
        publish(&hub, [round, round + 1000], 0);
        assert_eq!(number(&next_text(&mut client).await), round);
        assert_eq!(number(&next_text(&mut client).await), round + 1000);
        if round == 19 {
            hub.close(DRAIN);
            assert_eq!(close_code(&mut client).await, Some(1001));
        } else {
            client.close(None).await.unwrap();
            close_code(&mut client).await;
        }
    }
    hub.drained().await;
}

/// Scenario: a client sends a ping and half of another in one piece with its handshake, the
/// rest later.
/// Guarantees: nothing of it is lost; the accept key is that of RFC 6455 section 1.3.
#[tokio::test]
async fn bytes_sent_too_early_are_not_lost() {
    let (hub, _) = hub(FanoutConfig::default());
    let server = serve(&hub);
    let mut io = TcpStream::connect(server.addr).await.unwrap();
    let second = frame(0x89, b"two");
    let early = [
        HANDSHAKE.as_bytes(),
        b"\r\n",
        &frame(0x89, b"one"),
        &second[..4],
    ]
    .concat();
    io.write_all(&early).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\x8a\x03one") {
        assert_ne!(io.read_buf(&mut answer).await.unwrap(), 0);
    }
    let head = String::from_utf8_lossy(&answer[..answer.len() - 5]).to_lowercase();
    assert!(
        head.starts_with("http/1.1 101 ") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    assert!(
        head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    assert!(
        !head.contains("content-length") && !head.contains("transfer-encoding"),
        "{head}"
    );
    io.write_all(&second[4..]).await.unwrap();
    let mut pong = [0; 5];
    io.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\x8a\x03two");
}

/// Scenario: requests that are no handshake, or a wrong one, or ask for what there is not.
/// Guarantees: the status, headers and body that tell a client what to do instead.
#[tokio::test]
async fn other_requests_get_an_answer_that_helps() {
    let (hub, _) = hub(FanoutConfig::default());
    let server = serve(&hub);
    let end = "Host: relay\r\n\r\n";
    let plain = format!("GET /ws/metrics HTTP/1.1\r\n{end}");
    let upgrade = [
        "upgrade: websocket",
        "connection: upgrade",
        "sec-websocket-version: 13",
    ];
    check(
        &ask(server.addr, &plain).await,
        426,
        &upgrade,
        9,
        "websocat",
    );

    let post = format!("POST /ws/metrics HTTP/1.1\r\nContent-Length: 0\r\n{end}");
    check(
        &ask(server.addr, &post).await,
        405,
        &["allow: get"],
        12,
        "WebSocket",
    );

    let view = format!("GET /ws/metrics?format=xml HTTP/1.1\r\n{end}");
    check(&ask(server.addr, &view).await, 400, &[], 3, "format=otlp");

    let filter = format!("GET /ws/metrics?metrics=a HTTP/1.1\r\n{end}");
    check(&ask(server.addr, &filter).await, 400, &[], 3, "metric=GLOB");

    let version = format!("{}\r\n", HANDSHAKE.replace(": 13", ": 8"));
    check(
        &ask(server.addr, &version).await,
        426,
        &["sec-websocket-version: 13"],
        9,
        "13",
    );

    let key = format!("{}\r\n", HANDSHAKE.replace("dGhl", "!"));
    check(&ask(server.addr, &key).await, 400, &[], 3, "key");
    assert_eq!(hub.snapshot().sessions, 0);
}

/// Scenario: a gate that refuses, with a request that is wrong in every other way too.
/// Guarantees: the gate's answer and no other; it sees the head and the peer's address.
#[tokio::test]
async fn the_gate_is_asked_first() {
    struct Closed;
    impl Gate for Closed {
        fn admit(&self, head: &RequestHead, peer: Option<IpAddr>) -> Result<Pass, Refusal> {
            assert!(peer.unwrap().is_loopback());
            assert_eq!(head.uri.path(), "/ws/metrics");
            Err(Refusal::new(StatusCode::UNAUTHORIZED, "a token is needed")
                .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
        }
    }
    let (hub, _) = hub(FanoutConfig {
        max_sessions: 0,
        ..FanoutConfig::default()
    });
    let server = start(
        Fanout {
            hub: hub.clone(),
            gate: Arc::new(Closed),
        },
        true,
    );
    let request = "GET /ws/metrics?x=y HTTP/1.1\r\nHost: relay\r\n\r\n";
    let answer = ask(server.addr, request).await;
    check(&answer, 401, &["www-authenticate: bearer"], 16, "token");
}

/// Scenario: a client asks for another view than the one that may be watched.
/// Guarantees: 503 with Retry-After, and the text says what is full.
#[tokio::test]
async fn another_view_than_there_may_be_is_refused() {
    let (hub, _) = hub(FanoutConfig {
        max_views: 1,
        ..FanoutConfig::default()
    });
    let server = serve(&hub);
    let url = |query: &str| format!("ws://{}/ws/metrics{query}", server.addr);
    let (_first, _) = connect_async(url("?metric=a&metric=b")).await.unwrap();
    let (_second, _) = connect_async(url("?metric=b&metric=%61")).await.unwrap();
    let request = format!("{HANDSHAKE}\r\n");
    let answer = ask(server.addr, &request).await;
    check(&answer, 503, &["retry-after: 1"], 14, "1 different views");
    assert_eq!((hub.snapshot().sessions, hub.snapshot().views), (2, 1));
}

/// Scenario: one client more than there may be; then on a hub that is closed; then on
/// connections that cannot be given away.
/// Guarantees: 503 with Retry-After, and 500; no subscription is left behind.
#[tokio::test]
async fn what_cannot_be_served_is_refused() {
    let (hub, _) = hub(FanoutConfig {
        max_sessions: 1,
        ..FanoutConfig::default()
    });
    let server = serve(&hub);
    let (client, _) = connect_async(format!("ws://{}/ws/metrics", server.addr))
        .await
        .unwrap();
    let request = format!("{HANDSHAKE}\r\n");
    check(
        &ask(server.addr, &request).await,
        503,
        &["retry-after: 1"],
        14,
        "1 sessions",
    );
    drop(client);
    hub.drained().await;
    let rigid = start(
        Fanout {
            hub: hub.clone(),
            gate: Arc::new(OpenGate),
        },
        false,
    );
    check(&ask(rigid.addr, &request).await, 500, &[], 13, "cannot");
    assert_eq!(hub.snapshot().sessions, 0);
    hub.close(DRAIN);
    check(
        &ask(server.addr, &request).await,
        503,
        &["retry-after: 1"],
        14,
        "shutting down",
    );
}

/// Scenario: handshakes that offer subprotocols: none, ours among others in one header and in
/// several, only others.
/// Guarantees: ours is chosen where it is offered, and nothing else ever (RFC 6455, section 4.2.2).
#[tokio::test]
async fn only_our_subprotocol_is_chosen() {
    let (hub, _) = hub(FanoutConfig::default());
    let server = serve(&hub);
    for (offers, chosen) in [
        (&[][..], None),
        (&["bearer.c2VjcmV0, otlp-relay"], Some("otlp-relay")),
        (&["bearer.c2VjcmV0", "otlp-relay"], Some("otlp-relay")),
        (&["graphql-ws, bearer.c2VjcmV0"], None),
    ] {
        let mut request = HANDSHAKE.to_owned();
        for offer in offers {
            request += &format!("Sec-WebSocket-Protocol: {offer}\r\n");
        }
        let mut io = TcpStream::connect(server.addr).await.unwrap();
        io.write_all(format!("{request}\r\n").as_bytes())
            .await
            .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert_ne!(io.read_buf(&mut head).await.unwrap(), 0);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        let answers = head
            .lines()
            .filter_map(|line| line.strip_prefix("sec-websocket-protocol: "));
        assert_eq!(answers.collect::<Vec<_>>(), Vec::from_iter(chosen));
    }
}
