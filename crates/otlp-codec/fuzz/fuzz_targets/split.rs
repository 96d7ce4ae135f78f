//! Parting a request in two: each half is one that the check accepts, and together they hold the
//! items of the whole, in its order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal, check::check, split};

fuzz_target!(|input: &[u8]| {
    let Some((first, wire)) = input.split_first() else {
        return;
    };
    let signal = Signal::ALL[usize::from(*first) % Signal::ALL.len()];
    let limits = Limits::default();
    if check(signal, wire, &limits).is_err() {
        // It may notice or not, but must come to an end.
        let _ = split::halves(signal, wire);
        return;
    }
    let whole = items(signal, wire);
    let halves = split::halves(signal, wire).expect("the check accepts it");
    let Some([one, other]) = halves else {
        return assert!(whole.len() < 2, "{whole:?}");
    };
    for half in [&one, &other] {
        check(signal, half, &limits).expect("a part of a request");
    }
    assert_eq!([items(signal, &one), items(signal, &other)].concat(), whole);
});

/// Each item of a request, as `Debug` writes it, where NaN equals NaN. The points of a metric are
/// lines of JSON, since what stands around them is repeated; a metric without points is none.
fn items(signal: Signal, wire: &[u8]) -> Vec<String> {
    let request = Request::decode_protobuf(signal, wire, &Limits::default()).expect("checked");
    if let Request::Profiles(request) = &request {
        let scopes = request
            .resource_profiles
            .iter()
            .flat_map(|resource| &resource.scope_profiles);
        return scopes
            .flat_map(|scope| &scope.profiles)
            .map(|item| format!("{item:?}"))
            .collect();
    }
    let mut lines = Vec::new();
    request
        .encode_points(&Limits::default(), &mut lines)
        .expect("short enough");
    String::from_utf8(lines)
        .expect("JSON")
        .lines()
        .map(str::to_owned)
        .collect()
}
