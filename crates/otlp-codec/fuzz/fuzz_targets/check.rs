//! The check against the typed door: the same verdict and the same number of items.

#![no_main]

use libfuzzer_sys::fuzz_target;
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal, check::check};

fuzz_target!(|input: &[u8]| {
    let Some((first, wire)) = input.split_first() else {
        return;
    };
    let signal = Signal::ALL[usize::from(*first) % Signal::ALL.len()];
    // The other bits choose limits that inputs can reach.
    let limits = match first >> 2 {
        0 => Limits::default(),
        bits => Limits {
            depth: u32::from(bits),
            elements: usize::from(bits) * 4,
            ..Limits::default()
        },
    };
    let expected = Request::decode_protobuf(signal, wire, &limits)
        .and_then(|request| request.check_ids().map(|()| request.items()));
    let checked = check(signal, wire, &limits);
    let got = checked.clone().and_then(|checked| match checked.refusal() {
        Some(refusal) => Err(refusal),
        None => Ok(checked.items),
    });
    assert_eq!(got, expected);
    if let Ok(checked) = checked {
        let left = checked.items - checked.refused().len();
        let rest = checked.retain();
        let again = check(signal, &rest, &Limits::default()).expect("a part of a request");
        assert_eq!((again.items, again.refused().len()), (left, 0));
        Request::decode_protobuf(signal, &rest, &Limits::default()).expect("as before");
    }
});
