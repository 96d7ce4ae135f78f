//! Which signal protobuf is of, which doesn't say.

use otlp_codec::check::check;
use otlp_codec::{DecodeError, Limits, Signal};

use crate::Problem;
use crate::engine::Items;
use crate::source::{Form, Record};

/// Finds the signal of protobuf.
pub(crate) struct Guess {
    asked: Option<Signal>,
    /// What the last protobuf was whose signal was clear.
    last: Option<Signal>,
}

/// What every signal says to some bytes.
#[derive(Default)]
struct Told {
    accepted: Vec<(Signal, usize)>,
    refused: Vec<(Signal, DecodeError)>,
}

impl Told {
    fn by_all(wire: &[u8], limits: &Limits) -> Self {
        let mut told = Self::default();
        for signal in Signal::ALL {
            match accept(signal, wire, limits) {
                Ok(items) => told.accepted.push((signal, items)),
                Err(error) => told.refused.push((signal, error)),
            }
        }
        told
    }

    /// The signals that find items.
    fn with_items(&self) -> Vec<(Signal, usize)> {
        let accepted = self.accepted.iter().copied();
        accepted.filter(|(_, items)| *items > 0).collect()
    }
}

impl Guess {
    pub(crate) fn new(asked: Option<Signal>) -> Self {
        Self { asked, last: None }
    }

    /// Checks protobuf, and finds its signal if that isn't said; nothing if it is empty.
    ///
    /// Of one message, the first bytes with items decide for all of it. Records with lengths
    /// may each be of another signal, and what one signal accepts, another may, too: so all are
    /// asked. A wrong one usually refuses the first item.
    pub(crate) fn look(
        &mut self,
        wire: &[u8],
        is_record: bool,
        limits: &Limits,
    ) -> Result<Items, Problem> {
        if wire.is_empty() {
            return Ok(None);
        }
        let known = self.asked.or(if is_record { None } else { self.last });
        if let Some(known) = known {
            return Ok(Some((known, accept(known, wire, limits)?)));
        }
        let told = Told::by_all(wire, limits);
        match *told.with_items() {
            [looked] => {
                self.last = Some(looked.0);
                return Ok(Some(looked));
            }
            [] => {}
            ref several => {
                let signals = several.iter().map(|(signal, _)| *signal).collect();
                return Err(Problem::AmbiguousSignal(signals));
            }
        }
        // Without items it is as good as any signal's: that of those before.
        let is_last = |signal: Signal| Some(signal) == self.last;
        if let Some(&as_before) = told.accepted.iter().find(|(signal, _)| is_last(*signal)) {
            return Ok(Some(as_before));
        }
        if !told.accepted.is_empty() {
            return Err(Problem::NoItems);
        }
        let mut refused = told.refused;
        match refused.iter().position(|(signal, _)| is_last(*signal)) {
            Some(last) => Err(Problem::Decode(refused.swap_remove(last).1)),
            None => Err(Problem::NotOtlp(refused)),
        }
    }

    /// Finds the signal of a run of fields that is refused as a whole, by the first of them whose
    /// signal is clear. Those in front of it may have no items.
    pub(crate) fn prepare(&mut self, run: &Record<'_>, limits: &Limits) {
        let is_known = self.asked.or(self.last).is_some();
        if run.form != Form::Protobuf || is_known {
            return;
        }
        self.last = run.elements().find_map(|field| {
            let told = Told::by_all(field.bytes, limits);
            match *told.with_items() {
                [(signal, _)] => Some(signal),
                _ => None,
            }
        });
    }

    /// Whether the message that begins so is one of profiles, by its looks.
    pub(crate) fn looks_like_profiles(&mut self, wire: &[u8], limits: &Limits) -> bool {
        let looks = self.asked.is_none().then(|| self.look(wire, false, limits));
        matches!(looks, Some(Ok(Some((Signal::Profiles, _)))))
    }
}

/// Checks a request: how many items it holds. One with an item that OTLP refuses is refused.
pub(crate) fn accept(signal: Signal, wire: &[u8], limits: &Limits) -> Result<usize, DecodeError> {
    let checked = check(signal, wire, limits)?;
    match checked.refusal() {
        Some(refusal) => Err(refusal),
        None => Ok(checked.items),
    }
}
