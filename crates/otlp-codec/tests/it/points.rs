//! Points: the walk against the typed door, and the examples of the documentation.

mod dice;
mod examples;
mod scramble;

use otlp_codec::transcode::{Format, Transcoder};
use otlp_codec::typed::Request;
use otlp_codec::{EncodeError, Limits, Signal};
use proptest::prelude::*;

use crate::support::{SEEDS, mutated};
use dice::Dice;
use scramble::scrambled;

/// What the typed door gives.
fn typed(signal: Signal, wire: &[u8], limits: &Limits) -> Result<String, EncodeError> {
    let mut out = b"kept".to_vec();
    let result = match Request::decode_protobuf(signal, wire, limits) {
        Ok(request) => request.encode_points(limits, &mut out),
        Err(error) => Err(error.into()),
    };
    text_of(result, &out)
}

/// What the walk gives.
fn walked(
    transcoder: &mut Transcoder,
    signal: Signal,
    wire: &[u8],
    limits: &Limits,
) -> Result<String, EncodeError> {
    let mut out = b"kept".to_vec();
    let result = transcoder.write(signal, Format::Points, wire, limits, &mut out);
    text_of(result, &out)
}

/// What was appended; on error, nothing is.
fn text_of(result: Result<(), EncodeError>, out: &[u8]) -> Result<String, EncodeError> {
    let text = str::from_utf8(out).unwrap().strip_prefix("kept").unwrap();
    match result {
        Ok(()) => Ok(text.to_owned()),
        Err(error) => {
            assert_eq!(text, "");
            Err(error)
        }
    }
}

/// One JSON object on each line, one line for each item.
fn assert_lines(text: &str, items: usize) {
    assert!(text.is_empty() || text.ends_with('\n'));
    assert_eq!(text.lines().count(), items);
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(value.is_object(), "{line}");
    }
}

/// Both doors give the same within the limits, and lines as they should be.
fn agree(transcoder: &mut Transcoder, signal: Signal, wire: &[u8], limits: &Limits) {
    if signal == Signal::Profiles {
        let refused = Err(EncodeError::NoPoints { signal });
        assert_eq!(walked(transcoder, signal, wire, limits), refused);
        return;
    }
    let expected = typed(signal, wire, limits);
    assert_eq!(walked(transcoder, signal, wire, limits), expected);
    if let Ok(text) = expected {
        let items = Request::decode_protobuf(signal, wire, limits)
            .unwrap()
            .items();
        assert_lines(&text, items);
    }
}

