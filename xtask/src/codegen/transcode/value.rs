//! How a walk reads and writes the value of a field.

use anyhow::{Result, bail, ensure};
use prost_types::field_descriptor_proto::Type;

use super::{Walk, enums};
use crate::codegen::descriptors::Field;

/// How a type of value is read and written.
pub(super) struct Value {
    pub(super) wire_type: u32,
    /// An expression for the value and the rest of `wire`.
    pub(super) read: String,
    /// Statements that write `value` to `out`.
    pub(super) write: String,
    /// Whether the text stands in quotes.
    pub(super) quoted: bool,
    /// Whether `value` differs from the default.
    pub(super) default_test: Option<String>,
}

impl Value {
    pub(super) fn of(walk: &Walk<'_>, field: &Field<'_>) -> Result<Self> {
        let (wire_type, read, write, quoted, test) = match field.descriptor.r#type() {
            Type::Double => (
                1,
                "fixed64(wire)?",
                "double(out, f64::from_bits(value), cx)",
                false,
                "value != 0",
            ),
            // Points of one export tend to have the same times; spans and records don't.
            Type::Fixed64 if is_point_time(field) => (
                1,
                "fixed64(wire)?",
                match field.name() {
                    "start_time_unix_nano" => "time(out, value, 0, cx)",
                    _ => "time(out, value, 1, cx)",
                },
                true,
                "value != 0",
            ),
            Type::Fixed64 => (
                1,
                "fixed64(wire)?",
                "uint64(out, value, cx)",
                true,
                "value != 0",
            ),
            Type::Sfixed64 => (
                1,
                "fixed64(wire)?",
                "int64(out, value as i64, cx)",
                true,
                "value != 0",
            ),
            Type::Uint64 => (
                0,
                "varint(wire)?",
                "uint64(out, value, cx)",
                true,
                "value != 0",
            ),
            Type::Int64 => (
                0,
                "varint(wire)?",
                "int64(out, value as i64, cx)",
                true,
                "value != 0",
            ),
            Type::Fixed32 => (
                5,
                "fixed32(wire)?",
                "uint32(out, value, cx)",
                false,
                "value != 0",
            ),
            Type::Uint32 => (
                0,
                "varint(wire)?",
                "uint32(out, value as u32, cx)",
                false,
                "value as u32 != 0",
            ),
            Type::Int32 => (
                0,
                "varint(wire)?",
                "int32(out, value as i32, cx)",
                false,
                "value as i32 != 0",
            ),
            Type::Sint32 => (
                0,
                "varint(wire)?",
                "int32(out, sint32(value), cx)",
                false,
                "sint32(value) != 0",
            ),
            Type::Bool => (
                0,
                "varint(wire)?",
                "boolean(out, value != 0, cx)",
                false,
                "value != 0",
            ),
            Type::String => (
                2,
                "bytes(wire)?",
                "string(out, value, cx)",
                true,
                "!value.is_empty()",
            ),
            Type::Bytes if field.is_profile_id() => (
                2,
                "bytes(wire)?",
                "profile_id::<PROTOJSON>(out, value, cx)",
                true,
                "!value.is_empty()",
            ),
            Type::Bytes if field.is_hex_id() => (
                2,
                "bytes(wire)?",
                "id::<PROTOJSON>(out, value, cx)",
                true,
                "!value.is_empty()",
            ),
            Type::Bytes => (
                2,
                "bytes(wire)?",
                "base64(out, value, cx)",
                true,
                "!value.is_empty()",
            ),
            Type::Message => {
                let index = walk.descriptors.index_of(field.descriptor.type_name())?;
                let function = walk.function(index);
                return Ok(Self {
                    wire_type: 2,
                    read: "bytes(wire)?".to_owned(),
                    // Attributes repeat from item to item.
                    write: match field.is_repeated() && function == "common_v1_key_value" {
                        true => {
                            format!("out = attribute(value, out, cx, deeper(depth)?, {function})?;")
                        }
                        false => format!("out = {function}(value, out, cx, deeper(depth)?)?;"),
                    },
                    quoted: false,
                    default_test: None,
                });
            }
            Type::Enum => {
                ensure!(!field.is_repeated(), "a list of enums: {}", field.name());
                let names = enums::constant(field.descriptor.type_name().trim_start_matches('.'))?;
                return Ok(Self {
                    wire_type: 0,
                    read: "varint(wire)?".to_owned(),
                    write: format!(
                        "out = enumeration::<PROTOJSON>(out, value as i32, &{names}, cx)?;"
                    ),
                    quoted: false,
                    default_test: Some("value as i32 != 0".to_owned()),
                });
            }
            other @ (Type::Float | Type::Group | Type::Sfixed32 | Type::Sint64) => bail!(
                "{}.{} is a {other:?}, which OTLP has none of",
                field.message.name,
                field.name()
            ),
        };
        Ok(Self {
            wire_type,
            read: read.to_owned(),
            write: format!("out = {write}?;"),
            quoted,
            default_test: Some(test.to_owned()),
        })
    }

    pub(super) fn is_scalar(&self) -> bool {
        self.wire_type != 2
    }

    pub(super) fn write_counted(&self) -> String {
        format!("cx.count()?; {}", self.write)
    }
}

/// Whether a field is the time of a data point.
fn is_point_time(field: &Field<'_>) -> bool {
    field.message.package.0.starts_with("metrics.") && field.name().ends_with("time_unix_nano")
}
