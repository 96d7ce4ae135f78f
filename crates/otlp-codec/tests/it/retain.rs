//! Items that policy refuses: where they are, and what is left without them.

use otlp_codec::check::check;
use otlp_codec::proto::metrics::v1::{Exemplar, Metric, metric::Data};
use otlp_codec::typed::Request;
use otlp_codec::{DecodeError, Limits, Signal};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::every_field::any_request;
use crate::roundtrip::same;
use crate::support::{SEEDS, mutated};

fn wrong(id: &[u8], expected: usize) -> bool {
    !id.is_empty() && id.len() != expected
}

fn exemplars_are_fine(exemplars: &[Exemplar]) -> bool {
    !exemplars
        .iter()
        .any(|one| wrong(&one.trace_id, 16) || wrong(&one.span_id, 8))
}

fn drop_points(metric: &mut Metric) {
    match &mut metric.data {
        Some(Data::Gauge(data)) => {
            data.data_points
                .retain(|one| exemplars_are_fine(&one.exemplars));
        }
        Some(Data::Sum(data)) => data
            .data_points
            .retain(|one| exemplars_are_fine(&one.exemplars)),
        Some(Data::Histogram(data)) => {
            data.data_points
                .retain(|one| exemplars_are_fine(&one.exemplars));
        }
        Some(Data::ExponentialHistogram(data)) => {
            data.data_points
                .retain(|one| exemplars_are_fine(&one.exemplars));
        }
        Some(Data::Summary(_)) | None => {}
    }
}

/// The obvious way: takes refused items out of the tree.
fn drop_refused(request: &mut Request) {
    match request {
        Request::Metrics(request) => {
            let scopes = request
                .resource_metrics
                .iter_mut()
                .flat_map(|r| &mut r.scope_metrics);
            scopes
                .flat_map(|scope| &mut scope.metrics)
                .for_each(drop_points);
        }
        Request::Traces(request) => {
            for scope in request
                .resource_spans
                .iter_mut()
                .flat_map(|r| &mut r.scope_spans)
            {
                scope.spans.retain(|span| {
                    let own = wrong(&span.trace_id, 16)
                        || wrong(&span.span_id, 8)
                        || wrong(&span.parent_span_id, 8);
                    let mut links = span.links.iter();
                    !own && !links.any(|one| wrong(&one.trace_id, 16) || wrong(&one.span_id, 8))
                });
            }
        }
        Request::Logs(request) => {
            for scope in request
                .resource_logs
                .iter_mut()
                .flat_map(|r| &mut r.scope_logs)
            {
                scope
                    .log_records
                    .retain(|one| !wrong(&one.trace_id, 16) && !wrong(&one.span_id, 8));
            }
        }
        Request::Profiles(_) => {}
    }
}

/// Gives some ids another length. `picks` are taken in turn.
fn spoil(request: &mut Request, picks: &mut impl Iterator<Item = u8>) {
    let mut change = |id: &mut Vec<u8>| match picks.next() {
        Some(0) => drop(id.pop()),
        Some(1) => id.push(1),
        Some(2) => *id = vec![7; 3],
        Some(3) => id.clear(),
        _ => {}
    };
    let mut exemplars = |list: &mut Vec<Exemplar>| {
        for one in list {
            change(&mut one.trace_id);
            change(&mut one.span_id);
        }
    };
    match request {
        Request::Metrics(request) => {
            let scopes = request
                .resource_metrics
                .iter_mut()
                .flat_map(|r| &mut r.scope_metrics);
            for metric in scopes.flat_map(|scope| &mut scope.metrics) {
                match &mut metric.data {
                    Some(Data::Gauge(data)) => {
                        data.data_points
                            .iter_mut()
                            .for_each(|p| exemplars(&mut p.exemplars));
                    }
                    Some(Data::Sum(data)) => {
                        data.data_points
                            .iter_mut()
                            .for_each(|p| exemplars(&mut p.exemplars));
                    }
                    Some(Data::Histogram(data)) => {
                        data.data_points
                            .iter_mut()
                            .for_each(|p| exemplars(&mut p.exemplars));
                    }
                    Some(Data::ExponentialHistogram(data)) => {
                        data.data_points
                            .iter_mut()
                            .for_each(|p| exemplars(&mut p.exemplars));
                    }
                    Some(Data::Summary(_)) | None => {}
                }
            }
        }
        Request::Traces(request) => {
            let scopes = request
                .resource_spans
                .iter_mut()
                .flat_map(|r| &mut r.scope_spans);
            for span in scopes.flat_map(|scope| &mut scope.spans) {
                change(&mut span.trace_id);
                change(&mut span.span_id);
                change(&mut span.parent_span_id);
                for link in &mut span.links {
                    change(&mut link.trace_id);
                    change(&mut link.span_id);
                }
            }
        }
        Request::Logs(request) => {
            let scopes = request
                .resource_logs
                .iter_mut()
                .flat_map(|r| &mut r.scope_logs);
            for record in scopes.flat_map(|scope| &mut scope.log_records) {
                change(&mut record.trace_id);
                change(&mut record.span_id);
            }
        }
        Request::Profiles(_) => {}
    }
}

