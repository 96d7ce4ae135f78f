//! Content-Encoding over the wire.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::client::{Answer, JSON, PROTOBUF, PROTOBUF_BODY, exchange, post};
use crate::recorder::Event;
use crate::server::Server;

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn send(server: &Server, coding: &str, body: &[u8]) -> Answer {
    let headers = [("Content-Type", PROTOBUF), ("Content-Encoding", coding)];
    exchange(server, post(&headers, body))
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Scenario: a body under every name of every coding, in any case.
/// Guarantees: each is accepted, and the export holds the inflated bytes.
#[test]
fn known_codings() {
    let server = Server::start();
    let zipped = gzip(PROTOBUF_BODY);
    let zlib = zlib(PROTOBUF_BODY);
    let zstd = zstd::encode_all(PROTOBUF_BODY, 0).unwrap();
    let snappy = snap::raw::Encoder::new()
        .compress_vec(PROTOBUF_BODY)
        .unwrap();
    for (coding, body) in [
        ("deflate", &zlib[..]),
        ("zlib", &zlib),
        ("zstd", &zstd),
        ("ZSTD", &zstd),
        ("snappy", &snappy),
        ("gzip", &zipped),
        ("GZip", &zipped),
        ("x-gzip", &zipped),
        ("X-GZIP", &zipped),
        ("identity", PROTOBUF_BODY),
        ("IDENTITY", PROTOBUF_BODY),
        ("", PROTOBUF_BODY),
    ] {
        assert_eq!(send(&server, coding, body).status, 200, "{coding:?}");
        let (items, bytes) = (1, PROTOBUF_BODY.len());
        assert_eq!(server.event(), Event::Accepted { items, bytes });
    }
    for export in server.exports() {
        assert_eq!(export.wire, PROTOBUF_BODY);
    }
}

/// Scenario: codings that are not known, lists, and two headers.
/// Guarantees: 415 with `Accept-Encoding`; the body is never taken as it is.
#[test]
fn unknown_codings() {
    let server = Server::start();
    for coding in [
        "br",
        "lz4",
        "zstd, gzip",
        "gzip, gzip",
        "identity,gzip",
        "gzip;q=1",
    ] {
        let answer = send(&server, coding, PROTOBUF_BODY);
        assert_eq!(answer.status, 415, "{coding:?}");
        let accepted = "gzip, deflate, zstd, snappy, x-snappy-framed";
        assert_eq!(answer.header("accept-encoding"), Some(accepted));
        assert_eq!(answer.failure(PROTOBUF).code, 12);
        assert_eq!(server.event(), Event::Refused("content_encoding"));
    }
    let headers = [
        ("Content-Type", PROTOBUF),
        ("Content-Encoding", "gzip"),
        ("Content-Encoding", "gzip"),
    ];
    let answer = exchange(&server, post(&headers, &gzip(&gzip(PROTOBUF_BODY))));
    assert_eq!(answer.status, 415);
    assert!(server.exports().is_empty());
}

/// Scenario: a request cut into three gzip members, one of them empty.
/// Guarantees: all of it arrives.
#[test]
fn several_members() {
    let server = Server::start();
    let (first, second) = PROTOBUF_BODY.split_at(10);
    let body = [gzip(first), gzip(b""), gzip(second)].concat();
    assert_eq!(send(&server, "gzip", &body).status, 200);
    assert_eq!(server.exports()[0].wire, PROTOBUF_BODY);
}

/// Scenario: wrong header, wrong checksum, truncation, junk at the end, nothing at all.
/// Guarantees: 400 with a status in the request's encoding, and nothing reaches the sink.
#[test]
fn bad_gzip() {
    let server = Server::start();
    let good = gzip(PROTOBUF_BODY);
    let mut bad_checksum = good.clone();
    let checksum = bad_checksum.len() - 8;
    bad_checksum[checksum] ^= 1;
    for body in [
        PROTOBUF_BODY,
        &bad_checksum,
        &good[..good.len() - 1],
        &good[..good.len() / 2],
        &[&good[..], b"junk"].concat(),
        &[&good[..], &good[..12]].concat(),
        b"",
    ] {
        let answer = send(&server, "gzip", body);
        assert_eq!(answer.status, 400, "{body:?}");
        let failure = answer.failure(PROTOBUF);
        assert_eq!(failure.code, 3);
        assert!(failure.message.contains("gzip"), "{failure:?}");
        assert_eq!(server.event(), Event::Refused("bad_compression"));
    }
    assert!(server.exports().is_empty());
}

/// Scenario: a client that accepts gzip and another media type.
/// Guarantees: the answer is in the request's encoding, and not compressed.
#[test]
fn accept_headers_play_no_part() {
    let server = Server::start();
    let headers = [
        ("Content-Type", JSON),
        ("Accept", PROTOBUF),
        ("Accept-Encoding", "gzip"),
    ];
    let answer = exchange(&server, post(&headers, b"{}"));
    assert_eq!((answer.status, &answer.body[..]), (200, &b"{}"[..]));
    assert_eq!(answer.header("content-type"), Some(JSON));
    assert_eq!(answer.header("content-encoding"), None);
}
