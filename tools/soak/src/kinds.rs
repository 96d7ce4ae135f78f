//! What kinds of exports there are, how they are told apart when they come back, and which of them a
//! filter leaves something of.

use anyhow::{Context, Result};
use otlp_codec::select::{Filter, Selected};
use otlp_codec::transcode::Transcoder;
use otlp_codec::{Limits, Signal};

/// Which of the exports one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(usize);

/// All that are sent.
#[derive(Default)]
pub(crate) struct Kinds(Vec<Export>);

struct Export {
    signal: Signal,
    wire: Vec<u8>,
    /// How long it is as OTLP JSON, in bytes: no two of a signal are alike.
    json: usize,
}

impl Kinds {
    /// One more.
    pub(crate) fn add(&mut self, signal: Signal, wire: &[u8]) -> Result<()> {
        let mut json = Vec::new();
        Transcoder::new().protobuf_to_json(signal, wire, &Limits::default(), &mut json)?;
        self.0.push(Export {
            signal,
            wire: wire.to_vec(),
            json: json.len(),
        });
        Ok(())
    }

    /// Which one has come as so many bytes of OTLP JSON.
    pub(crate) fn find(&self, signal: Signal, json: usize) -> Option<Kind> {
        let is_it = |export: &Export| export.signal == signal && export.json == json;
        self.0.iter().position(is_it).map(Kind)
    }

    /// Those of some signals, of which a clause of a filter leaves something, if there is one.
    pub(crate) fn shown(
        &self,
        signals: &[Signal],
        clause: Option<(&str, &str)>,
    ) -> Result<Vec<Kind>> {
        let mut filter = Filter::new();
        if let Some((name, value)) = clause {
            filter.add_clause(name, value)?;
        }
        let selector = filter.compile();
        let mut shown = Vec::new();
        for (at, export) in self.0.iter().enumerate() {
            let Export { signal, wire, .. } = export;
            let left = selector.select(*signal, wire, &Limits::default(), &mut Vec::new());
            let left = left.context("a payload can't be filtered")?;
            if signals.contains(signal) && left != Selected::Nothing {
                shown.push(Kind(at));
            }
        }
        Ok(shown)
    }
}

#[cfg(test)]
mod tests {
    use load::payload::Payload;

    use super::*;

    /// Scenario: two exports of metrics and one of logs, and filters that leave something of one, of
    /// both, and of none.
    /// Guarantees: each is known by its length; filters leave what they should.
    #[test]
    fn exports_are_told_apart() {
        let mut kinds = Kinds::default();
        for name in ["S", "M", "G"] {
            let payload = Payload::find(name, Signal::Metrics).unwrap();
            kinds.add(payload.signal, &payload.wire).unwrap();
        }
        for (at, export) in kinds.0.iter().enumerate() {
            assert_eq!(kinds.find(export.signal, export.json), Some(Kind(at)));
            assert_eq!(kinds.find(export.signal, export.json + 1), None);
        }
        assert_eq!(kinds.find(Signal::Traces, kinds.0[0].json), None);
        let shown = |clause| kinds.shown(&[Signal::Metrics], clause).unwrap();
        let both = [Kind(0), Kind(1)];
        assert_eq!(shown(None), both);
        assert_eq!(shown(Some(("metric", "*"))), both);
        assert_eq!(shown(Some(("severity", "ERROR"))), both);
        assert_eq!(shown(Some(("metric", "no such metric"))), []);
        let all = kinds.shown(&Signal::ALL, None).unwrap();
        assert_eq!(all.len(), 3);
    }
}
