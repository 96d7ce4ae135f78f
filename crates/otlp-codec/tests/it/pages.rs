//! Output that is written over what is there, beside output that is appended.

use otlp_codec::transcode::{Format, Transcoder};
use otlp_codec::{Limits, Signal};
use proptest::prelude::*;

use super::support::{SEEDS, mutated};

const FORMATS: [Format; 3] = [Format::Otlp, Format::ProtoJson, Format::Points];

/// Holds what is written over a page to what is appended.
fn compare(
    transcoder: &mut Transcoder,
    (signal, wire): &(Signal, Vec<u8>),
    format: Format,
    limits: &Limits,
    before: &[u8],
    at: usize,
) {
    let mut page = before.to_vec();
    let over = transcoder.write_over(*signal, format, wire, limits, &mut page, at);
    let mut out = Vec::new();
    let appended = transcoder.write(*signal, format, wire, limits, &mut out);
    assert_eq!(page[..at], before[..at]);
    assert_eq!(over.clone().map(drop), appended);
    if let Ok(end) = over {
        assert!(page[at..end] == out);
    }
}

proptest! {
    /// Scenario: requests of the vectors and near them, written over pages of any length, with
    /// anything in them, from anywhere on, under limits of output that are short or not.
    /// Guarantees: what is appended elsewhere, or the same error; what stands before is as it was.
    #[test]
    fn pages_change_nothing(
        request in mutated(),
        format in prop::sample::select(FORMATS.to_vec()),
        output_bytes in prop_oneof![Just(Limits::default().output_bytes), 0..1000_usize],
        pages in prop::collection::vec((0..3000_usize, any::<u8>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let limits = Limits { output_bytes, ..Limits::default() };
        let mut transcoder = Transcoder::new();
        for (length, byte, at) in pages {
            let at = at.index(length + 1);
            compare(&mut transcoder, &request, format, &limits, &vec![byte; length], at);
        }
    }
}

/// Scenario: every vector, over a page that has exactly the room, a byte less, none, and twice it.
/// Guarantees: the same text; a page that is long enough stays as long as it is.
#[test]
fn room_makes_no_difference() {
    let limits = Limits::default();
    let mut transcoder = Transcoder::new();
    for request in SEEDS.iter() {
        for format in FORMATS {
            let mut out = Vec::new();
            let written = transcoder.write(request.0, format, &request.1, &limits, &mut out);
            if written.is_err() {
                continue;
            }
            for room in [out.len(), out.len().saturating_sub(1), 0, 2 * out.len() + 1] {
                let mut page = vec![b'?'; 7 + room];
                compare(&mut transcoder, request, format, &limits, &page, 7);
                let end =
                    transcoder.write_over(request.0, format, &request.1, &limits, &mut page, 7);
                assert_eq!(end, Ok(7 + out.len()));
                assert!(room < out.len().max(1) || page.len() == 7 + room);
            }
        }
    }
}
