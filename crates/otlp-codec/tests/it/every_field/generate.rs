//! Messages of a descriptor, so that no field can be forgotten.

use proptest::prelude::RngExt as _;
use proptest::test_runner::TestRng;
use prost_reflect::{FieldDescriptor, MessageDescriptor};

use super::records::{Payload, Record};
use super::values;

/// How a message is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flavour {
    /// In ways that protobuf allows and encoders don't choose: fields in any order and more than
    /// once, sub-messages in parts, lists packed in parts or not at all, two members of a oneof,
    /// numbers of more bytes or more bits than they need, groups.
    pub(super) unruly: bool,
    /// With some ids of a wrong length.
    pub(super) odd_ids: bool,
}

/// How many messages may lie in one another.
const DEEPEST: u32 = 14;
/// Down to here lie the messages that every request is made of.
const FRAME: u32 = 5;

/// Draws messages.
pub(super) struct Generator<'a> {
    pub(super) rng: &'a mut TestRng,
    pub(super) flavour: Flavour,
    /// How many records may still be drawn.
    pub(super) fuel: u32,
}

impl Generator<'_> {
    fn one_in(&mut self, times: u32) -> bool {
        self.rng.random_range(0..times) == 0
    }

    /// As [`Self::one_in`], and never in a message as encoders write it.
    fn unruly(&mut self, times: u32) -> bool {
        self.flavour.unruly && self.one_in(times)
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.rng.random_range(0..=at));
        }
    }

    /// A message at a depth.
    pub(super) fn message(&mut self, message: &MessageDescriptor, depth: u32) -> Vec<Record> {
        let mut records = Vec::new();
        for field in self.chosen(message, depth) {
            if self.fuel == 0 {
                break;
            }
            let written = self.field(&field, depth);
            records.extend(written);
        }
        records.sort_by_key(|record| record.number);
        if self.unruly(2) {
            self.shuffle(&mut records);
        }
        self.add_unknown(message, &mut records);
        if self.flavour.unruly {
            self.pad(&mut records);
        }
        records
    }

    /// Which fields are written, in the order in which they draw on the fuel.
    fn chosen(&mut self, message: &MessageDescriptor, depth: u32) -> Vec<FieldDescriptor> {
        let mut fields: Vec<FieldDescriptor> = Vec::new();
        let only_one = !self.unruly(3);
        for oneof in message.oneofs().filter(|_| only_one) {
            let members: Vec<FieldDescriptor> = oneof.fields().collect();
            fields.push(members[self.rng.random_range(0..members.len())].clone());
        }
        let others = message.fields();
        fields.extend(others.filter(|field| field.containing_oneof().is_none() || !only_one));
        fields.retain(|field| match field.kind().as_message() {
            Some(_) if depth >= DEEPEST => false,
            Some(_) if depth < FRAME => !self.one_in(12),
            _ => self.one_in(2),
        });
        self.shuffle(&mut fields);
        fields
    }

    /// The records of a field.
    fn field(&mut self, field: &FieldDescriptor, depth: u32) -> Vec<Record> {
        match field.kind().as_message() {
            Some(_) if field.is_list() => self.messages(field, depth),
            Some(_) => self.one_message(field, depth),
            None if field.is_list() => self.scalars(field),
            None => {
                let times = 1 + usize::from(self.unruly(6));
                (0..times).map(|_| self.scalar_record(field)).collect()
            }
        }
    }

    fn message_record(&mut self, field: &FieldDescriptor, depth: u32) -> Record {
        self.fuel = self.fuel.saturating_sub(1);
        let empty = self.one_in(20);
        let mut records = Vec::new();
        if let Some(message) = field.kind().as_message()
            && !empty
        {
            // Attributes, which are everywhere, leave most of the fuel to what has them.
            let kept = match message.full_name().contains(".common.") {
                true => self.fuel / 8 * 7,
                false => 0,
            };
            self.fuel -= kept;
            records = self.message(message, depth + 1);
            self.fuel += kept;
        }
        Record::new(field.number(), Payload::Message(records))
    }

    /// A message of which there is one, perhaps in two parts.
    fn one_message(&mut self, field: &FieldDescriptor, depth: u32) -> Vec<Record> {
        let mut record = self.message_record(field, depth);
        let mut more = Vec::new();
        if self.unruly(4)
            && let Some(records) = record.payload.records_mut()
        {
            let at = self.rng.random_range(0..=records.len());
            let second = Payload::Message(records.split_off(at));
            more.push(Record::new(field.number(), second));
        }
        if self.unruly(8) {
            more.push(self.message_record(field, depth));
        }
        more.insert(0, record);
        more
    }

    /// A list of messages, some of which come again, or almost: the walks remember what they saw.
    fn messages(&mut self, field: &FieldDescriptor, depth: u32) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::new();
        loop {
            match records.last() {
                Some(last) if self.one_in(3) => {
                    let mut again = last.clone();
                    if self.one_in(2) {
                        self.change(&mut again);
                    }
                    records.push(again);
                }
                _ => records.push(self.message_record(field, depth)),
            }
            if self.fuel == 0 || self.one_in(2) {
                return records;
            }
        }
    }

    /// Changes a bit here and there in a record, so that what is text stays text, and what is in
    /// range stays in range.
    fn change(&mut self, record: &mut Record) {
        match &mut record.payload {
            Payload::Varint(value) | Payload::Fixed64(value) => *value ^= 1,
            Payload::Fixed32(value) => *value ^= 1,
            Payload::Bytes(bytes) => {
                if let Some(last) = bytes.last_mut().filter(|last| last.is_ascii()) {
                    *last ^= 1;
                }
            }
            Payload::Message(records) | Payload::Group(records) => {
                for record in records {
                    if self.one_in(2) {
                        self.change(record);
                    }
                }
            }
            Payload::Packed(numbers) => {
                if let Some((Payload::Varint(value) | Payload::Fixed64(value), _)) =
                    numbers.last_mut()
                {
                    *value ^= 1;
                }
            }
        }
    }

    fn scalar(&mut self, field: &FieldDescriptor) -> Payload {
        self.fuel = self.fuel.saturating_sub(1);
        let raw = self.unruly(4);
        values::scalar(self.rng, field, raw, self.flavour.odd_ids)
    }

    fn scalar_record(&mut self, field: &FieldDescriptor) -> Record {
        Record::new(field.number(), self.scalar(field))
    }

    /// A list of scalars: packed where that can be, in an unruly message also in parts or not.
    fn scalars(&mut self, field: &FieldDescriptor) -> Vec<Record> {
        let mut records = Vec::new();
        loop {
            let several = self.rng.random_range(1..5);
            match field.is_packed() && !self.unruly(3) {
                true => {
                    let empty = self.unruly(6);
                    let several = if empty { 0 } else { several };
                    let numbers = (0..several).map(|_| (self.scalar(field), 0)).collect();
                    records.push(Record::new(field.number(), Payload::Packed(numbers)));
                }
                false => records.extend((0..several).map(|_| self.scalar_record(field))),
            }
            if !self.unruly(2) {
                return records;
            }
        }
    }

    /// Adds fields that the message doesn't have, as a newer encoder would: behind the others.
    fn add_unknown(&mut self, message: &MessageDescriptor, records: &mut Vec<Record>) {
        const NUMBERS: [u32; 8] = [1, 4, 8, 15, 16, 1000, 2048, (1 << 29) - 1];
        while (self.flavour.unruly && self.one_in(6)) || self.one_in(24) {
            let highest = records.last().map_or(0, |record| record.number);
            let number = NUMBERS[self.rng.random_range(0..NUMBERS.len())];
            if message.get_field(number).is_some() {
                continue;
            }
            let record = Record::new(number, self.unknown(0));
            match self.flavour.unruly {
                true => {
                    let at = self.rng.random_range(0..=records.len());
                    records.insert(at, record);
                }
                false if number > highest => records.push(record),
                false => {}
            }
        }
    }

    fn unknown(&mut self, depth: u32) -> Payload {
        let value: u64 = self.rng.random();
        let kinds = if self.flavour.unruly { 6 } else { 4 };
        match self.rng.random_range(0..kinds) {
            0 => Payload::Varint(value >> self.rng.random_range(0..64)),
            1 => Payload::Fixed64(value),
            2 => Payload::Fixed32(value as u32),
            3 => {
                let length = self.rng.random_range(0..9);
                Payload::Bytes(value.to_le_bytes()[..length].to_vec())
            }
            _ if depth > 2 => Payload::Group(Vec::new()),
            _ => {
                let several = self.rng.random_range(0..3);
                let inner = (0..several).map(|_| {
                    let number = self.rng.random_range(1..20);
                    Record::new(number, self.unknown(depth + 1))
                });
                Payload::Group(inner.collect())
            }
        }
    }

    /// Makes some tags, lengths and varints longer than they need to be.
    fn pad(&mut self, records: &mut [Record]) {
        for record in records {
            if self.one_in(16) {
                record.tag_padding = self.rng.random_range(1..5);
            }
            if self.one_in(16) {
                record.padding = self.rng.random_range(1..10);
            }
            if let Payload::Packed(numbers) = &mut record.payload {
                for (_, padding) in numbers {
                    if self.one_in(8) {
                        *padding = self.rng.random_range(1..10);
                    }
                }
            }
        }
    }
}
