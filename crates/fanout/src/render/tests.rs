//! What views make of exports, with the codec itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use otlp_codec::typed::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::view::Signals;

/// Whole seconds after 1970, so that the text is easy to say.
const RECEIVED: u64 = 1_600_000_000;

fn publication(signal: Signal, json: &Value) -> Publication {
    let text = json.to_string();
    let request = Request::decode_json(signal, text.as_bytes(), &Limits::default()).unwrap();
    Publication {
        seq: u64::MAX,
        signal,
        wire: Bytes::from(request.encode_protobuf()),
        received: SystemTime::UNIX_EPOCH + Duration::from_secs(RECEIVED),
        began: std::time::Instant::now(),
    }
}

/// Metrics of several services, a scope each, and so many points of each metric.
fn metrics(services: &[&[(&str, usize)]]) -> Publication {
    let resources: Vec<_> = services
        .iter()
        .enumerate()
        .map(|(at, metrics)| {
            let metrics: Vec<_> = metrics
                .iter()
                .map(|(name, points)| {
                    let points: Vec<_> = (0..*points)
                        .map(|n| json!({"asInt": n.to_string(), "timeUnixNano": "1"}))
                        .collect();
                    json!({"name": name, "gauge": {"dataPoints": points}})
                })
                .collect();
            let service = json!({"key": "service.name", "value": {"stringValue": at.to_string()}});
            json!({"resource": {"attributes": [service]}, "scopeMetrics": [{"metrics": metrics}]})
        })
        .collect();
    publication(Signal::Metrics, &json!({"resourceMetrics": resources}))
}

fn made(key: &ViewKey, config: &FanoutConfig, writer: Writer) -> Recipe {
    Recipe::new(key, config, "e", writer, Arc::default())
}

fn recipe(key: &ViewKey) -> Recipe {
    let config = FanoutConfig::default();
    made(key, &config, codec(&config))
}

fn view(format: Format, envelope: bool) -> ViewKey {
    ViewKey {
        format,
        envelope,
        ..ViewKey::of(Signals::ALL)
    }
}

/// The messages of an outcome, and whether they are all. None for nothing.
fn messages(outcome: &Outcome) -> (Vec<(Opcode, Bytes)>, bool) {
    match outcome {
        Outcome::Nothing => (Vec::new(), true),
        Outcome::Lost(loss) => {
            assert_eq!(*loss, Loss::TooBig);
            (Vec::new(), false)
        }
        Outcome::Frames(frames) => {
            let list = frames.list().iter().map(|frame| {
                let opcode = match frame[0] {
                    0x81 => Opcode::Text,
                    0x82 => Opcode::Binary,
                    other => panic!("{other:x}"),
                };
                let header = match frame[1] {
                    0..=125 => 2,
                    126 => 4,
                    _ => 10,
                };
                (opcode, frame.slice(header..))
            });
            (list.collect(), !frames.incomplete)
        }
    }
}

/// The one message of an export.
fn message(key: &ViewKey, publication: &Publication) -> Bytes {
    let (mut messages, whole) = messages(&recipe(key).render(publication));
    assert!(whole && messages.len() == 1, "{messages:?}");
    messages.remove(0).1
}

/// What the codec writes.
fn written(format: Format, signal: Signal, wire: &[u8]) -> Vec<u8> {
    let mut out = Message::default();
    codec(&FanoutConfig::default())(format, signal, wire, usize::MAX, &mut out).unwrap();
    out.as_mut_slice().to_vec()
}

/// Scenario: one export in every format, plain and in an envelope.
/// Guarantees: the codec's text, or the bytes as they are; around it what the frame is; points
/// are an array there.
#[test]
fn every_format_and_its_envelope() {
    let export = metrics(&[&[("a", 2)], &[("b\n", 1)]]);
    for format in Format::ALL {
        let expected = written(format, Signal::Metrics, &export.wire);
        assert_eq!(message(&view(format, false), &export), expected, "{format}");
    }
    for format in [Format::Otlp, Format::ProtoJson, Format::Points] {
        let message = message(&view(format, true), &export);
        let message: Value = serde_json::from_slice(&message).unwrap();
        let text = String::from_utf8(written(format, Signal::Metrics, &export.wire)).unwrap();
        let data: Value = match format {
            Format::Points => text
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .collect(),
            _ => serde_json::from_str(&text).unwrap(),
        };
        let expected = json!({
            "type": "data", "epoch": "e", "seq": "18446744073709551615", "signal": "metrics",
            "receivedAt": "2020-09-13T12:26:40.000000000Z", "data": data,
        });
        assert_eq!(message, expected, "{format}");
    }
}

