//! Messages at random: both encodings agree, and the limits refuse nothing that prost takes.

use std::io::Read;

use flate2::read::GzDecoder;
use otlp_codec::check::check;
use otlp_codec::proto::collector::logs::v1::ExportLogsServiceRequest;
use otlp_codec::proto::collector::metrics::v1::ExportMetricsServiceRequest;
use otlp_codec::proto::collector::profiles::v1development::ExportProfilesServiceRequest;
use otlp_codec::proto::collector::trace::v1::ExportTraceServiceRequest;
use otlp_codec::transcode::Transcoder;
use otlp_codec::typed::{Request, protobuf_to_json};
use otlp_codec::{DecodeError, Limits, Signal};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use prost::Message as _;

use crate::support::{SEEDS, mutated};

/// `Debug` text, where NaN equals NaN and -0.0 differs from 0.0.
pub(crate) fn same(a: &Request, b: &Request) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    /// Scenario: bytes near a valid request.
    /// Guarantees: accepted is exactly what prost accepts, though the outline is judged before.
    #[test]
    fn prost_has_the_last_word((signal, wire) in mutated()) {
        let wire = wire.as_slice();
        let prost = match signal {
            Signal::Metrics => ExportMetricsServiceRequest::decode(wire).map(Request::Metrics),
            Signal::Traces => ExportTraceServiceRequest::decode(wire).map(Request::Traces),
            Signal::Logs => ExportLogsServiceRequest::decode(wire).map(Request::Logs),
            Signal::Profiles => ExportProfilesServiceRequest::decode(wire).map(Request::Profiles),
        };
        match (prost, Request::decode_protobuf(signal, wire, &Limits::default())) {
            (Ok(prost), Ok(ours)) => prop_assert!(same(&prost, &ours)),
            (Err(_), Err(_)) => {}
            (prost, ours) => prop_assert!(false, "prost {prost:?}, ours {ours:?}"),
        }
    }

    /// Scenario: bytes near a valid request.
    /// Guarantees: what prost accepts is written as JSON that reads back to the same message;
    /// what is refused is refused as malformed and not by a limit, which none of them reaches.
    #[test]
    fn protobuf_survives_json((signal, wire) in mutated()) {
        let limits = Limits::default();
        match Request::decode_protobuf(signal, &wire, &limits) {
            Ok(request) => {
                let mut json = Vec::new();
                protobuf_to_json(signal, &wire, &limits, &mut json).unwrap();
                let again = Request::decode_json(signal, &json, &limits).unwrap();
                prop_assert!(same(&request, &again), "{}", String::from_utf8_lossy(&json));
                prop_assert_eq!(request.items(), again.items());
            }
            Err(error) => prop_assert!(matches!(error, DecodeError::Protobuf(_)), "{error}"),
        }
    }

    /// Scenario: bytes near a valid request, with limits that it may reach.
    /// Guarantees: the walk and the typed door accept the same, give the same JSON value, and
    /// fail in the same way; on error the buffer is as it was.
    #[test]
    fn transcode_agrees_with_typed(
        (signal, wire) in mutated(),
        elements in 0_usize..200,
        depth in 0_u32..101,
        output_bytes in 0_usize..4000,
    ) {
        for limits in [Limits::default(), Limits { elements, depth, output_bytes, ..Limits::default() }] {
            let (mut typed, mut walked) = (b"kept".to_vec(), b"kept".to_vec());
            let expected = protobuf_to_json(signal, &wire, &limits, &mut typed);
            let got = Transcoder::new().protobuf_to_json(signal, &wire, &limits, &mut walked);
            prop_assert_eq!(&got, &expected);
            let value = |text: &[u8]| -> serde_json::Value {
                text.strip_prefix(b"kept").map(|text| match text {
                    b"" => serde_json::Value::Null,
                    text => serde_json::from_slice(text).unwrap(),
                }).unwrap()
            };
            prop_assert_eq!(value(&walked), value(&typed));
        }
    }

    /// Scenario: bytes near a valid request, with limits that it may reach.
    /// Guarantees: the check accepts what the typed door accepts, counts the same items, and
    /// fails in the same way.
    #[test]
    fn check_agrees_with_typed(
        (signal, wire) in mutated(),
        elements in 0_usize..200,
        depth in 0_u32..101,
    ) {
        for limits in [Limits::default(), Limits { elements, depth, ..Limits::default() }] {
            let expected = Request::decode_protobuf(signal, &wire, &limits)
                .and_then(|request| request.check_ids().map(|()| request.items()));
            let got = check(signal, &wire, &limits).and_then(|checked| match checked.refusal() {
                Some(refusal) => Err(refusal),
                None => Ok(checked.items),
            });
            prop_assert_eq!(got, expected);
        }
    }

    /// Scenario: bytes near a valid request, with limits that it may reach.
    /// Guarantees: a limit never makes an error of another kind, and reading twice agrees.
    #[test]
    fn limits_only_refuse((signal, wire) in mutated(), elements in 0_usize..12, depth in 0_u32..12) {
        let limits = Limits { elements, depth, ..Limits::default() };
        let free = Request::decode_protobuf(signal, &wire, &Limits::default());
        match Request::decode_protobuf(signal, &wire, &limits) {
            Ok(request) => prop_assert!(same(&request, &free.unwrap())),
            Err(DecodeError::TooManyElements { limit }) => prop_assert_eq!(limit, elements),
            Err(DecodeError::TooDeep { limit }) => prop_assert_eq!(limit, depth),
            Err(error) => prop_assert_eq!(Err(error), free),
        }
    }
}

/// Scenario: exports as SDKs and Collectors write them, and the requests of the vectors.
/// Guarantees: the walk does them all without the typed door, whose JSON value it gives.
#[test]
fn usual_exports_take_the_fast_way() {
    let payloads = [
        include_bytes!("../../benches/data/S.pb.gz").as_slice(),
        include_bytes!("../../benches/data/M.pb.gz"),
        include_bytes!("../../benches/data/H.pb.gz"),
    ];
    let payloads = payloads.map(|gz| {
        let mut wire = Vec::new();
        GzDecoder::new(gz).read_to_end(&mut wire).unwrap();
        (Signal::Metrics, wire)
    });
    let limits = Limits::default();
    let mut transcoder = Transcoder::new();
    for (signal, wire) in payloads.iter().chain(SEEDS.iter()) {
        let (mut typed, mut walked) = (Vec::new(), Vec::new());
        protobuf_to_json(*signal, wire, &limits, &mut typed).unwrap();
        transcoder
            .protobuf_to_json(*signal, wire, &limits, &mut walked)
            .unwrap();
        let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&walked), value(&typed));
        assert_eq!(
            transcoder.fallbacks(),
            0,
            "{}",
            String::from_utf8_lossy(&typed)
        );
    }
}

/// Scenario: one transcoder, many requests one after another, changed ones among them.
/// Guarantees: what it remembers of one never shows in another.
#[test]
fn memos_only_save_work() {
    let limits = Limits::default();
    let mut transcoder = Transcoder::new();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..20_000 {
        let (signal, wire) = mutated().new_tree(&mut runner).unwrap().current();
        let (mut fresh, mut used) = (Vec::new(), Vec::new());
        let expected = Transcoder::new().protobuf_to_json(signal, &wire, &limits, &mut fresh);
        let got = transcoder.protobuf_to_json(signal, &wire, &limits, &mut used);
        assert_eq!((got, used), (expected, fresh));
    }
}
