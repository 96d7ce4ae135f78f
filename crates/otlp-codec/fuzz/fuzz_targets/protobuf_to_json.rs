//! Transcoding against prost and the typed door: the same verdict and the same JSON value, which
//! reads back to the same message; as points, the same text; in protobuf's own JSON mapping, a value
//! of the same shape. One transcoder serves all inputs, so that what it remembers of one is held
//! against the next.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use otlp_codec::transcode::{Format, Transcoder};
use otlp_codec::typed::{Request, protobuf_to_json};
use otlp_codec::{EncodeError, Limits, Signal};
use serde_json::Value;

thread_local! {
    static TRANSCODER: RefCell<Transcoder> = const { RefCell::new(Transcoder::new()) };
}

/// The bit of the first byte that asks for points.
const POINTS: u8 = 0x80;
/// The bit that asks for protobuf's own JSON mapping.
const PROTO_JSON: u8 = 0x40;
/// The bits between those and the signal choose limits that inputs can reach; none, the default.
const LIMITS: u8 = 0x3c;

fuzz_target!(|input: &[u8]| {
    let Some((first, wire)) = input.split_first() else {
        return;
    };
    let signal = Signal::ALL[usize::from(*first) % Signal::ALL.len()];
    let limits = match first & LIMITS {
        0 => Limits::default(),
        bits => Limits {
            depth: u32::from(bits) / 2,
            elements: bits.into(),
            ..Limits::default()
        },
    };
    if first & POINTS != 0 {
        return points(signal, wire, &limits);
    }
    if first & PROTO_JSON != 0 {
        return proto_json(signal, wire, &limits);
    }
    let (mut typed, mut walked) = (Vec::new(), Vec::new());
    let expected = protobuf_to_json(signal, wire, &limits, &mut typed);
    let got = TRANSCODER.with_borrow_mut(|transcoder| {
        transcoder.protobuf_to_json(signal, wire, &limits, &mut walked)
    });
    assert_eq!(got, expected);
    if got.is_ok() {
        let value = |text: &[u8]| serde_json::from_slice::<Value>(text).expect("JSON");
        assert_eq!(value(&walked), value(&typed));
        let read = Request::decode_json(signal, &walked, &limits).expect("our own JSON");
        let sent = Request::decode_protobuf(signal, wire, &limits).expect("as before");
        if has_ambiguous_id(&sent) {
            return;
        }
        // `Debug`, where NaN equals NaN.
        assert_eq!(format!("{read:?}"), format!("{sent:?}"));
    }
});

/// The verdict is that of the typed door, and the text is one JSON value, of the shape that OTLP
/// JSON has: they differ in how values are written, not in which there are.
fn proto_json(signal: Signal, wire: &[u8], limits: &Limits) {
    let (mut typed, mut walked) = (Vec::new(), Vec::new());
    let expected = protobuf_to_json(signal, wire, limits, &mut typed);
    let got = TRANSCODER.with_borrow_mut(|transcoder| {
        transcoder.write(signal, Format::ProtoJson, wire, limits, &mut walked)
    });
    assert_eq!(got, expected);
    if got.is_ok() {
        let value = |text: &[u8]| serde_json::from_slice::<Value>(text).expect("JSON");
        same_shape(&value(&walked), &value(&typed));
    }
}

fn same_shape(one: &Value, other: &Value) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            assert!(one.keys().eq(other.keys()), "{one:?} {other:?}");
            one.values()
                .zip(other.values())
                .for_each(|(one, other)| same_shape(one, other));
        }
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len());
            one.iter()
                .zip(other)
                .for_each(|(one, other)| same_shape(one, other));
        }
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => {
            panic!("{one} {other}");
        }
        _ => {}
    }
}

/// The doors give the same text: a line for each item, each one JSON object.
fn points(signal: Signal, wire: &[u8], limits: &Limits) {
    let (mut typed, mut walked) = (Vec::new(), Vec::new());
    let got = TRANSCODER.with_borrow_mut(|transcoder| {
        transcoder.write(signal, Format::Points, wire, limits, &mut walked)
    });
    if signal == Signal::Profiles {
        return assert_eq!(got, Err(EncodeError::NoPoints { signal }));
    }
    let request = Request::decode_protobuf(signal, wire, limits).map_err(EncodeError::from);
    let items = request.as_ref().map_or(0, Request::items);
    assert_eq!(
        got,
        request.and_then(|request| request.encode_points(limits, &mut typed))
    );
    assert_eq!(
        String::from_utf8_lossy(&walked),
        String::from_utf8_lossy(&typed)
    );
    let lines = walked.split_inclusive(|byte| *byte == b'\n');
    let objects = lines.map(|line| serde_json::from_slice::<Value>(line).expect("JSON"));
    assert_eq!(objects.filter(Value::is_object).count(), items);
}

/// Whether there is a profile id of 24 bytes: in base64 that may look like 32 hex digits.
fn has_ambiguous_id(request: &Request) -> bool {
    let Request::Profiles(request) = request else {
        return false;
    };
    let scopes = request
        .resource_profiles
        .iter()
        .flat_map(|resource| &resource.scope_profiles);
    scopes
        .flat_map(|scope| &scope.profiles)
        .any(|profile| profile.profile_id.len() == 24)
}
