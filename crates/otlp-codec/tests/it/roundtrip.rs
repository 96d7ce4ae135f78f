//! Messages at random: both encodings agree, and the limits refuse nothing that prost takes.

use std::sync::LazyLock;

use otlp_codec::typed::{Request, protobuf_to_json};
use otlp_codec::{DecodeError, Limits, Signal};
use proptest::prelude::*;
use proptest::sample::Index;

/// The requests of the vectors, as protobuf: every kind of field is in some of them.
static SEEDS: LazyLock<Vec<(Signal, Vec<u8>)>> = LazyLock::new(|| {
    include_str!("../data/otlp-json-vectors.jsonl")
        .lines()
        .filter_map(|line| {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            let signal = Signal::ALL
                .into_iter()
                .find(|s| s.as_str() == vector["signal"])?;
            let hex = vector["expected_pb_hex"].as_str()?.as_bytes();
            let digits = hex
                .chunks_exact(2)
                .map(|pair| str::from_utf8(pair).unwrap());
            Some((
                signal,
                digits
                    .map(|pair| u8::from_str_radix(pair, 16).unwrap())
                    .collect(),
            ))
        })
        .collect()
});

/// A seed with some of its bytes changed, taken out, doubled or followed by another seed's.
fn mutated() -> impl Strategy<Value = (Signal, Vec<u8>)> {
    let edit = (any::<Index>(), 0_u8..4, any::<u8>());
    (
        any::<Index>(),
        any::<Index>(),
        prop::collection::vec(edit, 0..6),
        any::<bool>(),
    )
        .prop_map(|(seed, other, edits, append)| {
            let (signal, mut wire) = seed.get(&SEEDS).clone();
            if append {
                wire.extend_from_slice(&other.get(&SEEDS).1);
            }
            for (at, kind, byte) in edits {
                if wire.is_empty() {
                    break;
                }
                let at = at.index(wire.len());
                match kind {
                    0 => wire[at] = byte,
                    1 => wire[at] ^= 1 << (byte % 8),
                    2 => drop(wire.remove(at)),
                    _ => wire.insert(at, byte),
                }
            }
            (signal, wire)
        })
}

/// `Debug` text, where NaN equals NaN and -0.0 differs from 0.0.
fn same(a: &Request, b: &Request) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

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
