//! The walk over the bytes against the obvious way over the tree.

use otlp_codec::select::Selected;
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal};
use proptest::prelude::*;

use super::filter;
use crate::every_field::any_request;
use crate::roundtrip::same;
use crate::support::{SEEDS, mutated};

/// Subjects and values that occur in the vectors, so that filters keep and drop.
fn clauses() -> impl Strategy<Value = Vec<&'static str>> {
    let known = prop::sample::select(vec![
        "metric=*",
        "metric=a",
        "metric=service*",
        "scope=a",
        "span=a",
        "attr.a=*",
        "attr.service.name=*",
        "resource.a=*",
        "resource.service.name=a*",
        "metric=m",
        "metric=a*",
        "metric=?",
        "metric=*e*",
        "metric=",
        "scope=*",
        "scope=",
        "scope=?*",
        "scope=s*",
        "span=*",
        "span=",
        "span=s*",
        "span=*a*",
        "resource.service.name=*",
        "resource.service.name=s*",
        "resource.k=*",
        "resource.=*",
        "attr.k=*",
        "attr.k=?*",
        "attr.k=1*",
        "attr.key=*",
        "attr.a=*",
        "attr.s=*",
        "attr.=*",
        "attr.k=true",
        "attr.k=-*",
        "severity=1",
        "severity=9",
        "severity=24",
    ]);
    prop::collection::vec(known, 0..4)
}

/// Selects both ways.
fn agrees(signal: Signal, wire: &[u8], clauses: &[&str]) -> Result<(), TestCaseError> {
    let limits = Limits::default();
    let selector = filter(clauses).compile();
    let mut out = b"kept".to_vec();
    let selected = selector.select(signal, wire, &limits, &mut out);
    let Ok(mut request) = Request::decode_protobuf(signal, wire, &limits) else {
        prop_assert!(selected.is_ok() || out == b"kept");
        return Ok(());
    };
    let left = request.select(&selector);
    let rest = match selected.unwrap() {
        Selected::Nothing => {
            prop_assert!(!left && out == b"kept");
            return Ok(());
        }
        Selected::Whole => {
            prop_assert_eq!(&out, b"kept");
            wire
        }
        Selected::Part => &out[4..],
    };
    prop_assert!(left);
    let rest = Request::decode_protobuf(signal, rest, &limits).unwrap();
    prop_assert!(same(&rest, &request), "{rest:?}\n{request:?}");
    // It says the same again of what it left.
    let mut again = Vec::new();
    let selected = selector.select(signal, &out[4..], &limits, &mut again);
    prop_assert!(
        out.len() == 4 || selected == Ok(Selected::Whole),
        "{selected:?}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    /// Scenario: bytes near a valid request, and filters of what requests hold.
    /// Guarantees: what the walk leaves is what the tree leaves, and acceptable; bytes that are
    /// no request do no harm.
    #[test]
    fn select_agrees_with_the_tree((signal, wire) in mutated(), clauses in clauses()) {
        agrees(signal, &wire, &clauses)?;
    }

    /// Scenario: requests with every field, in pieces and in any order.
    /// Guarantees: as above.
    #[test]
    fn select_agrees_with_the_tree_on_every_field(case in any_request(), clauses in clauses()) {
        agrees(case.signal, &case.wire(), &clauses)?;
    }
}

/// Scenario: filters of one clause over the vectors, each of which holds few things.
/// Guarantees: the property above sees all three outcomes in every signal, or it shows little.
#[test]
fn every_outcome_is_seen() {
    let limits = Limits::default();
    let mut seen = std::collections::BTreeSet::new();
    for signal in Signal::ALL {
        let of_signal = SEEDS.iter().filter(|(of, _)| *of == signal);
        let mut wires: Vec<_> = of_signal.map(|(_, wire)| wire.clone()).collect();
        wires.push(wires.concat());
        for clause in [
            "metric=m",
            "scope=s*",
            "span=?*",
            "resource.k=*",
            "attr.k=*",
            "severity=9",
        ] {
            let selector = filter(&[clause]).compile();
            for wire in &wires {
                let mut out = Vec::new();
                let selected = selector.select(signal, wire, &limits, &mut out);
                seen.insert((signal, format!("{:?}", selected.unwrap())));
            }
        }
    }
    for signal in [Signal::Metrics, Signal::Traces, Signal::Logs] {
        for outcome in ["Whole", "Part", "Nothing"] {
            assert!(
                seen.contains(&(signal, outcome.to_owned())),
                "{signal} {outcome}"
            );
        }
    }
}
