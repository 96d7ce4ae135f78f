//! The fields of a request in another order, some of them twice, lists not packed, unknown
//! fields and groups between them.

use otlp_codec::Signal;

use super::dice::Dice;

/// A message: its fields that are messages, and those that are lists of numbers with the wire
/// type of an element.
struct Shape {
    messages: &'static [(u64, &'static Shape)],
    lists: &'static [(u64, u64)],
}

const fn shape(messages: &'static [(u64, &'static Shape)]) -> Shape {
    let lists = &[];
    Shape { messages, lists }
}

static LEAF: Shape = shape(&[]);
static ANY: Shape = shape(&[(5, &ARRAY), (6, &KVLIST)]);
static ARRAY: Shape = shape(&[(1, &ANY)]);
static KVLIST: Shape = shape(&[(1, &KV)]);
static KV: Shape = shape(&[(2, &ANY)]);
static RESOURCE: Shape = shape(&[(1, &KV), (3, &LEAF)]);
static SCOPE: Shape = shape(&[(3, &KV)]);
static METRICS: Shape = shape(&[(1, &RESOURCE_METRICS)]);
static RESOURCE_METRICS: Shape = shape(&[(1, &RESOURCE), (2, &SCOPE_METRICS)]);
static SCOPE_METRICS: Shape = shape(&[(1, &SCOPE), (2, &METRIC)]);
static METRIC: Shape = shape(&[
    (5, &NUMBERS),
    (7, &NUMBERS),
    (9, &HISTOGRAM),
    (10, &EXPONENTIAL),
    (11, &SUMMARY),
    (12, &KV),
]);
static NUMBERS: Shape = shape(&[(1, &NUMBER)]);
static NUMBER: Shape = shape(&[(7, &KV), (5, &EXEMPLAR)]);
static HISTOGRAM: Shape = shape(&[(1, &HISTOGRAM_POINT)]);
static HISTOGRAM_POINT: Shape = Shape {
    messages: &[(9, &KV), (8, &EXEMPLAR)],
    lists: &[(6, 1), (7, 1)],
};
static EXPONENTIAL: Shape = shape(&[(1, &EXPONENTIAL_POINT)]);
static EXPONENTIAL_POINT: Shape = shape(&[(1, &KV), (8, &BUCKETS), (9, &BUCKETS), (11, &EXEMPLAR)]);
static BUCKETS: Shape = Shape {
    messages: &[],
    lists: &[(2, 0)],
};
static SUMMARY: Shape = shape(&[(1, &SUMMARY_POINT)]);
static SUMMARY_POINT: Shape = shape(&[(7, &KV), (6, &LEAF)]);
static EXEMPLAR: Shape = shape(&[(7, &KV)]);
static TRACES: Shape = shape(&[(1, &RESOURCE_SPANS)]);
static RESOURCE_SPANS: Shape = shape(&[(1, &RESOURCE), (2, &SCOPE_SPANS)]);
static SCOPE_SPANS: Shape = shape(&[(1, &SCOPE), (2, &SPAN)]);
static SPAN: Shape = shape(&[(9, &KV), (11, &EVENT), (13, &LINK), (15, &LEAF)]);
static EVENT: Shape = shape(&[(3, &KV)]);
static LINK: Shape = shape(&[(4, &KV)]);
static LOGS: Shape = shape(&[(1, &RESOURCE_LOGS)]);
static RESOURCE_LOGS: Shape = shape(&[(1, &RESOURCE), (2, &SCOPE_LOGS)]);
static SCOPE_LOGS: Shape = shape(&[(1, &SCOPE), (2, &RECORD)]);
static RECORD: Shape = shape(&[(5, &ANY), (6, &KV)]);

/// Scrambles a valid request; one step in so many is unusual.
pub(crate) fn scrambled(signal: Signal, wire: &[u8], rarity: usize, dice: &mut Dice) -> Vec<u8> {
    let shape = match signal {
        Signal::Metrics => &METRICS,
        Signal::Traces => &TRACES,
        _ => &LOGS,
    };
    scramble(shape, wire, rarity, dice)
}

fn scramble(shape: &Shape, mut wire: &[u8], rarity: usize, dice: &mut Dice) -> Vec<u8> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    while !wire.is_empty() {
        let tag = varint(&mut wire);
        let mut field = Vec::new();
        match tag & 7 {
            0 => {
                let value = varint(&mut wire);
                push(&mut field, tag);
                push(&mut field, value);
            }
            1 | 5 => {
                let (value, rest) = wire.split_at(if tag & 7 == 1 { 8 } else { 4 });
                wire = rest;
                push(&mut field, tag);
                field.extend_from_slice(value);
            }
            _ => {
                let len = varint(&mut wire) as usize;
                let (value, rest) = wire.split_at(len);
                wire = rest;
                let number = tag >> 3;
                let message = shape.messages.iter().find(|(field, _)| *field == number);
                let list = shape.lists.iter().find(|(field, _)| *field == number);
                match (message, list) {
                    (Some((_, inner)), _) => {
                        push_bytes(&mut field, tag, &scramble(inner, value, rarity, dice));
                    }
                    (_, Some((_, element))) if dice.below(rarity) == 0 => {
                        unpack(&mut field, number << 3 | element, value);
                    }
                    _ => push_bytes(&mut field, tag, value),
                }
            }
        }
        if dice.below(rarity) == 0 {
            fields.push(field.clone());
        }
        fields.push(field);
    }
    if dice.below(rarity) == 0 {
        // A group of field 1000 that holds its field 1, and a number in field 1001.
        fields.push(vec![0xc3, 0x3e, 0x08, 0x01, 0xc4, 0x3e]);
        fields.push(vec![0xc8, 0x3e, 0x01]);
    }
    if dice.below(rarity) == 0 {
        for at in (1..fields.len()).rev() {
            fields.swap(at, dice.below(at + 1));
        }
    }
    fields.concat()
}

fn unpack(field: &mut Vec<u8>, tag: u64, mut list: &[u8]) {
    while !list.is_empty() {
        push(field, tag);
        if tag & 7 == 0 {
            let value = varint(&mut list);
            push(field, value);
        } else {
            let (value, rest) = list.split_at(8);
            field.extend_from_slice(value);
            list = rest;
        }
    }
}

fn varint(wire: &mut &[u8]) -> u64 {
    prost::encoding::decode_varint(wire).unwrap()
}

fn push(field: &mut Vec<u8>, value: u64) {
    prost::encoding::encode_varint(value, field);
}

fn push_bytes(field: &mut Vec<u8>, tag: u64, bytes: &[u8]) {
    push(field, tag);
    push(field, bytes.len() as u64);
    field.extend_from_slice(bytes);
}
