//! Bodies that are too big, announced or not, and what they cost.

use crate::support::{
    Http, JSON, PROTOBUF, Relay, Watcher, exchange, gauge, gauge_json, gzip, head, post, request,
};

const MIB: usize = 1 << 20;

/// Scenario: cases `size.*`: a body of exactly `--max-body`, of one byte more, and one that is
/// one byte more after inflating.
/// Guarantees: at the limit 200 and a frame; beyond it 413 with a status, and no frame.
#[test]
fn the_limit_is_exact() {
    const LIMIT: usize = 4096;
    let relay = Relay::with(&["--max-body", "4KiB"]);
    let mut watcher = Watcher::connect(relay.address());
    for excess in [0, 1] {
        // Field 15, which no version has, of a length that takes two bytes.
        let mut body = gauge("padded", 1);
        let padding = LIMIT + excess - body.len() - 3;
        body.extend([0x7a, (padding & 0x7f) as u8 | 0x80, (padding >> 7) as u8]);
        body.resize(LIMIT + excess, 0);
        for (coding, body) in [("identity", body.clone()), ("gzip", gzip(&body))] {
            let headers = [("Content-Type", PROTOBUF), ("Content-Encoding", coding)];
            let request = request("POST", "/v1/metrics", &headers, &body);
            let answer = exchange(relay.address(), &request);
            assert_eq!(answer.header("content-type"), Some(PROTOBUF));
            if excess == 0 {
                assert_eq!(answer.status, 200, "{answer:?}");
                assert_eq!(watcher.frame(), gauge_json("padded", 1));
            } else {
                assert_eq!((answer.status, answer.status_code()), (413, 8));
            }
        }
    }
    post(relay.address(), &gauge("marker", 2));
    assert_eq!(watcher.frame(), gauge_json("marker", 2));
}

/// Scenario: case `size.gzip-bomb`: 10 GiB of zeros in 10 MiB of gzip, in 1024 members, at the
/// default limit of 64 MiB; with an announced length and without.
/// Guarantees: 413 while it inflates, within a bounded amount of memory; the relay goes on.
#[test]
fn a_gzip_bomb_goes_off_outside() {
    let member = gzip(&vec![0; 10 * MIB]);
    let length = (member.len() * 1024).to_string();
    assert!(member.len() < 16 << 10, "{length}");
    let size = format!("{:x}\r\n", member.len());
    let chunk = [size.as_bytes(), &member, b"\r\n"].concat();
    for (framing, piece) in [
        (("Content-Length", length.as_str()), member),
        (("Transfer-Encoding", "chunked"), chunk),
    ] {
        let relay = Relay::start();
        let mut watcher = Watcher::connect(relay.address());
        let headers = [
            ("Content-Type", PROTOBUF),
            ("Content-Encoding", "gzip"),
            framing,
        ];
        let mut http = Http::connect(relay.address());
        http.send(&head("POST", "/v1/metrics", &headers));
        http.send_in_background(std::iter::repeat_n(piece, 1024));
        let answer = http.answer();
        let got = (answer.status, answer.status_code());
        assert_eq!(got, (413, 8), "{framing:?}");
        #[cfg(target_os = "linux")]
        {
            // The buffer while it grows: twice the limit, and the rest of the process.
            let peak = relay.peak_memory();
            assert!(peak < 256 * MIB as u64, "{framing:?}: {peak}");
        }
        post(relay.address(), &gauge("marker", 2));
        assert_eq!(watcher.frame(), gauge_json("marker", 2));
    }
}

/// A length and that many bytes, behind a tag.
fn field(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    prost::encoding::encode_varint(contents.len() as u64, &mut out);
    out.extend_from_slice(contents);
    out
}

/// Scenario: tens of kilobytes of gzip that hold millions of sub-messages: framed as they should
/// be, behind a length that ends before them, and in JSON.
/// Guarantees: refused before they become a tree: memory stays near the length of the bodies.
#[test]
fn a_tree_bomb_is_not_planted() {
    let empty = [0x12, 0].repeat(10_000_000);
    let honest = field(0x0a, &field(0x12, &empty));
    let mut lying = vec![0x0a, 1];
    lying.extend(field(0x12, &empty));
    let json = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":["#.to_owned()
        + &"{},".repeat(10_000_000)
        + "{}]}]}]}";
    // Below the limit of a million, and without an end.
    let endless =
        r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":["#.to_owned() + &"{},".repeat(999_000);
    for (what, content_type, body, status) in [
        ("honest", PROTOBUF, honest, 413),
        ("lying", PROTOBUF, lying, 400),
        ("json", JSON, json.into_bytes(), 413),
        ("endless json", JSON, endless.into_bytes(), 400),
    ] {
        let relay = Relay::start();
        let headers = [("Content-Type", content_type), ("Content-Encoding", "gzip")];
        let request = request("POST", "/v1/metrics", &headers, &gzip(&body));
        assert_eq!(exchange(relay.address(), &request).status, status, "{what}");
        #[cfg(target_os = "linux")]
        {
            // The body while it grows, its protobuf form twice, and the rest of the process. As a
            // tree, a million empty objects take 250 MiB.
            let most = body.len() * 4 + 64 * MIB;
            let peak = relay.peak_memory();
            assert!(peak < most as u64, "{what}: {peak} of {most}");
        }
    }
}

/// Scenario: bodies over the limit that the head announces, and that it doesn't; a client that
/// goes on sending.
/// Guarantees: 413 before the body has come, and the connection ends.
#[test]
fn an_announced_giant_is_refused_unread() {
    let relay = Relay::start();
    for framing in [
        ("Content-Length", "1000000000000"),
        ("Transfer-Encoding", "chunked"),
    ] {
        let mut http = Http::connect(relay.address());
        let headers = [("Content-Type", PROTOBUF), framing];
        http.send(&head("POST", "/v1/metrics", &headers));
        let chunk = [b"100000\r\n".as_slice(), &vec![0; MIB], b"\r\n"].concat();
        http.send_in_background(std::iter::repeat(chunk));
        let answer = http.answer();
        assert_eq!(
            (answer.status, answer.status_code()),
            (413, 8),
            "{framing:?}"
        );
        http.rest();
    }
}

/// Scenario: heads that say in two ways how long the body is, which proxies may read differently.
/// Guarantees: 400, and the connection is closed, so that nothing behind is taken for a request.
#[test]
fn two_lengths_are_none() {
    let relay = Relay::start();
    for lengths in [
        [("Content-Length", "2"), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "chunked"), ("Content-Length", "2")],
        [("Content-Length", "2"), ("Content-Length", "3")],
    ] {
        let headers = [&[("Content-Type", JSON)], &lengths[..]].concat();
        let mut http = Http::connect(relay.address());
        http.send(&head("POST", "/v1/logs", &headers));
        http.send(b"2\r\n{}\r\n0\r\n\r\n");
        assert_eq!(http.answer().status, 400, "{lengths:?}");
        assert!(http.ends());
    }
}
