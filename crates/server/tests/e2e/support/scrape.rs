//! What `/metrics` says.

use std::net::SocketAddr;

use super::{Http, exchange, head, soon};

/// One answer.
pub(crate) struct Scrape(String);

impl Scrape {
    pub(crate) fn of_relay(address: SocketAddr) -> Self {
        let answer = exchange(address, &head("GET", "/metrics", &[]));
        assert_eq!(answer.status, 200, "{answer:?}");
        Self(String::from_utf8(answer.body).unwrap())
    }

    /// What it says over a connection that is open.
    pub(crate) fn over(http: &mut Http) -> Self {
        http.send(&head("GET", "/metrics", &[]));
        let answer = http.answer();
        assert_eq!(answer.status, 200, "{answer:?}");
        Self(String::from_utf8(answer.body).unwrap())
    }

    /// The first one of which `asked` is true: what has happened may be counted a moment later.
    pub(crate) fn until(address: SocketAddr, asked: impl Fn(&Self) -> bool) -> Self {
        let mut last = Self::of_relay(address);
        let is_so = asked(&last)
            || soon(|| {
                last = Self::of_relay(address);
                asked(&last)
            });
        assert!(is_so, "not even now: {}", last.0);
        last
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.lines()
    }

    /// A metric of ours, all labels together.
    pub(crate) fn sum(&self, name: &str) -> u64 {
        self.of(name, "")
    }

    /// As [`sum`](Self::sum), only what has this label.
    pub(crate) fn of(&self, name: &str, label: &str) -> u64 {
        let samples = self.lines().filter_map(|line| {
            let rest = line.strip_prefix("otlp_relay_")?.strip_prefix(name)?;
            let (labels, value) = rest.rsplit_once(' ')?;
            let is_it = labels.is_empty() || labels.starts_with('{');
            (is_it && labels.contains(label)).then(|| value.parse::<f64>().unwrap())
        });
        let samples: Vec<f64> = samples.collect();
        assert!(!samples.is_empty(), "no {name} with {label}");
        samples.into_iter().sum::<f64>() as u64
    }
}