/// Scenario: an export through filters that leave all, some and nothing of it; exports without
/// items; points of profiles.
/// Guarantees: what is left, in the view's format; no frame for nothing; an empty request is a
/// frame but where there are only points of it.
#[test]
fn filters_leave_what_they_say() {
    let export = metrics(&[&[("a", 1), ("b", 1)], &[("b", 1)]]);
    let filtered = |clause: (&str, &str), format| {
        let mut key = view(format, false);
        key.filter.add_clause(clause.0, clause.1).unwrap();
        key
    };
    for format in Format::ALL {
        let whole = message(&filtered(("metric", "?"), format), &export);
        assert_eq!(whole, written(format, Signal::Metrics, &export.wire));
        let part = message(&filtered(("metric", "a"), format), &export);
        let expected = metrics(&[&[("a", 1)]]);
        assert_eq!(part, written(format, Signal::Metrics, &expected.wire));
        let nothing = recipe(&filtered(("resource.service.name", "2"), format)).render(&export);
        assert_eq!(nothing, Outcome::Nothing);
        let empty = recipe(&view(format, false)).render(&metrics(&[]));
        assert_eq!(empty == Outcome::Nothing, format == Format::Points);
    }
    let empty = recipe(&view(Format::Points, true)).render(&metrics(&[]));
    assert_eq!(empty, Outcome::Nothing);
    let profiles = publication(Signal::Profiles, &json!({"resourceProfiles": [{}]}));
    let points = recipe(&view(Format::Points, false)).render(&profiles);
    assert_eq!(points, Outcome::Nothing);
}

/// Scenario: an export that is longer than a frame may be, without and with a limit of the
/// client's own.
/// Guarantees: lost as too big; in parts otherwise.
#[test]
fn long_exports_are_lost_or_parted() {
    let export = metrics(&[&[("a", 1000)]]);
    let config = FanoutConfig {
        frame_bytes: 10_000,
        ..FanoutConfig::default()
    };
    for envelope in [false, true] {
        let mut key = view(Format::Otlp, envelope);
        let lost = made(&key, &config, codec(&config)).render(&export);
        assert_eq!(lost, Outcome::Lost(Loss::TooBig));
        key.max_frame = Some(9_000);
        let parts = made(&key, &config, codec(&config)).render(&export);
        assert!(messages(&parts).0.len() >= 4);
    }
}

/// Any metrics with short and long names; a long one fits into no frame of the property below.
fn any_metrics() -> impl Strategy<Value = Publication> {
    let metric = (prop::bool::weighted(0.05), 1..30_usize);
    let service = prop::collection::vec(metric, 0..6);
    prop::collection::vec(service, 0..5).prop_map(|services| {
        let long = "x".repeat(3000);
        let services: Vec<Vec<_>> = services
            .into_iter()
            .map(|metrics| {
                let name = |is_long| if is_long { long.as_str() } else { "short" };
                let metrics = metrics.into_iter();
                metrics
                    .map(|(is_long, points)| (name(is_long), points))
                    .collect()
            })
            .collect();
        metrics(&services.iter().map(Vec::as_slice).collect::<Vec<_>>())
    })
}

