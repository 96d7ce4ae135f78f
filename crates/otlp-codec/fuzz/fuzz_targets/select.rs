//! Filters over the bytes against filters over the tree: the same is left. The input begins with
//! the clauses of a filter, one a line, and an empty line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use otlp_codec::select::{Filter, Selected};
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal};

fuzz_target!(|input: &[u8]| {
    let Some((first, input)) = input.split_first() else {
        return;
    };
    let signal = Signal::ALL[usize::from(*first) % Signal::ALL.len()];
    let Some(end) = input.windows(2).position(|pair| pair == b"\n\n") else {
        return;
    };
    let (Ok(clauses), wire) = (std::str::from_utf8(&input[..end]), &input[end + 2..]) else {
        return;
    };
    let mut filter = Filter::new();
    for (name, value) in clauses.lines().filter_map(|line| line.split_once('=')) {
        // A filter that is full stays as it is.
        let _ = filter.add_clause(name, value);
    }
    let selector = filter.compile();
    // The other bits of the first byte choose limits that inputs can reach.
    let limits = match first >> 2 {
        0 => Limits::default(),
        bits => Limits {
            depth: u32::from(bits),
            elements: usize::from(bits) * 4,
            ..Limits::default()
        },
    };
    let mut out = Vec::new();
    let selected = selector.select(signal, wire, &limits, &mut out);
    let Ok(mut request) = Request::decode_protobuf(signal, wire, &limits) else {
        return;
    };
    let left = request.select(&selector);
    let rest = match selected.expect("the typed door accepts it") {
        Selected::Nothing => {
            assert!(!left && out.is_empty());
            return;
        }
        Selected::Whole => wire,
        Selected::Part => &out,
    };
    assert!(left);
    let rest =
        Request::decode_protobuf(signal, rest, &Limits::default()).expect("a part of a request");
    // `Debug`, where NaN equals NaN.
    assert_eq!(format!("{rest:?}"), format!("{request:?}"));
});
