//! Requests to test with: those of the vectors, and bytes near them.

use std::sync::LazyLock;

use otlp_codec::Signal;
use proptest::prelude::*;
use proptest::sample::Index;

/// The requests of the vectors, as protobuf: every kind of field is in some of them.
pub(crate) static SEEDS: LazyLock<Vec<(Signal, Vec<u8>)>> = LazyLock::new(|| {
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
pub(crate) fn mutated() -> impl Strategy<Value = (Signal, Vec<u8>)> {
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