/// Limits that a request of a few items may reach.
fn limits() -> impl Strategy<Value = Limits> {
    (0_usize..200, 0_u32..24, 0_usize..4000, 0_usize..6).prop_map(
        |(elements, depth, output_bytes, items)| Limits {
            elements,
            depth,
            output_bytes,
            items,
            ..Limits::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    /// Scenario: bytes near a valid request, with limits that it may reach, one after another.
    /// Guarantees: the walk and the typed door accept the same, give the same text, and fail in
    /// the same way; a line for each item.
    #[test]
    fn points_agree_with_typed((signal, wire) in mutated(), tight in limits()) {
        let transcoder = &mut Transcoder::new();
        let output_bytes = tight.output_bytes;
        for limits in [Limits::default(), Limits { output_bytes, ..Limits::default() }, tight] {
            agree(transcoder, signal, &wire, &limits);
        }
    }

    /// Scenario: requests with every kind of item and of value, as an encoder writes them; then
    /// with fields in another order, twice, unpacked, unknown or in groups; then with an output
    /// that is just long enough, and with one that is a byte too short.
    /// Guarantees: as above, and what an encoder writes takes the fast way.
    #[test]
    fn points_of_every_kind_agree_with_typed(seed: u64, tight in limits()) {
        let dice = &mut Dice::new(seed);
        let (signal, wire) = dice.request();
        let transcoder = &mut Transcoder::new();
        agree(transcoder, signal, &wire, &Limits::default());
        prop_assert_eq!(transcoder.fallbacks(), 0);
        for rarity in [2, 10, 60] {
            let odd = scrambled(signal, &wire, rarity, dice);
            agree(transcoder, signal, &odd, &Limits::default());
            agree(transcoder, signal, &odd, &tight);
        }
        let length = walked(transcoder, signal, &wire, &Limits::default()).unwrap().len();
        for output_bytes in [length, length.saturating_sub(1)] {
            agree(transcoder, signal, &wire, &Limits { output_bytes, ..Limits::default() });
        }
    }
}

/// Scenario: one transcoder, many requests one after another, other formats between them.
/// Guarantees: what it remembers of one never shows in another.
#[test]
fn memos_only_save_work() {
    let limits = Limits::default();
    let (transcoder, dice) = (&mut Transcoder::new(), &mut Dice::new(7));
    for _ in 0..4_000 {
        let (signal, wire) = dice.request();
        agree(transcoder, signal, &wire, &limits);
        let mut json = Vec::new();
        let otlp = transcoder.protobuf_to_json(signal, &wire, &limits, &mut json);
        let mut fresh = Vec::new();
        let expected = Transcoder::new().protobuf_to_json(signal, &wire, &limits, &mut fresh);
        assert_eq!((otlp, json), (expected, fresh));
    }
}

/// Scenario: the requests of the vectors, over and over.
/// Guarantees: the walk does them all in one pass, and the buffer that it writes to doesn't grow
/// once it is as long as the longest.
#[test]
fn usual_requests_take_the_fast_way() {
    let limits = Limits::default();
    let mut transcoder = Transcoder::new();
    let mut grown = 0;
    for round in 0..3 {
        for (signal, wire) in SEEDS
            .iter()
            .filter(|(signal, _)| *signal != Signal::Profiles)
        {
            agree(&mut transcoder, *signal, wire, &limits);
        }
        assert_eq!(transcoder.fallbacks(), 0);
        if round == 0 {
            grown = transcoder.scratch_bytes();
        }
        assert_eq!(transcoder.scratch_bytes(), grown);
    }
}

/// Scenario: profiles, a valid request of them, and bytes that are none.
/// Guarantees: there are no points of them, by either door, and nothing is appended.
#[test]
fn there_are_no_points_of_profiles() {
    let (signal, limits) = (Signal::Profiles, Limits::default());
    let (_, wire) = SEEDS.iter().find(|(seed, _)| *seed == signal).unwrap();
    let refused = Err(EncodeError::NoPoints { signal });
    let transcoder = &mut Transcoder::new();
    assert_eq!(typed(signal, wire, &limits), refused);
    assert_eq!(walked(transcoder, signal, wire, &limits), refused);
    assert_eq!(walked(transcoder, signal, &[0xff], &limits), refused);
}

/// Scenario: bad UTF-8 in each text that points leave out.
/// Guarantees: the request is refused, as prost refuses it, with the byte.
#[test]
fn what_is_left_out_is_still_checked() {
    let cases: [(Signal, &[u8], &str); 6] = [
        // schemaUrl of the resource and of the scope.
        (
            Signal::Logs,
            &[10, 3, 26, 1, 0xff],
            "resourceLogs[0].schemaUrl",
        ),
        (
            Signal::Traces,
            &[10, 5, 18, 3, 26, 1, 0xff],
            "resourceSpans[0].scopeSpans[0].schemaUrl",
        ),
        // The type of an entity, and a description key of one.
        (
            Signal::Logs,
            &[10, 7, 10, 5, 26, 3, 18, 1, 0xff],
            "resourceLogs[0].resource.entityRefs[0].type",
        ),
        (
            Signal::Logs,
            &[10, 7, 10, 5, 26, 3, 34, 1, 0xff],
            "resourceLogs[0].resource.entityRefs[0].descriptionKeys[0]",
        ),
        // The description of a metric, and a key of its metadata.
        (
            Signal::Metrics,
            &[10, 7, 18, 5, 18, 3, 18, 1, 0xff],
            "resourceMetrics[0].scopeMetrics[0].metrics[0].description",
        ),
        (
            Signal::Metrics,
            &[10, 9, 18, 7, 18, 5, 98, 3, 10, 1, 0xff],
            "resourceMetrics[0].scopeMetrics[0].metrics[0].metadata[0].key",
        ),
    ];
    for (signal, wire, path) in cases {
        let limits = Limits::default();
        let error = walked(&mut Transcoder::new(), signal, wire, &limits).unwrap_err();
        let EncodeError::Decode(decode) = &error else {
            panic!("{error}")
        };
        assert_eq!(decode.path(), Some(path));
        assert_eq!(typed(signal, wire, &limits), Err(error));
    }
}

/// Scenario: a long resource and very many short spans, and an output that is not to be as long
/// as that gets.
/// Guarantees: a typed error, from both doors; neither holds more than the limit for it.
#[test]
fn a_little_that_becomes_a_lot_is_bounded() {
    let value = [&[0x0a, 0xe8, 0x07], "x".repeat(1000).as_bytes()].concat();
    let attribute = [&[0x0a, 1, b'k', 0x12, 0xeb, 0x07], value.as_slice()].concat();
    let resource = [&[0x0a, 0xf1, 0x07], attribute.as_slice()].concat();
    let spans = [0x12, 0].repeat(10_000);
    let mut envelope = vec![0x0a];
    prost::encoding::encode_varint(resource.len() as u64, &mut envelope);
    envelope.extend_from_slice(&resource);
    envelope.push(0x12);
    prost::encoding::encode_varint(spans.len() as u64, &mut envelope);
    envelope.extend_from_slice(&spans);
    let mut wire = vec![0x0a];
    prost::encoding::encode_varint(envelope.len() as u64, &mut wire);
    wire.extend_from_slice(&envelope);

    let limit = 1 << 20;
    let limits = Limits {
        output_bytes: limit,
        ..Limits::default()
    };
    let transcoder = &mut Transcoder::new();
    let refused = Err(EncodeError::TooLong { limit });
    assert_eq!(walked(transcoder, Signal::Traces, &wire, &limits), refused);
    assert_eq!(typed(Signal::Traces, &wire, &limits), refused);
    assert!(transcoder.scratch_bytes() <= limit);
    let all = walked(transcoder, Signal::Traces, &wire, &Limits::default()).unwrap();
    assert_lines(&all, 10_000);
}
