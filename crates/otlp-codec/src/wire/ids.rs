//! Ids of a length that OTLP doesn't have.

use super::below;
use super::reader::{Malformed, Reader, WireType};
use super::tables::{Kind, Shape};
use crate::DecodeError;
use crate::proto::tables::TABLES;

/// The error that names the first id of a wrong length in a valid message, in the order of its
/// items.
pub(crate) fn first_wrong_id(root: usize, wire: &[u8]) -> Option<DecodeError> {
    let wrong = in_message(root, wire).ok().flatten()?;
    Some(DecodeError::IdLength {
        path: wrong.path,
        len: wrong.len,
        expected: wrong.expected,
    })
}

struct Wrong {
    path: String,
    len: usize,
    expected: usize,
}

/// Looks at the message's own ids first: trace ids, then span ids, in ascending order of fields.
fn in_message(table: usize, wire: &[u8]) -> Result<Option<Wrong>, Malformed> {
    let table = &TABLES[table];
    let mut ids: Vec<_> = table
        .fields
        .iter()
        .filter_map(|field| match field.kind {
            Kind::Id(expected) => Some((expected, field)),
            _ => None,
        })
        .collect();
    ids.sort_by_key(|(expected, _)| std::cmp::Reverse(*expected));
    for (expected, field) in ids {
        let len = last_length(field.number, wire)?;
        if len != 0 && len != expected {
            let path = field.name.to_owned();
            return Ok(Some(Wrong {
                path,
                len,
                expected,
            }));
        }
    }
    let mut counts = vec![0; table.fields.len()];
    let mut reader = Reader::new(wire);
    while !reader.is_empty() {
        let (number, wire_type) = reader.tag()?;
        let (Some((place, field)), WireType::Bytes) = (table.field(number), wire_type) else {
            reader.pass(number, wire_type)?;
            continue;
        };
        let inner = reader.bytes()?;
        if let Kind::Message(table) = field.kind
            && let Some(mut wrong) = in_message(table, inner)?
        {
            let index = (field.shape == Shape::List).then_some(counts[place]);
            below(&mut wrong.path, field.name, index);
            return Ok(Some(wrong));
        }
        counts[place] += 1;
    }
    Ok(None)
}

/// How long an id is; the last one counts.
fn last_length(id: u32, wire: &[u8]) -> Result<usize, Malformed> {
    let mut reader = Reader::new(wire);
    let mut len = 0;
    while !reader.is_empty() {
        match reader.tag()? {
            (number, WireType::Bytes) if number == id => len = reader.bytes()?.len(),
            (number, wire_type) => reader.pass(number, wire_type)?,
        }
    }
    Ok(len)
}
