//! Every event has a place of its own.

use std::time::Duration;

use ingest::{Accepted, Observer, Reason, Refusal, RequestId};

use super::*;

fn refusal(reason: Reason) -> Refusal {
    Refusal {
        reason,
        peer: None,
        id: RequestId::next(),
    }
}

/// Scenario: each signal over each transport, another number of times each, and a refusal on
/// no signal's path.
/// Guarantees: each pair has a place of its own; the totals are their sums.
#[test]
fn signals_and_transports_are_told_apart() {
    let counters = Counters::default();
    let pairs = || {
        let signals = Signal::ALL.into_iter();
        signals.flat_map(|signal| Transport::ALL.map(|transport| (signal, transport)))
    };
    for (times, (signal, transport)) in (1..).zip(pairs()) {
        for _ in 0..times {
            let accepted = Accepted {
                items: 2,
                bytes: 3,
                took: Duration::ZERO,
            };
            counters.accepted(signal, transport, accepted);
            counters.rejected(signal, transport, 4);
            Observer::refused(&counters, Some(signal), transport, refusal(Reason::Method));
        }
    }
    Observer::refused(&counters, None, Transport::Http, refusal(Reason::NotFound));
    let refused = counters.refused();
    for (times, (signal, transport)) in (1..).zip(pairs()) {
        let received = counters.received(signal, transport);
        assert_eq!((received.exports, received.items), (times, 2 * times));
        assert_eq!((received.bytes, received.rejected), (3 * times, 4 * times));
        let labels = Refusals {
            signal: signal.as_str(),
            transport: transport.as_str(),
            reason: "method",
        };
        assert_eq!(refused[&labels], times);
    }
    let totals = counters.totals();
    let all = (1..=pairs().count() as u64).sum::<u64>();
    assert_eq!((totals.exports, totals.rejected), (all, 4 * all));
    assert_eq!(totals.refused, all + 1);
    let by_reason = [("method", all), ("not_found", 1)];
    assert_eq!(counters.refused_by_reason(), BTreeMap::from(by_reason));
}
