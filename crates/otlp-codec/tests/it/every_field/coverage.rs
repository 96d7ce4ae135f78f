//! What the generator generates: every field of every message in every way, or a test fails.

use std::collections::{BTreeMap, BTreeSet};

use otlp_codec::Signal;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::generate::Flavour;
use super::records::{Payload, Record};
use super::schema::{reachable, request};

/// A way in which a field was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// With the value that absence stands for; in a list, an element of it.
    Default,
    /// With another one.
    Other,
    /// A known number of an enum.
    Number(i32),
    /// A number that the enum doesn't know.
    UnknownNumber,
    /// More than once, though it is no list.
    Twice,
    /// As a list in one piece.
    Packed,
    /// As a list in pieces of one element.
    Unpacked,
    /// Beside another member of its oneof.
    Contended,
}

type Seen = BTreeMap<(String, Way), usize>;

fn note(seen: &mut Seen, field: &FieldDescriptor, way: Way) {
    let key = (field.full_name().to_owned(), way);
    *seen.entry(key).or_default() += 1;
}

fn look(seen: &mut Seen, message: &MessageDescriptor, records: &[Record]) {
    let mut here: BTreeSet<u32> = BTreeSet::new();
    for record in records {
        let Some(field) = message.get_field(record.number) else {
            continue;
        };
        if !here.insert(record.number) && !field.is_list() {
            note(seen, &field, Way::Twice);
        }
        if let Some(oneof) = field.containing_oneof()
            && oneof
                .fields()
                .any(|other| other != field && here.contains(&other.number()))
        {
            note(seen, &field, Way::Contended);
        }
        match &record.payload {
            Payload::Packed(numbers) => {
                note(seen, &field, Way::Packed);
                for (number, _) in numbers {
                    value(seen, &field, number);
                }
            }
            payload => {
                if field.is_packed() {
                    note(seen, &field, Way::Unpacked);
                }
                value(seen, &field, payload);
            }
        }
        if let Some(inner) = field.kind().as_message() {
            look(seen, inner, record.payload.records());
        }
    }
}

fn value(seen: &mut Seen, field: &FieldDescriptor, payload: &Payload) {
    let default = match payload {
        Payload::Varint(value) | Payload::Fixed64(value) => *value == 0,
        Payload::Fixed32(value) => *value == 0,
        Payload::Bytes(bytes) => bytes.is_empty(),
        payload => payload.records().is_empty(),
    };
    let way = if default { Way::Default } else { Way::Other };
    note(seen, field, way);
    if let (Kind::Enum(kind), Payload::Varint(number)) = (field.kind(), payload) {
        let number = *number as i32;
        let way = match kind.get_value(number) {
            Some(_) => Way::Number(number),
            None => Way::UnknownNumber,
        };
        note(seen, field, way);
    }
}

/// The ways that a field must be written in.
fn expected(field: &FieldDescriptor, unruly: bool) -> Vec<Way> {
    let mut ways = vec![Way::Default, Way::Other];
    if let Kind::Enum(kind) = field.kind() {
        ways.extend(kind.values().map(|value| Way::Number(value.number())));
        ways.push(Way::UnknownNumber);
    }
    if field.is_packed() {
        ways.push(Way::Packed);
    }
    if unruly {
        match field.is_list() {
            true if field.is_packed() => ways.push(Way::Unpacked),
            true => {}
            false => ways.push(Way::Twice),
        }
        let oneof = field.containing_oneof();
        if oneof.is_some_and(|oneof| oneof.fields().len() > 1) {
            ways.push(Way::Contended);
        }
    }
    ways
}

/// Scenario: some thousand generated requests, of those that encoders write and of others.
/// Guarantees: every field of every message in every request is among them, at its default and
/// not, every number of an enum, and every way of writing a list or a field twice; those that
/// encoders write hold nothing of the latter.
#[test]
fn every_field_in_every_way() {
    const REQUESTS: usize = 4000;
    for unruly in [false, true] {
        let odd_ids = false;
        let mut runner = TestRunner::deterministic();
        let mut seen = Seen::new();
        for _ in 0..REQUESTS {
            let case = Flavour { unruly, odd_ids }.new_tree(&mut runner).unwrap();
            let case = case.current();
            look(&mut seen, request(case.signal), &case.records);
        }
        let fields = reachable().into_values();
        let fields = fields.flat_map(|message| message.fields().collect::<Vec<_>>());
        let expected: BTreeSet<(String, Way)> = fields
            .flat_map(|field| {
                let ways = expected(&field, unruly).into_iter();
                ways.map(move |way| (field.full_name().to_owned(), way))
            })
            .collect();
        let seen: BTreeSet<(String, Way)> = seen.into_keys().collect();
        let missed: Vec<_> = expected.difference(&seen).collect();
        assert!(missed.is_empty(), "never written: {missed:#?}");
        let more: Vec<_> = seen.difference(&expected).collect();
        assert!(more.is_empty(), "not to be expected: {more:#?}");
    }
    assert_eq!(
        Signal::ALL.map(|signal| request(signal).fields().len()),
        [1, 1, 1, 2]
    );
}