proptest! {
    /// Scenario: exports of any size and shape, in every format, with a limit of the client's.
    /// Guarantees: each message is within the limit, and an export of its own; together they say
    /// what the whole said, in its order, but for items that fit into none, which are told; parts
    /// are numbered.
    #[test]
    fn parts_are_exports_that_fit(
        export in any_metrics(),
        format in prop::sample::select(Format::ALL.to_vec()),
        envelope in any::<bool>(),
        max_frame in 1024..3000_usize,
    ) {
        let envelope = envelope && format != Format::Protobuf;
        let key = ViewKey { max_frame: Some(max_frame), ..view(format, envelope) };
        let (messages, whole) = messages(&recipe(&key).render(&export));
        let lines = |wire: &[u8]| {
            let text = written(Format::Points, Signal::Metrics, wire);
            let text = String::from_utf8(text).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let expected: Vec<_> = lines(&export.wire)
            .into_iter()
            .filter(|line| line.len() < 3000)
            .collect();
        prop_assert_eq!(whole, expected == lines(&export.wire));
        let mut got = Vec::new();
        let parts = messages.len();
        for (at, (_, message)) in messages.iter().enumerate() {
            prop_assert!(message.len() <= max_frame);
            let mut data = message.to_vec();
            if envelope {
                let mut message: Value = serde_json::from_slice(message).unwrap();
                let numbers = json!([message["part"], message["parts"]]);
                let expected = if parts > 1 { json!([at + 1, parts]) } else { json!([null, null]) };
                prop_assert_eq!(numbers, expected);
                data = match message["data"].take() {
                    Value::Array(points) => points.iter().map(|p| format!("{p}\n")).collect::<String>().into(),
                    data => data.to_string().into(),
                };
            }
            match format {
                Format::Protobuf => got.extend(lines(&data)),
                Format::Points => got.extend(String::from_utf8(data).unwrap().lines().map(str::to_owned)),
                Format::Otlp | Format::ProtoJson => {
                    let request = Request::decode_json(Signal::Metrics, &data, &Limits::default()).unwrap();
                    got.extend(lines(&request.encode_protobuf()));
                }
            }
        }
        let parse = |line: &String| serde_json::from_str::<Value>(line).unwrap();
        let (got, expected): (Vec<_>, Vec<_>) =
            (got.iter().map(parse).collect(), expected.iter().map(parse).collect());
        prop_assert_eq!(got, expected);
    }
}

/// Scenario: an export of many records whose resource is as long as a thousandth of it, as half of
/// it, and as nearly all of it, halved on and on.
/// Guarantees: its pieces never hold more than thrice its length; where that is enough, every
/// record comes out once.
#[test]
fn pieces_of_an_export_hold_a_few_times_its_length() {
    const RECORDS: usize = 1000;
    for (context, all) in [(1 << 11, true), (1 << 20, false), (1 << 23, false)] {
        let attribute = json!({"key": "k", "value": {"stringValue": "v".repeat(context)}});
        let body = json!({"stringValue": "b".repeat(1 << 10)});
        let records: Vec<_> = (0..RECORDS).map(|_| json!({"body": body})).collect();
        let export = publication(
            Signal::Logs,
            &json!({"resourceLogs": [{
                "resource": {"attributes": [attribute]},
                "scopeLogs": [{"logRecords": records}],
            }]}),
        );
        let most = parts::MAX_PIECES * export.wire.len();
        let mut pieces = parts::Pieces::of(&export.wire);
        let mut single = 0;
        while let Some(piece) = pieces.next() {
            let halved = pieces.halve(Signal::Logs, &piece).unwrap();
            single += usize::from(!halved && pieces.may_halve(&piece));
            assert!(pieces.bytes() <= most, "{context}");
        }
        assert_eq!(single == RECORDS, all, "{context}: {single}");
    }
}

/// Scenario: a short export of many items whose resource is longer than a frame may be, and one
/// whose parts are long together.
/// Guarantees: what is tried is a small multiple of its length, and what comes of it is bounded.
#[test]
fn the_work_of_parting_is_bounded() {
    let attribute = json!({"key": "k", "value": {"stringValue": "v".repeat(2000)}});
    let records: Vec<_> = (0..10_000).map(|_| json!({"severityNumber": 1})).collect();
    let export = publication(
        Signal::Logs,
        &json!({"resourceLogs": [{
            "resource": {"attributes": [attribute]},
            "scopeLogs": [{"logRecords": records}],
        }]}),
    );
    let key = ViewKey {
        max_frame: Some(1024),
        ..view(Format::Otlp, false)
    };
    let config = FanoutConfig::default();
    let tried = Arc::new(AtomicUsize::new(0));
    let (count, real) = (Arc::clone(&tried), codec(&config));
    let counting: Writer = Arc::new(move |format, signal, wire, room, out| {
        count.fetch_add(wire.len(), Ordering::Relaxed);
        real(format, signal, wire, room, out)
    });
    let outcome = made(&key, &config, counting).render(&export);
    assert_eq!(outcome, Outcome::Lost(Loss::TooBig));
    let tried = tried.load(Ordering::Relaxed);
    assert!(
        tried <= (parts::MAX_WORK + 1) * export.wire.len(),
        "{tried}"
    );

    let config = FanoutConfig {
        lag_bytes: 5000,
        ..config
    };
    let export = metrics(&[&[("a", 1000)]]);
    let outcome = made(&key, &config, codec(&config)).render(&export);
    let (messages, whole) = messages(&outcome);
    let bytes: usize = messages.iter().map(|(_, message)| message.len()).sum();
    assert!(!whole && bytes > 2500 && bytes <= 5000, "{bytes}");
}
