//! The one list of where OTLP JSON deviates from what pbjson writes.
//!
//! Each rule says how often its text must occur, so that a change in pbjson's output breaks the
//! build and not the wire format.

use prost_types::field_descriptor_proto::Type;

use super::descriptors::{Descriptors, Field, Package};

/// A replacement in the writer of one message.
pub(super) struct Override {
    /// The Rust path of the message.
    pub(super) message: String,
    pub(super) find: String,
    pub(super) replace: String,
    /// How often `find` must occur.
    pub(super) count: usize,
}

/// What to change in the writers of a package.
pub(super) fn list(descriptors: &Descriptors, package: &Package) -> Vec<Override> {
    let mut rules = Vec::new();
    for field in descriptors
        .messages_of(package)
        .flat_map(|message| message.fields())
    {
        if field.is_hex_id() {
            rules.push(hex_id(&field));
        }
        if field.is_repeated() && is_64_bit_integer(&field) {
            rules.push(integers(&field));
        }
        if field.descriptor.r#type() == Type::Double {
            rules.push(double(&field));
            if field.is_implicit() {
                rules.push(negative_zero(&field));
            }
        }
    }
    rules
}

fn rule(field: &Field<'_>, find: String, replace: String, count: usize) -> Override {
    Override {
        message: field.message.rust_path(),
        find,
        replace,
        count,
    }
}

/// Ids are hex and not base64 (OTLP spec, "JSON Protobuf Encoding").
fn hex_id(field: &Field<'_>) -> Override {
    let name = field.rust_name();
    let writer = match field.is_profile_id() {
        true => "ProfileId",
        false => "Hex",
    };
    rule(
        field,
        format!("pbjson::private::base64::encode(&self.{name}).as_str()"),
        format!("&crate::json::write::{writer}(&self.{name})"),
        1,
    )
}

/// Doubles that JSON has no number for are the strings `NaN`, `Infinity` and `-Infinity`
/// (ProtoJSON); serde_json writes `null`, which reads as absent.
fn double(field: &Field<'_>) -> Override {
    let json = field.json_name();
    let (value, wrapped) = if field.is_repeated() {
        let value = format!("&self.{}", field.rust_name());
        (
            value.clone(),
            format!("&crate::json::write::Doubles({value})"),
        )
    } else if field.is_implicit() {
        let name = field.rust_name();
        (
            format!("&self.{name}"),
            format!("&crate::json::write::Double(self.{name})"),
        )
    } else {
        ("v".to_owned(), "&crate::json::write::Double(*v)".to_owned())
    };
    rule(
        field,
        format!("serialize_field(\"{json}\", {value})"),
        format!("serialize_field(\"{json}\", {wrapped})"),
        1,
    )
}

fn is_64_bit_integer(field: &Field<'_>) -> bool {
    matches!(
        field.descriptor.r#type(),
        Type::Int64 | Type::Uint64 | Type::Fixed64 | Type::Sfixed64 | Type::Sint64
    )
}

/// Lists of integers are written one by one; pbjson makes a list of strings of them first, which
/// is many times as large.
fn integers(field: &Field<'_>) -> Override {
    let list = format!("self.{}", field.rust_name());
    rule(
        field,
        format!("&{list}.iter().map(ToString::to_string).collect::<Vec<_>>()"),
        format!("&crate::json::write::Integers(&{list})"),
        1,
    )
}

/// Only +0.0 is the default that is left out: -0.0 keeps its sign.
fn negative_zero(field: &Field<'_>) -> Override {
    let name = field.rust_name();
    rule(
        field,
        format!("self.{name} != 0."),
        format!("self.{name}.to_bits() != 0"),
        2,
    )
}
