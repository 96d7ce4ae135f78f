//! Requests with every kind and field of the schema, written in every way that protobuf allows.
//!
//! [`generate`] draws them from the descriptors of `proto/`, so that no field can be forgotten,
//! and [`oracle`] says what they mean: prost-reflect, which has no part in the codec.

mod coverage;
mod generate;
mod json;
mod mutate;
mod oracle;
mod records;
mod schema;
mod shrink;
mod values;

use otlp_codec::check::check;
use otlp_codec::from_json::JsonReader;
use otlp_codec::transcode::{Format, Transcoder};
use otlp_codec::typed::{Request, protobuf_to_json};
use otlp_codec::{DecodeError, EncodeError, Limits, Signal};
use proptest::prelude::*;

use generate::Flavour;
use json::{canonical, parse};
use mutate::mutations;
use shrink::Case;

/// Requests as encoders write them, with values at every edge.
fn orderly() -> impl Strategy<Value = Case> {
    Flavour {
        unruly: false,
        odd_ids: false,
    }
}

/// Requests of both kinds.
fn any_request() -> impl Strategy<Value = Case> {
    let flavour = |unruly, odd_ids| Flavour { unruly, odd_ids };
    prop_oneof![
        flavour(false, false),
        flavour(true, false),
        flavour(true, true),
    ]
}

