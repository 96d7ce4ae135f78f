//! What the relay tells of itself at `/metrics`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep, timeout};

use crate::door::{Door, Leaves, PATIENCE};
use crate::relay::{GLANCE, TOKEN};

/// What there must be nothing of once everybody has gone.
const HELD: [&str; 8] = [
    "otlp_relay_frames_held_bytes",
    "otlp_relay_logs_bytes",
    "otlp_relay_replay_cache_bytes",
    "otlp_relay_replaying_sessions",
    "otlp_relay_requests_in_flight",
    "otlp_relay_requests_in_flight_bytes",
    "otlp_relay_sessions",
    "otlp_relay_views",
];

/// Every series, by its name and labels as they are written.
pub(crate) struct Gauges(BTreeMap<String, f64>);

impl Gauges {
    /// Asks the relay.
    pub(crate) async fn of(door: &Door) -> Result<Self> {
        let asking = async {
            let io = TokioIo::new(door.http(Leaves::Quietly).await?);
            let (mut sender, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            let request = Request::get("/metrics")
                .header("host", "localhost")
                .header("authorization", format!("Bearer {TOKEN}"))
                .body(Empty::<Bytes>::new())?;
            let answer = sender.send_request(request).await?;
            ensure!(answer.status() == 200, "/metrics: {}", answer.status());
            let text = answer.into_body().collect().await?.to_bytes();
            Self::read(std::str::from_utf8(&text)?)
        };
        timeout(PATIENCE, asking).await?
    }

    fn read(text: &str) -> Result<Self> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').context("a line without a value")?;
            Ok((name.to_owned(), value.parse()?))
        });
        Ok(Self(series.collect::<Result<_>>()?))
    }

    /// The sum of all series of a metric that have all of these labels, as they are written.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn sum(&self, metric: &str, labels: &[&str]) -> Result<f64> {
        let of_it = |name: &str| match name.split_once('{') {
            Some((name, rest)) => name == metric && labels.iter().all(|one| rest.contains(one)),
            None => name == metric && labels.is_empty(),
        };
        let mut all = self.0.iter().filter(|(name, _)| of_it(name)).peekable();
        ensure!(all.peek().is_some(), "there is no {metric} {labels:?}");
        Ok(all.map(|(_, value)| value).sum())
    }

    /// What there still is that should not be.
    fn left(&self) -> Result<Vec<String>> {
        let mut left = Vec::new();
        for metric in HELD {
            let value = self.sum(metric, &[])?;
            if value != 0.0 {
                left.push(format!("{metric} {value}"));
            }
        }
        Ok(left)
    }
}

/// Waits until nothing is held, for a minute at most. What still is then.
pub(crate) async fn left_behind(door: &Door) -> Result<Vec<String>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = Gauges::of(door).await?.left()?;
        if left.is_empty() || Instant::now() > deadline {
            return Ok(left);
        }
        sleep(GLANCE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: metrics with and without labels, one of them not zero.
    /// Guarantees: sums are those of the labels that are asked for; what is held is found; what
    /// is not there is an error, not nothing.
    #[test]
    fn what_is_held_is_found() {
        let lines = HELD.map(|metric| match metric {
            "otlp_relay_sessions" => {
                let formats = [("otlp", 0), ("points", 2)];
                formats
                    .map(|(format, count)| format!("{metric}{{format=\"{format}\"}} {count}\n"))
                    .concat()
            }
            _ => format!("{metric} 0\n"),
        });
        let gauges = Gauges::read(&format!("# HELP x y\n{}", lines.concat())).unwrap();
        let points = [r#"format="points""#];
        assert_eq!(gauges.sum("otlp_relay_sessions", &points).unwrap(), 2.0);
        assert_eq!(gauges.left().unwrap(), ["otlp_relay_sessions 2"]);
        assert!(gauges.sum("otlp_relay_session", &[]).is_err());
        assert!(Gauges::read("otlp_relay_views 0").unwrap().left().is_err());
    }
}
