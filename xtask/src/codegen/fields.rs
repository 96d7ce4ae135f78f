//! The fields of each message by name, for walks that are written by hand.

use std::fmt::Write;

use anyhow::Result;
use prost_types::field_descriptor_proto::Type;

use super::descriptors::{Descriptors, Field};
use super::roots::{function, numbers, reached};

/// A module of tags for every message that a request can hold.
pub(super) fn generate(descriptors: &Descriptors) -> Result<String> {
    let mut code = String::new();
    for index in reached(descriptors)? {
        let message = &descriptors.messages()[index];
        writeln!(
            code,
            "/// Tags of `{}`, as next_tag gives them.
            pub(crate) mod {} {{",
            message.name,
            function(message)
        )?;
        for field in message.fields() {
            writeln!(
                code,
                "pub(crate) const {}: u32 = {};",
                field.name().to_uppercase(),
                field.descriptor.number() << 3 | wire_type(&field)
            )?;
        }
        let numbers = numbers(message);
        writeln!(
            code,
            "/// The numbers of all of them.
            pub(crate) const NUMBERS: &[u32] = &[{numbers}];
            }}"
        )?;
    }
    super::format(&code)
}

/// The wire type of a field; that of a packed list, if it can be one.
fn wire_type(field: &Field<'_>) -> i32 {
    match field.descriptor.r#type() {
        _ if field.is_repeated() => 2,
        Type::String | Type::Bytes | Type::Message => 2,
        Type::Double | Type::Fixed64 | Type::Sfixed64 => 1,
        Type::Float | Type::Fixed32 | Type::Sfixed32 => 5,
        Type::Group => 3,
        Type::Int64
        | Type::Uint64
        | Type::Int32
        | Type::Uint32
        | Type::Sint32
        | Type::Sint64
        | Type::Bool
        | Type::Enum => 0,
    }
}
