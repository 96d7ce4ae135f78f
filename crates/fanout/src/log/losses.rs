//! What a reading found lost.

use crate::observer::Loss;

/// How many publications were lost, by the cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) slow: u64,
    pub(crate) too_big: u64,
    pub(crate) failed: u64,
}

impl Losses {
    pub(super) fn add(&mut self, loss: Loss) {
        match loss {
            Loss::Slow | Loss::Closing => self.slow += 1,
            Loss::TooBig => self.too_big += 1,
            Loss::Failed => self.failed += 1,
        }
    }

    /// Those that there are.
    pub(crate) fn iter(self) -> impl Iterator<Item = (Loss, u64)> {
        let all = [
            (Loss::Slow, self.slow),
            (Loss::TooBig, self.too_big),
            (Loss::Failed, self.failed),
        ];
        all.into_iter().filter(|(_, count)| *count > 0)
    }
}
