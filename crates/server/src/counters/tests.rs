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

/// Scenario: each signal over each transport, another number of times each.
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
            counters.refused(signal, transport, refusal(Reason::Method));
        }
    }
    let receiving = &counters.receiving;
    for (times, pair) in (1..).zip(pairs()) {
        let counts = [
            &receiving.exports,
            &receiving.items,
            &receiving.bytes,
            &receiving.rejected,
        ];
        let counts = counts.map(|count| count.get(pair));
        assert_eq!(counts, [times, 2 * times, 3 * times, 4 * times]);
        assert_eq!(receiving.refused.get((pair, Reason::Method)), times);
    }
    let totals = counters.totals();
    let all = (1..=pairs().count() as u64).sum::<u64>();
    assert_eq!((totals.exports, totals.rejected), (all, 4 * all));
    assert_eq!(totals.refused, all);
    assert_eq!(
        counters.refused_by_reason(),
        BTreeMap::from([("method", all)])
    );
}
