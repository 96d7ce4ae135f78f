//! What the generator generates: every field of every message in every way, or a test fails.

use std::collections::BTreeSet;

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
    /// As a list in both.
    Mixed,
    /// Beside another member of its oneof.
    Contended,
    /// Not at all: of a message, that it has a field that it doesn't know.
    Unknown,
    /// Likewise, a group.
    UnknownGroup,
}

/// Fields and messages by name, and the ways that were met.
type Seen = BTreeSet<(String, Way)>;

fn note(seen: &mut Seen, field: &FieldDescriptor, way: Way) {
    seen.insert((field.full_name().to_owned(), way));
}

fn look(seen: &mut Seen, message: &MessageDescriptor, records: &[Record]) {
    let mut here: BTreeSet<u32> = BTreeSet::new();
    let (mut packed, mut unpacked) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        let Some(field) = message.get_field(record.number) else {
            let way = match record.payload {
                Payload::Group(_) => Way::UnknownGroup,
                _ => Way::Unknown,
            };
            seen.insert((message.full_name().to_owned(), way));
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
                packed.insert(record.number);
                for (number, _) in numbers {
                    value(seen, &field, number);
                }
            }
            payload => {
                if field.is_packed() {
                    note(seen, &field, Way::Unpacked);
                    unpacked.insert(record.number);
                }
                value(seen, &field, payload);
            }
        }
        if let Some(inner) = field.kind().as_message() {
            look(seen, inner, record.payload.records());
        }
    }
    for number in packed.intersection(&unpacked) {
        note(seen, &message.get_field(*number).unwrap(), Way::Mixed);
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
fn ways(field: &FieldDescriptor, unruly: bool) -> Vec<Way> {
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
            true if field.is_packed() => ways.extend([Way::Unpacked, Way::Mixed]),
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
/// Guarantees: every field of every message in every request is among them, at its default and at
/// other values, with every number of an enum, and every message with a field that it doesn't
/// know. Those that encoders don't write have each field in every way that protobuf allows, and
/// the others in no way that encoders don't choose.
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
        let mut expected = Seen::new();
        for (name, message) in reachable() {
            for field in message.fields() {
                let ways = ways(&field, unruly).into_iter();
                expected.extend(ways.map(|way| (field.full_name().to_owned(), way)));
            }
            if unruly {
                expected.insert((name.clone(), Way::UnknownGroup));
            }
            expected.insert((name, Way::Unknown));
        }
        let missed: Vec<_> = expected.difference(&seen).collect();
        assert!(missed.is_empty(), "never written: {missed:#?}");
        let more: Vec<_> = seen.difference(&expected).collect();
        assert!(more.is_empty(), "not to be expected: {more:#?}");
    }
}