/// Several seeds of one signal in one request, with ids of any length.
fn spoiled() -> impl Strategy<Value = (Signal, Vec<u8>)> {
    let seeds = prop::collection::vec(any::<Index>(), 1..8);
    let picks = prop::collection::vec(0_u8..20, 64);
    (0..3_usize, seeds, picks).prop_map(|(signal, seeds, picks)| {
        let signal = Signal::ALL[signal];
        let of_signal: Vec<_> = SEEDS.iter().filter(|(of, _)| *of == signal).collect();
        let seeds = seeds.iter().map(|seed| seed.get(&of_signal).1.as_slice());
        let wire: Vec<u8> = seeds.flatten().copied().collect();
        let mut request = Request::decode_protobuf(signal, &wire, &Limits::default()).unwrap();
        spoil(&mut request, &mut picks.into_iter());
        (signal, request.encode_protobuf())
    })
}

/// Checks a request both ways; whether something was refused.
fn agrees(signal: Signal, wire: &[u8]) -> Result<bool, TestCaseError> {
    let limits = Limits::default();
    let request = Request::decode_protobuf(signal, wire, &limits);
    let (Ok(mut request), Ok(checked)) = (request, check(signal, wire, &limits)) else {
        return Ok(false);
    };
    let refusal = request.check_ids().err();
    prop_assert_eq!(&refusal, &checked.refusal());
    prop_assert_eq!(refusal.is_some(), !checked.refused().is_empty());
    prop_assert_eq!(checked.items, request.items());
    prop_assert!(checked.refused().is_sorted_by(|a, b| a.end <= b.start));
    let refused = checked.refused().len();
    drop_refused(&mut request);
    prop_assert_eq!(checked.items - refused, request.items());
    let rest = checked.retain();
    let rest_read = Request::decode_protobuf(signal, &rest, &limits).unwrap();
    prop_assert!(same(&rest_read, &request), "{rest_read:?}\n{request:?}");
    prop_assert!(check(signal, &rest, &limits).unwrap().refused().is_empty());
    Ok(refused > 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    /// Scenario: requests of several items, some with ids of wrong lengths.
    /// Guarantees: what `retain` leaves is what the tree has without them; the first one is named
    /// as the typed door names it.
    #[test]
    fn retain_agrees_with_the_tree((signal, wire) in spoiled()) {
        agrees(signal, &wire)?;
    }

    /// Scenario: bytes near a valid request: fields twice, in pieces, with groups among them.
    /// Guarantees: as above.
    #[test]
    fn retain_agrees_with_the_tree_near_requests((signal, wire) in mutated()) {
        agrees(signal, &wire)?;
    }

    /// Scenario: requests with every field, in pieces and in any order, some with ids of wrong
    /// lengths.
    /// Guarantees: as above.
    #[test]
    fn retain_agrees_with_the_tree_on_every_field(case in any_request()) {
        agrees(case.signal, &case.wire())?;
    }
}

/// Scenario: three spans, of which the second has a trace id of one byte and the third a link
/// with such a span id; an id that is sent twice, and only the last one right.
/// Guarantees: exact ranges, exact bytes, lengths mended; nothing refused: nothing copied.
#[test]
fn ranges_are_exact() {
    let wire = [
        10, 23, 18, 18, 18, 2, 48, 1, 18, 3, 10, 1, 7, 18, 5, 106, 3, 18, 1, 9, 26, 0, 26, 1, 99,
    ];
    let limits = Limits::default();
    let checked = check(Signal::Traces, &wire, &limits).unwrap();
    assert_eq!(checked.items, 3);
    assert_eq!(checked.refused(), [8..13, 13..20]);
    let error = DecodeError::IdLength {
        path: "resourceSpans[0].scopeSpans[0].spans[1].traceId".to_owned(),
        len: 1,
        expected: 16,
    };
    assert_eq!(checked.refusal(), Some(error));
    assert_eq!(
        *checked.retain(),
        [10, 11, 18, 6, 18, 2, 48, 1, 26, 0, 26, 1, 99]
    );

    let mut twice = vec![10, 25, 18, 23, 18, 21, 10, 1, 7, 10, 16];
    twice.extend([5; 16]);
    let checked = check(Signal::Traces, &twice, &limits).unwrap();
    assert!(checked.refused().is_empty() && checked.refusal().is_none());
    let rest = checked.retain();
    assert!(matches!(rest, std::borrow::Cow::Borrowed(rest) if rest == twice));
}

/// Scenario: a link of a profile's dictionary with an id of a wrong length.
/// Guarantees: no item can be taken out for it, so the request is refused.
#[test]
fn an_id_outside_of_items_refuses_the_request() {
    let dictionary = br#"{"dictionary":{"linkTable":[{},{"traceId":"00","spanId":""}]}}"#;
    let profile = br#"{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{}]}]}]}"#;
    let limits = Limits::default();
    let read = |json| Request::decode_json(Signal::Profiles, json, &limits).unwrap();
    let expected = read(dictionary).check_ids().unwrap_err();
    let [dictionary, profile] = [&dictionary[..], profile].map(|json| read(json).encode_protobuf());
    // Wherever it stands: the profile isn't to blame.
    for wire in [
        [&*dictionary, &*profile].concat(),
        [profile, dictionary].concat(),
    ] {
        let refused = check(Signal::Profiles, &wire, &limits);
        assert_eq!(refused, Err(expected.clone()));
    }
}

/// Scenario: a dictionary in two pieces, with a wrong id in the second: a fuzzer's find.
/// Guarantees: the path counts over both pieces, as the typed door's does.
#[test]
fn paths_count_over_pieces() {
    let piece =
        |link: &[u8]| [&[0x12, link.len() as u8 + 2, 0x22, link.len() as u8], link].concat();
    let wire = [piece(&[]), piece(&[0x12, 2, 7, 7])].concat();
    let limits = Limits::default();
    let request = Request::decode_protobuf(Signal::Profiles, &wire, &limits).unwrap();
    let expected = request.check_ids().unwrap_err();
    assert_eq!(expected.path(), Some("dictionary.linkTable[1].spanId"));
    assert_eq!(check(Signal::Profiles, &wire, &limits), Err(expected));
}

/// Scenario: hundreds of items, every other one refused, so that lengths lose a byte on each
/// level.
/// Guarantees: the same as the tree, and minimal lengths.
#[test]
fn lengths_shrink() {
    let mut request = Request::decode_json(
        Signal::Logs,
        format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{}]}}]}}]}}"#,
            vec![r#"{"severityNumber":9},{"traceId":"0000"}"#; 300].join(",")
        )
        .as_bytes(),
        &Limits::default(),
    )
    .unwrap();
    let wire = request.encode_protobuf();
    let checked = check(Signal::Logs, &wire, &Limits::default()).unwrap();
    assert_eq!((checked.items, checked.refused().len()), (600, 300));
    let rest = checked.retain();
    drop_refused(&mut request);
    assert_eq!(*rest, request.encode_protobuf());
}
