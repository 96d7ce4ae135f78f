//! Requests made to harm: too big, too many, too deep, or with identifiers that are none.

use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceResponse;
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal, json};
use prost::Message;

use crate::client::{JSON, PROTOBUF, exchange, post};
use crate::compression::gzip;
use crate::recorder::Event;
use crate::server::{Server, Setup};

const GZIP: (&str, &str) = ("Content-Encoding", "gzip");

/// Scenario: case `size.gzip-bomb`: zeros of the limit and one more, and 10 GiB of zeros in
/// 10,240 members.
/// Guarantees: 413 without `RetryInfo`, in the request's encoding, before all is inflated.
#[test]
fn gzip_bombs() {
    const LIMIT: usize = 1 << 16;
    let server = Server::with(Setup::with_limit(LIMIT));
    let small = gzip(&vec![0; LIMIT + 1]);
    let bomb = gzip(&vec![0; 1 << 20]).repeat(10_240);
    for (server, body) in [(&server, small), (&Server::start(), bomb)] {
        let answer = exchange(server, post(&[("Content-Type", PROTOBUF), GZIP], &body));
        assert_eq!(answer.status, 413);
        let failure = answer.failure(PROTOBUF);
        assert_eq!((failure.code, failure.field), (8, None));
        assert_eq!(server.event(), Event::Refused("body_too_large"));
    }
}

/// Scenario: a million and one empty sub-messages, in both encodings.
/// Guarantees: 413 with RESOURCE_EXHAUSTED.
#[test]
fn too_many_elements() {
    let server = Server::start();
    let count = Limits::default().elements + 1;
    let json = format!(r#"{{"resourceMetrics":[{}{{}}]}}"#, "{},".repeat(count - 1));
    for (content_type, body) in [
        (PROTOBUF, b"\x0a\0".repeat(count)),
        (JSON, json.into_bytes()),
    ] {
        let answer = exchange(&server, post(&[("Content-Type", content_type)], &body));
        assert_eq!(answer.status, 413, "{content_type}");
        assert_eq!(answer.failure(content_type).code, 8);
        assert_eq!(server.event(), Event::Refused("too_many_elements"));
    }
}

/// `content` inside `tags.len()` messages, the first tag outermost.
fn nested(tags: impl DoubleEndedIterator<Item = u8>) -> Vec<u8> {
    let mut reversed = Vec::new();
    for tag in tags.rev() {
        let mut length = reversed.len();
        let mut prefix = vec![tag];
        while length > 0x7f {
            prefix.push(length as u8 | 0x80);
            length >>= 7;
        }
        prefix.push(length as u8);
        reversed.extend(prefix.iter().rev());
    }
    reversed.reverse();
    reversed
}

/// Scenario: 20,000 nested values in protobuf: resource, attribute, then array in array; in JSON
/// the same, and 20,000 nested arrays where a member is not known.
/// Guarantees: 400, and the server goes on.
#[test]
fn too_deep() {
    const DEPTH: usize = 20_000;
    let server = Server::start();
    // resource_metrics 1, resource 1, attributes 1, value 2, then array_value 5 and values 1.
    let tags = [0x0a, 0x0a, 0x0a, 0x12].into_iter();
    let protobuf = nested(tags.chain([0x2a, 0x0a].repeat(DEPTH)));
    let array = format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{{"value":{}{}}}]}}}}]}}"#,
        r#"{"arrayValue":{"values":["#.repeat(DEPTH),
        "]}}".repeat(DEPTH)
    );
    let unknown = format!(
        r#"{{"unknown":{}{}}}"#,
        "[".repeat(DEPTH),
        "]".repeat(DEPTH)
    );
    for (content_type, body) in [
        (PROTOBUF, protobuf),
        (JSON, array.into_bytes()),
        (JSON, unknown.into_bytes()),
    ] {
        let answer = exchange(&server, post(&[("Content-Type", content_type)], &body));
        assert_eq!(answer.status, 400, "{content_type}");
        let failure = answer.failure(content_type);
        assert_eq!(failure.code, 3);
        assert!(failure.field.is_some());
    }
    let answer = exchange(&server, post(&[("Content-Type", JSON)], b"{}"));
    assert_eq!(answer.status, 200);
}

/// Scenario: two data points, one with an exemplar whose trace id is two bytes long, in both
/// encodings.
/// Guarantees: partial success with the count of data points and the path of the field; the
/// other point is handed on (OTLP spec, "Partial Success").
#[test]
fn wrong_identifiers() {
    let server = Server::start();
    let json = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":
        [{"exemplars":[{},{"traceId":"abcd"}]},{"asInt":"5"}]}}]}]}]}"#;
    let rest = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":
        [{"asInt":"5"}]}}]}]}]}"#;
    let read = |json| Request::decode_json(Signal::Metrics, json, &Limits::default()).unwrap();
    let rest = read(rest).encode_protobuf();
    for (content_type, body) in [
        (JSON, json.to_vec()),
        (PROTOBUF, read(json).encode_protobuf()),
    ] {
        let answer = exchange(&server, post(&[("Content-Type", content_type)], &body));
        assert_eq!(answer.status, 200, "{content_type}");
        let response = match content_type {
            JSON => json::decode(&answer.body, &Limits::default()).unwrap(),
            _ => ExportMetricsServiceResponse::decode(answer.body.as_slice()).unwrap(),
        };
        let partial = response.partial_success.unwrap();
        assert_eq!(partial.rejected_data_points, 1);
        assert_eq!(
            partial.error_message,
            "1 of 2 data points refused: resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.\
             dataPoints[0].exemplars[1].traceId: 2 bytes, but OTLP has 16 or none"
        );
        let (items, bytes) = (1, rest.len());
        assert_eq!(server.event(), Event::Accepted { items, bytes });
        assert_eq!(server.event(), Event::Rejected { items: 1 });
    }
    for export in server.exports() {
        assert_eq!(export.wire, rest);
    }
}

/// Scenario: broken bodies in both encodings; JSON whose wrong part is long and full of escapes.
/// Guarantees: 400; the answer says what is wrong, is short, and has no control characters.
#[test]
fn bad_data() {
    let server = Server::start();
    let long = format!(r#"{{"resourceMetrics":"{}"}}"#, "\u{7f}".repeat(10_000));
    for (content_type, body, reason) in [
        (PROTOBUF, &b"{}"[..], "bad_protobuf"),
        (PROTOBUF, b"\x0a\x05", "bad_protobuf"),
        (JSON, b"", "bad_json"),
        (JSON, b"null", "bad_json"),
        (JSON, b"{} {}", "bad_json"),
        (JSON, b"{\"resourceMetrics\":5}", "bad_json"),
        (JSON, long.as_bytes(), "bad_json"),
    ] {
        let answer = exchange(&server, post(&[("Content-Type", content_type)], body));
        assert_eq!(answer.status, 400, "{reason}");
        let failure = answer.failure(content_type);
        assert_eq!(failure.code, 3);
        assert!(failure.field.is_some());
        assert!((1..=256).contains(&failure.message.chars().count()));
        assert!(!failure.message.contains(char::is_control));
        assert_eq!(server.event(), Event::Refused(reason));
    }
}
