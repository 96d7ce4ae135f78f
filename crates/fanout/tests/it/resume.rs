//! Clients that come late, and clients that come back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fanout::{FanoutConfig, Hub, Query, Signals, serve};
use otlp_codec::Signal;
use proptest::prelude::*;
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::runtime::Builder;
use tokio_tungstenite::WebSocketStream;

use crate::support::{client, export, hub, next_text, number, piped_to, publish};

type Client = WebSocketStream<DuplexStream>;

/// What a view shows.
type Shows = fn(&Published) -> bool;

/// The views that clients change between.
const VIEWS: [(&str, Shows); 5] = [
    ("", |_| true),
    ("resource.none=*", |_| false),
    ("metric=none", |one| one.signal != Signal::Metrics),
    ("format=points&metric=*ber", |one| {
        one.signal == Signal::Metrics
    }),
    ("max_frame=1024&format=protojson", |one| {
        one.signal != Signal::Metrics || one.len < 1000
    }),
];

#[derive(Clone, Copy, Debug)]
struct Published {
    signal: Signal,
    len: usize,
}

/// What was published, by number.
type Everything = Arc<Mutex<BTreeMap<u64, Published>>>;

/// One visit of a client: in which view, and after how many frames it goes.
type Visit = (usize, usize);

/// Connects in a view, for what came after `since`.
async fn connect(hub: &Hub, view: usize, since: u64) -> Client {
    let query = format!(
        "{}&envelope=true&since={}:{since}",
        VIEWS[view].0,
        hub.epoch()
    );
    let query = Query::parse(Signals::ALL, &query, hub.config()).unwrap();
    let (io, server) = tokio::io::duplex(2000);
    let subscription = hub.subscribe(query).unwrap();
    tokio::spawn(serve(server, Bytes::new(), subscription));
    let mut client = client(io).await;
    let hello = next_json(&mut client).await;
    assert_eq!(hello["type"], "hello");
    assert_eq!(hello["recovered"], true);
    assert_eq!(hello["seq"], since.to_string());
    client
}

async fn next_json(client: &mut Client) -> Value {
    serde_json::from_str(&next_text(client).await).unwrap()
}

fn seq(message: &Value) -> u64 {
    assert_eq!(message["type"], "data", "{message}");
    message["seq"].as_str().unwrap().parse().unwrap()
}

/// Comes and goes by plan, then stays until it has seen `end`, which every view shows. Gives, for
/// each visit, the view, after which number it began, and the numbers that came.
async fn wander(hub: Hub, plan: Vec<Visit>, end: u64) -> Vec<(usize, u64, Vec<u64>)> {
    let (mut visits, mut since) = (Vec::new(), 0);
    for (view, frames) in plan.into_iter().chain([(0, usize::MAX)]) {
        let mut client = connect(&hub, view, since).await;
        let (begin, mut got) = (since, Vec::new());
        while got.len() < frames && since < end {
            // In some views nothing may come for good.
            let next = tokio::select! {
                next = next_json(&mut client) => next,
                () = hub_has_passed(&hub, end), if frames < usize::MAX => break,
            };
            if next["type"] == "gap" {
                // In the view whose frames are short.
                assert_eq!(next["reason"], "too_big");
                continue;
            }
            since = seq(&next);
            got.push(since);
        }
        visits.push((view, begin, got));
        if since >= end {
            break;
        }
    }
    visits
}

/// Waits until the last number is given.
async fn hub_has_passed(hub: &Hub, end: u64) {
    while hub.snapshot().next_seq <= end {
        tokio::task::yield_now().await;
    }
}

fn visits() -> impl Strategy<Value = Vec<Visit>> {
    prop::collection::vec((0..VIEWS.len(), 0..12_usize), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Scenario: publishers of random signals and lengths on four workers; clients that read a
    /// random number of frames, go without a word, and come back in another view, with the
    /// number of the last frame that they had.
    /// Guarantees: each client gets, over all its visits, exactly what its views show of what was
    /// published, in order: nothing is lost, nothing comes twice.
    #[test]
    fn who_comes_back_loses_nothing_and_gets_nothing_twice(
        publishers in prop::collection::vec(
            prop::collection::vec((0..3_usize, prop_oneof![0..500_usize, 1000..1500_usize]), 1..40),
            1..4,
        ),
        clients in prop::collection::vec(visits(), 1..4),
    ) {
        let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        let everything = Everything::default();
        let (hub, _) = hub(FanoutConfig { gather_bytes: 1500, ..FanoutConfig::default() });
        let total: usize = publishers.iter().map(Vec::len).sum();
        let end = total as u64 + 1;
        let visits = runtime.block_on(async {
            let clients: Vec<_> = clients
                .into_iter()
                .map(|plan| tokio::spawn(wander(hub.clone(), plan, end)))
                .collect();
            let publishers: Vec<_> = publishers
                .into_iter()
                .enumerate()
                .map(|(at, exports)| {
                    let (hub, everything) = (hub.clone(), Arc::clone(&everything));
                    tokio::spawn(publish_all(hub, everything, at as u64, exports))
                })
                .collect();
            for publisher in publishers {
                publisher.await.unwrap();
            }
            // The last one, which all see.
            publish_all(hub.clone(), Arc::clone(&everything), 9, vec![(0, 0)]).await;
            let mut visits = Vec::new();
            for client in clients {
                visits.push(client.await.unwrap());
            }
            visits
        });
        let everything = everything.lock().unwrap();
        for visits in visits {
            for (view, begin, got) in visits {
                let Some(last) = got.last().copied() else {
                    // The next visit begins where this one did.
                    continue;
                };
                let expected: Vec<_> = everything
                    .range(begin + 1..=last)
                    .filter(|(_, one)| (VIEWS[view].1)(one))
                    .map(|(seq, _)| *seq)
                    .collect();
                prop_assert_eq!(got, expected, "{}", VIEWS[view].0);
            }
        }
    }
}

/// Publishes one after the other, and takes note of the numbers.
async fn publish_all(hub: Hub, everything: Everything, from: u64, exports: Vec<(usize, usize)>) {
    for (at, (signal, len)) in exports.into_iter().enumerate() {
        let number = from * 1000 + at as u64;
        let signal = [Signal::Metrics, Signal::Traces, Signal::Logs][signal];
        let one = Published { signal, len };
        let wire = match signal {
            Signal::Metrics => export(number, len),
            // An empty request, which every format but points shows.
            _ => Bytes::new(),
        };
        let seq = hub.publish(signal, wire, 1).unwrap();
        everything.lock().unwrap().insert(seq, one);
        tokio::task::yield_now().await;
    }
}

/// Scenario: five exports, then clients that ask for the newest none, two, nine and all; then one
/// more export.
/// Guarantees: as many as they asked for and there are, in order, and then live.
#[tokio::test]
async fn the_newest_come_first() {
    for (query, first) in [
        ("", 6),
        ("replay=0", 6),
        ("replay=2", 4),
        ("replay=9", 1),
        ("replay=all", 1),
    ] {
        let (hub, _) = hub(FanoutConfig::default());
        publish(&hub, 1..=5, 0);
        hub.publish(Signal::Logs, Bytes::new(), 0);
        let (io, _) = piped_to(&hub, query, 2000);
        publish(&hub, [6], 0);
        let mut client = client(io).await;
        for expected in first..=6 {
            assert_eq!(number(&next_text(&mut client).await), expected, "{query}");
        }
    }
}
