//! Requests in two: nothing is lost, nothing comes twice, each half says all of what it holds.

use otlp_codec::check::check;
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal, split};
use proptest::prelude::*;

use crate::every_field::any_request;
use crate::support::{SEEDS, mutated};

/// Halves until nothing can be parted: the pieces, in order.
fn crumbs(signal: Signal, wire: &[u8]) -> Vec<Vec<u8>> {
    let (mut crumbs, mut left) = (Vec::new(), vec![wire.to_vec()]);
    while let Some(piece) = left.pop() {
        match split::halves(signal, &piece).unwrap() {
            Some([one, other]) => left.extend([other, one]),
            None => crumbs.push(piece),
        }
    }
    crumbs
}

/// What a request says of its items, each for itself: its points, or for profiles, which have
/// none, the profiles with what stands around them.
fn items(signal: Signal, wire: &[u8]) -> Vec<String> {
    let limits = Limits::default();
    let request = Request::decode_protobuf(signal, wire, &limits).unwrap();
    if let Request::Profiles(request) = request {
        let resources = request.resource_profiles.iter();
        let items = resources.flat_map(|resource| {
            resource.scope_profiles.iter().flat_map(move |scope| {
                scope.profiles.iter().map(move |profile| {
                    let (resource, scope) = (&resource.resource, &scope.scope);
                    format!("{resource:?} {scope:?} {profile:?}")
                })
            })
        });
        return items
            .map(|item| format!("{item} {:?}", request.dictionary))
            .collect();
    }
    let mut lines = Vec::new();
    request.encode_points(&limits, &mut lines).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    lines.lines().map(str::to_owned).collect()
}

/// Parts a request that is accepted, as far as it goes.
fn parts(signal: Signal, wire: &[u8]) -> Result<usize, TestCaseError> {
    let limits = Limits::default();
    if check(signal, wire, &limits).is_err() {
        // It may be noticed or not.
        let _ = split::halves(signal, wire);
        return Ok(0);
    }
    let crumbs = crumbs(signal, wire);
    let of_crumbs: Vec<_> = crumbs.iter().map(|wire| items(signal, wire)).collect();
    prop_assert!(
        of_crumbs.iter().all(|items| items.len() <= 1),
        "{of_crumbs:?}"
    );
    prop_assert_eq!(of_crumbs.concat(), items(signal, wire));
    Ok(crumbs.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    /// Scenario: bytes near a valid request, parted again and again.
    /// Guarantees: each piece is a request; none holds more than one item; together they say of
    /// their items what the whole did, in its order.
    #[test]
    fn nothing_is_lost_or_comes_twice((signal, wire) in mutated()) {
        parts(signal, &wire)?;
    }

    /// Scenario: requests with every field, in pieces and in any order.
    /// Guarantees: as above.
    #[test]
    fn every_field_stays_with_its_item(case in any_request()) {
        parts(case.signal, &case.wire())?;
    }
}

/// Scenario: all vectors of a signal in one request, parted once.
/// Guarantees: there are many pieces, so the properties above show something; the first parting is
/// near the middle.
#[test]
fn halves_are_about_as_long() {
    for signal in [Signal::Metrics, Signal::Traces, Signal::Logs] {
        let of_signal = SEEDS
            .iter()
            .filter(|(of, wire)| *of == signal && check(signal, wire, &Limits::default()).is_ok());
        let wires: Vec<_> = of_signal.map(|(_, wire)| wire.clone()).collect();
        let whole = wires.concat();
        let pieces = parts(signal, &whole).unwrap();
        let [one, other] = split::halves(signal, &whole).unwrap().unwrap();
        assert!(pieces > 10, "{signal}: {pieces}");
        let (short, long) = (one.len().min(other.len()), one.len().max(other.len()));
        assert!(long < 4 * short, "{signal}: {short} {long}");
    }
}

/// Scenario: three profiles of one scope, with a dictionary.
/// Guarantees: each piece has one of them, and all of the dictionary.
#[test]
fn profiles_keep_their_dictionary() {
    let text = r#"{"resourceProfiles":[{"scopeProfiles":[{"scope":{"name":"s"},"profiles":[
        {"originalPayloadFormat":"a"},{"originalPayloadFormat":"b"},
        {"originalPayloadFormat":"c"}]}]}],
        "dictionary":{"stringTable":["","x"]}}"#;
    let limits = Limits::default();
    let request = Request::decode_json(Signal::Profiles, text.as_bytes(), &limits).unwrap();
    let pieces = parts(Signal::Profiles, &request.encode_protobuf()).unwrap();
    assert_eq!(pieces, 3);
}