fn typed_json(signal: Signal, wire: &[u8]) -> Result<String, EncodeError> {
    let mut out = Vec::new();
    protobuf_to_json(signal, wire, &Limits::default(), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn transcoded(
    transcoder: &mut Transcoder,
    signal: Signal,
    wire: &[u8],
) -> Result<String, EncodeError> {
    let mut out = Vec::new();
    transcoder.protobuf_to_json(signal, wire, &Limits::default(), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// The items that the check door counts, or why it refuses the request or an item of it.
fn checked(signal: Signal, wire: &[u8]) -> Result<usize, DecodeError> {
    let checked = check(signal, wire, &Limits::default())?;
    checked.refusal().map_or(Ok(checked.items), Err)
}

/// The one text of JSON; see [`json`].
fn value(text: &str) -> String {
    canonical(parse(text))
}

/// OTLP JSON as prost-reflect writes it, but for what OTLP does differently.
fn oracle_json(signal: Signal, wire: &[u8]) -> String {
    let json = oracle::protojson(signal, wire);
    canonical(oracle::otlp_json(schema::request(signal), json))
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 50_000, ..ProptestConfig::default() })]

    /// Scenario: any request.
    /// Guarantees: the typed door accepts it, and has read what prost-reflect reads: written
    /// again, both are the same bytes.
    #[test]
    fn typed_reads_what_reflection_reads(case in any_request()) {
        let wire = case.wire();
        let request = Request::decode_protobuf(case.signal, &wire, &Limits::default()).unwrap();
        let again = request.encode_protobuf();
        let [ours, oracle] = [&again, &wire].map(|wire| oracle::rewritten(case.signal, wire));
        prop_assert_eq!(ours, oracle);
    }

    /// Scenario: any request, through one transcoder three times: it remembers what comes a second
    /// time, and says it again the third.
    /// Guarantees: the JSON of the typed door, to the last digit and with no member twice.
    #[test]
    fn transcode_gives_the_json_of_typed(case in any_request()) {
        let wire = case.wire();
        let typed = value(&typed_json(case.signal, &wire).unwrap());
        let mut transcoder = Transcoder::new();
        for _ in 0..3 {
            let walked = transcoded(&mut transcoder, case.signal, &wire).unwrap();
            prop_assert_eq!(&value(&walked), &typed);
        }
    }

    /// Scenario: requests as encoders write them.
    /// Guarantees: the walk does them without the typed door, and so does the way back.
    #[test]
    fn orderly_requests_take_the_fast_ways(case in orderly()) {
        let wire = case.wire();
        let mut transcoder = Transcoder::new();
        let json = transcoded(&mut transcoder, case.signal, &wire).unwrap();
        prop_assert_eq!(transcoder.fallbacks(), 0);
        let mut reader = JsonReader::new();
        let limits = Limits::default();
        reader.json_to_protobuf(case.signal, json.as_bytes(), &limits, &mut Vec::new()).unwrap();
        prop_assert_eq!(reader.fallbacks(), 0);
    }

    /// Scenario: any request.
    /// Guarantees: its JSON is ProtoJSON as prost-reflect writes it, but for hex ids and the
    /// numbers of enums.
    #[test]
    fn json_is_protojson_with_the_deviations_of_otlp(case in any_request()) {
        let wire = case.wire();
        let typed = value(&typed_json(case.signal, &wire).unwrap());
        prop_assert_eq!(typed, oracle_json(case.signal, &wire));
    }

    /// Scenario: any request, as ProtoJSON.
    /// Guarantees: what prost-reflect writes.
    #[test]
    fn protojson_is_what_reflection_writes(case in any_request()) {
        let wire = case.wire();
        let (limits, mut out) = (Limits::default(), Vec::new());
        let mut transcoder = Transcoder::new();
        transcoder.write(case.signal, Format::ProtoJson, &wire, &limits, &mut out).unwrap();
        let expected = canonical(oracle::protojson(case.signal, &wire));
        prop_assert_eq!(value(str::from_utf8(&out).unwrap()), expected);
    }

    /// Scenario: any request, whose order the check door may have to change.
    /// Guarantees: what it was brought to means the same, to the last bit.
    #[test]
    fn the_usual_form_means_the_same(case in any_request()) {
        let wire = case.wire();
        let Ok(checked) = check(case.signal, &wire, &Limits::default()) else {
            // The table of links of a profile: see `check_agrees_with_typed`.
            return Ok(());
        };
        let [usual, given] = [checked.wire(), &wire].map(|wire| {
            let json = canonical(oracle::protojson(case.signal, wire));
            (json, oracle::rewritten(case.signal, wire))
        });
        prop_assert_eq!(usual, given);
    }

    /// Scenario: any request, to JSON and back through one reader twice.
    /// Guarantees: it comes back as it was, for prost-reflect and for the typed door; only
    /// not-a-numbers lose their payload, and profile ids of 24 bytes may be taken for others.
    #[test]
    fn protobuf_survives_json(case in any_request()) {
        let wire = case.wire();
        let expected = oracle::protojson(case.signal, &wire);
        prop_assume!(!oracle::has_ambiguous_id(&expected));
        let expected = canonical(expected);
        let limits = Limits::default();
        let json = transcoded(&mut Transcoder::new(), case.signal, &wire).unwrap();
        let typed = Request::decode_json(case.signal, json.as_bytes(), &limits).unwrap();
        let mut reader = JsonReader::new();
        for _ in 0..2 {
            let mut again = Vec::new();
            reader.json_to_protobuf(case.signal, json.as_bytes(), &limits, &mut again).unwrap();
            // All of a request is in its JSON, and nothing but the payload of a NaN is not.
            prop_assert_eq!(&canonical(oracle::protojson(case.signal, &again)), &expected);
            let again = Request::decode_protobuf(case.signal, &again, &limits).unwrap();
            // As text, where NaN equals NaN and -0.0 differs from 0.0.
            prop_assert_eq!(format!("{again:?}"), format!("{typed:?}"));
        }
    }

    /// Scenario: any request, some with ids of wrong lengths.
    /// Guarantees: the check door says what the typed door says, and counts the items that
    /// prost-reflect counts.
    #[test]
    fn check_agrees_with_typed(case in any_request()) {
        let wire = case.wire();
        let limits = Limits::default();
        let request = Request::decode_protobuf(case.signal, &wire, &limits).unwrap();
        let items = oracle::items(&oracle::decode(case.signal, &wire).unwrap());
        prop_assert_eq!(request.items(), items);
        prop_assert_eq!(checked(case.signal, &wire), request.check_ids().map(|()| items));
    }

    /// Scenario: any request with one thing wrong: a bit, a byte more or less, a length, a tag.
    /// Guarantees: all doors and prost-reflect accept the same and read the same, and the doors
    /// refuse with the same error; none panics.
    #[test]
    fn all_agree_on_a_broken_request(case in any_request(), mutation in mutations()) {
        let wire = mutation.apply(&case);
        let limits = Limits::default();
        let request = Request::decode_protobuf(case.signal, &wire, &limits);
        let items = request.clone().and_then(|request| {
            request.check_ids().map(|()| request.items())
        });
        prop_assert_eq!(checked(case.signal, &wire), items);
        let typed = typed_json(case.signal, &wire).map(|json| value(&json));
        let walked = transcoded(&mut Transcoder::new(), case.signal, &wire);
        prop_assert_eq!(walked.map(|json| value(&json)), typed.clone());
        prop_assert_eq!(request.is_ok(), oracle::decode(case.signal, &wire).is_ok());
        if let Ok(typed) = typed {
            prop_assert_eq!(typed, oracle_json(case.signal, &wire));
        }
    }
}
