//! Generated requests as a strategy of proptest, which shrinks the tree of records itself:
//! whatever failed, what is reported has no record, number or text left that doesn't matter.

use std::fmt;

use otlp_codec::Signal;
use proptest::prelude::RngExt as _;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::generate::{Flavour, Generator};
use super::records::{Encoded, Payload, Record};
use super::schema::request;

/// A generated request. Its `Debug` text has the bytes in hex, to be copied into a test.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) signal: Signal,
    pub(super) records: Vec<Record>,
}

impl Case {
    /// The request in protobuf.
    pub(super) fn wire(&self) -> Vec<u8> {
        Encoded::of(&self.records).bytes
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex: String = self
            .wire()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        write!(f, "{} {hex}, which is {:?}", self.signal, self.records)
    }
}

/// Requests of every signal, some of a few records and some of hundreds.
impl Strategy for Flavour {
    type Tree = Shrinking;
    type Value = Case;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let rng = runner.rng();
        // Metrics have as many fields as two of the others.
        let signals = [&Signal::ALL[..], &[Signal::Metrics]].concat();
        let signal = signals[rng.random_range(0..signals.len())];
        let most = 1 << rng.random_range(3..11);
        let mut generator = Generator {
            fuel: rng.random_range(1..=most),
            rng,
            flavour: *self,
        };
        let records = generator.message(request(signal), 0);
        Ok(Shrinking::new(Case { signal, records }))
    }
}

/// A request that failed, and what is yet to be tried to make it smaller.
///
/// Records are taken in turn, outer before inner. Of each it is tried to leave it out, with all
/// that is inside, and then to make it simpler. When that changed anything, all is tried again.
pub(super) struct Shrinking {
    case: Case,
    /// What failed, while it isn't known whether `case` does.
    failed: Option<Case>,
    /// The record whose turn it is, counted from the outermost first one.
    at: usize,
    /// Which simplification of it is next.
    step: usize,
    progress: bool,
    done: bool,
}

impl Shrinking {
    fn new(case: Case) -> Self {
        Self {
            case,
            failed: None,
            at: 0,
            step: 0,
            progress: false,
            done: false,
        }
    }

    /// Goes to the next change that can be made, and makes it.
    fn advance(&mut self) -> bool {
        while !self.done {
            let mut case = self.case.clone();
            let mut skip = self.at;
            match find(&mut case.records, &mut skip) {
                Some((list, at)) => match simpler(list, at, self.step) {
                    Some(()) => {
                        self.step += 1;
                        self.failed = Some(std::mem::replace(&mut self.case, case));
                        return true;
                    }
                    None => (self.at, self.step) = (self.at + 1, 0),
                },
                None => {
                    self.done = !self.progress;
                    (self.at, self.step, self.progress) = (0, 0, false);
                }
            }
        }
        false
    }
}

impl ValueTree for Shrinking {
    type Value = Case;

    fn current(&self) -> Case {
        self.case.clone()
    }

    fn simplify(&mut self) -> bool {
        if self.failed.take().is_some() {
            // The last change was a good one; the same one again may be, too.
            self.progress = true;
            self.step = 0;
        }
        self.advance()
    }

    fn complicate(&mut self) -> bool {
        let Some(failed) = self.failed.take() else {
            return false;
        };
        self.case = failed;
        self.advance();
        true
    }
}

/// The list that holds the record which `skip` others precede, and its place there.
fn find<'a>(
    records: &'a mut Vec<Record>,
    skip: &mut usize,
) -> Option<(&'a mut Vec<Record>, usize)> {
    let mut place = None;
    for (at, record) in records.iter().enumerate() {
        let size = 1 + count(record.payload.records());
        if *skip < size {
            place = Some(at);
            break;
        }
        *skip -= size;
    }
    let at = place?;
    if *skip == 0 {
        return Some((records, at));
    }
    *skip -= 1;
    find(records[at].payload.records_mut()?, skip)
}

fn count(records: &[Record]) -> usize {
    let inner = records.iter().map(|record| count(record.payload.records()));
    records.len() + inner.sum::<usize>()
}

/// Makes the change of a number to a record of a list; `None` if there are no more. A change that
/// leaves all as it is counts as one that was tried.
fn simpler(list: &mut Vec<Record>, at: usize, step: usize) -> Option<()> {
    if step == 0 {
        list.remove(at);
        return Some(());
    }
    let record = &mut list[at];
    let mut changes: Vec<Record> = Vec::new();
    if record.tag_padding + record.padding > 0 {
        changes.push(Record::new(record.number, record.payload.clone()));
    }
    changes.extend(smaller(&record.payload).into_iter().map(|payload| Record {
        payload,
        ..record.clone()
    }));
    changes.retain(|change| change != record);
    *record = changes.into_iter().nth(step - 1)?;
    Some(())
}

/// Simpler payloads of the same type, the simplest first. Each is strictly simpler, or shrinking
/// would never end.
fn smaller(payload: &Payload) -> Vec<Payload> {
    match payload {
        Payload::Varint(value) => {
            let smaller = [0, 1, value >> 32, value >> 1].into_iter();
            let smaller = smaller.filter(|smaller| smaller < value);
            smaller.map(Payload::Varint).collect()
        }
        Payload::Fixed64(value) => {
            const ONE: u64 = 1.0_f64.to_bits();
            let smaller = [0, 1, ONE].into_iter();
            let smaller = smaller.filter(|smaller| smaller < value);
            smaller.map(Payload::Fixed64).collect()
        }
        Payload::Fixed32(value) => {
            let smaller = [0, 1].into_iter().filter(|smaller| smaller < value);
            smaller.map(Payload::Fixed32).collect()
        }
        Payload::Bytes(bytes) => {
            let half = bytes.len() / 2;
            let cut = match str::from_utf8(bytes) {
                Ok(text) => text.floor_char_boundary(half),
                Err(_) => half,
            };
            let parts = [&[], &bytes[..cut], &bytes[cut..]];
            let parts = parts.map(|part| Payload::Bytes(part.to_vec()));
            let plain = Payload::Bytes(vec![0; bytes.len()]);
            parts.into_iter().chain([plain]).collect()
        }
        Payload::Packed(numbers) => {
            let half = numbers.len().div_ceil(2);
            let (left, right) = numbers.split_at(half);
            let without = (0..numbers.len()).map(|at| {
                let mut numbers = numbers.clone();
                numbers.remove(at);
                numbers
            });
            let plainer = (0..numbers.len()).flat_map(|at| {
                let change = move |payload| {
                    let mut numbers = numbers.clone();
                    numbers[at] = (payload, 0);
                    numbers
                };
                smaller(&numbers[at].0).into_iter().map(change)
            });
            let lists = [left.to_vec(), right.to_vec()].into_iter();
            let lists = lists.chain(without).chain(plainer);
            // Encoders write no empty lists.
            let lists = lists.filter(|list| !list.is_empty());
            lists.map(Payload::Packed).collect()
        }
        Payload::Message(_) | Payload::Group(_) => Vec::new(),
    }
}
