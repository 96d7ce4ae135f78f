//! Reading JSON without a tree against the typed door: the same verdict, the same message. One
//! reader serves all inputs.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use otlp_codec::from_json::JsonReader;
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal};

thread_local! {
    static READER: RefCell<JsonReader> = RefCell::new(JsonReader::new());
}

fuzz_target!(|input: &[u8]| {
    let Some((first, json)) = input.split_first() else {
        return;
    };
    let signal = Signal::ALL[usize::from(*first) % Signal::ALL.len()];
    let limits = match first >> 2 {
        0 => Limits::default(),
        bits => Limits {
            depth: u32::from(bits),
            elements: usize::from(bits) * 4,
            ..Limits::default()
        },
    };
    let mut wire = Vec::new();
    let expected = Request::decode_json(signal, json, &limits);
    let got =
        READER.with_borrow_mut(|reader| reader.json_to_protobuf(signal, json, &limits, &mut wire));
    READER.with_borrow(|reader| assert_eq!(reader.fallbacks(), 0, "a tree was needed"));
    match expected {
        Ok(expected) => {
            got.expect("the typed door accepts it");
            let read = Request::decode_protobuf(signal, &wire, &Limits::default());
            // `Debug`, where NaN equals NaN.
            assert_eq!(
                format!("{:?}", read.expect("our own protobuf")),
                format!("{expected:?}")
            );
        }
        Err(expected) => assert_eq!(got, Err(expected)),
    }
});
