//! The walk from protobuf to OTLP JSON: one function for each message.
//!
//! What a function can't write in one pass it leaves to the typed door, by `Stop`: a field that
//! comes again (each has a bit in `seen`; the members of a oneof share one), a list that is not
//! packed, a known field of another wire type.

use std::fmt::Write;

use anyhow::{Result, bail, ensure};
use prost_types::field_descriptor_proto::Type;

use super::descriptors::{Descriptors, Field, MessageInfo};
use super::roots::{ROOTS, function, numbers, reached};

/// The functions of every message that a request can hold.
pub(super) fn generate(descriptors: &Descriptors) -> Result<String> {
    let mut code = String::from("use crate::transcode::*;\nuse crate::walk::*;\n");
    for (name, message) in ROOTS {
        let root = &descriptors.messages()[descriptors.index_of(message)?];
        writeln!(
            code,
            "/// `{}`.
            pub(crate) fn {name}<'o>(wire: In<'_>, out: Out<'o>, cx: &mut Cx<'_>, depth: u32)
                -> Result<Out<'o>, Stop> {{ {}(wire, out, cx, depth) }}",
            &message[1..],
            function(root)
        )?;
    }
    for index in reached(descriptors)? {
        write_message(descriptors, &descriptors.messages()[index], &mut code)?;
    }
    super::format(&code)
}

fn write_message(
    descriptors: &Descriptors,
    message: &MessageInfo,
    code: &mut String,
) -> Result<()> {
    let mut arms = String::new();
    let mut bits = Vec::new();
    for field in message.fields() {
        // Members of a oneof share a bit: a second one takes the place of the first.
        let owner = field.oneof().unwrap_or(field.name()).to_owned();
        let bit = bits
            .iter()
            .position(|known| *known == owner)
            .unwrap_or_else(|| {
                bits.push(owner);
                bits.len() - 1
            });
        write_field(descriptors, &field, bit, &mut arms)?;
    }
    let nests = message
        .fields()
        .any(|field| field.descriptor.r#type() == Type::Message);
    let depth = if nests { "depth" } else { "_" };
    ensure!(
        bits.len() <= 32,
        "{} has more fields than `seen` has bits",
        message.name
    );
    writeln!(
        code,
        "fn {}<'o>(mut wire: In<'_>, mut out: Out<'o>, cx: &mut Cx<'_>, {depth}: u32)
            -> Result<Out<'o>, Stop> {{
            let mut separator = b'{{';
            let mut seen = 0_u32;
            while let Some((tag, rest)) = next_tag(wire)? {{
                wire = rest;
                match tag {{
                    {arms}
                    _ => wire = unknown(tag, wire, &[{}])?,
                }}
            }}
            end(out, separator, cx)
        }}",
        function(message),
        numbers(message)
    )?;
    Ok(())
}

fn write_field(
    descriptors: &Descriptors,
    field: &Field<'_>,
    bit: usize,
    arms: &mut String,
) -> Result<()> {
    let value = Value::of(descriptors, field)?;
    let packed = field.is_repeated() && value.is_scalar();
    let wire_type = if packed { 2 } else { value.wire_type };
    let tag = u32::try_from(field.descriptor.number())? << 3 | wire_type;
    let json = field.json_name();
    let quote = if value.quoted { "\\\"" } else { "" };
    writeln!(arms, "{tag} => {{ first(&mut seen, {bit})?;")?;
    if packed {
        // An empty packed list is no list.
        let list = match field.name() {
            // Bounds repeat from point to point.
            "explicit_bounds" => format!(
                "out = key(out, b\",\\\"{json}\\\":[\", &mut separator, cx)?;
                out = bounds(list, out, cx)?;
                out = put(out, b\"]\", cx)?;"
            ),
            _ => String::new(),
        };
        if !list.is_empty() {
            writeln!(
                arms,
                "let (list, rest) = bytes(wire)?; wire = rest;
                if !list.is_empty() {{ {list} }} }}"
            )?;
            return Ok(());
        }
        writeln!(
            arms,
            "let (mut list, rest) = bytes(wire)?; wire = rest;
            if !list.is_empty() {{
                out = key(out, b\",\\\"{json}\\\":[{quote}\", &mut separator, cx)?;
                loop {{
                    let (value, rest) = {}; list = rest;
                    {}
                    if list.is_empty() {{ break; }}
                    out = put(out, b\"{quote},{quote}\", cx)?;
                }}
                out = put(out, b\"{quote}]\", cx)?;
            }}",
            value.read.replace("wire", "list"),
            value.write
        )?;
    } else if field.is_repeated() {
        writeln!(
            arms,
            "out = key(out, b\",\\\"{json}\\\":[{quote}\", &mut separator, cx)?;
            loop {{
                let (value, rest) = {}; wire = rest;
                {}
                let Some(rest) = more(wire, &{}) else {{ break }};
                wire = rest;
                out = put(out, b\"{quote},{quote}\", cx)?;
            }}
            out = put(out, b\"{quote}]\", cx)?;",
            value.read,
            value.write_counted(),
            tag_bytes(tag)
        )?;
    } else {
        let end = match quote {
            "" => String::new(),
            quote => format!("out = put(out, b\"{quote}\", cx)?;"),
        };
        let write = format!(
            "out = key(out, b\",\\\"{json}\\\":{quote}\", &mut separator, cx)?; {} {end}",
            match field.descriptor.r#type() {
                Type::Message => value.write_counted(),
                _ => value.write.clone(),
            }
        );
        let guarded = match value
            .default_test
            .as_deref()
            .filter(|_| field.is_implicit())
        {
            Some(test) => format!("if {test} {{ {write} }}"),
            None => write,
        };
        writeln!(
            arms,
            "let (value, rest) = {}; wire = rest; {guarded}",
            value.read
        )?;
    }
    arms.push_str("}\n");
    Ok(())
}

/// Whether a field is the time of a data point.
fn is_point_time(field: &Field<'_>) -> bool {
    field.message.package.0.starts_with("metrics.") && field.name().ends_with("time_unix_nano")
}

/// The bytes of a tag, as an array.
fn tag_bytes(tag: u32) -> String {
    match tag {
        0..0x80 => format!("[{tag}]"),
        _ => format!("[{}, {}]", tag & 0x7f | 0x80, tag >> 7),
    }
}

/// How a type of value is read and written.
struct Value {
    wire_type: u32,
    /// An expression for the value and the rest of `wire`.
    read: String,
    /// Statements that write `value` to `out`.
    write: String,
    /// Whether the text stands in quotes.
    quoted: bool,
    /// Whether `value` differs from the default.
    default_test: Option<String>,
}

impl Value {
    fn of(descriptors: &Descriptors, field: &Field<'_>) -> Result<Self> {
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
            Type::Int32 | Type::Enum => (
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
                "profile_id(out, value, cx)",
                true,
                "!value.is_empty()",
            ),
            Type::Bytes if field.is_hex_id() => (
                2,
                "bytes(wire)?",
                "hex(out, value, cx)",
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
                let index = descriptors.index_of(field.descriptor.type_name())?;
                let function = function(&descriptors.messages()[index]);
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

    fn is_scalar(&self) -> bool {
        self.wire_type != 2
    }

    fn write_counted(&self) -> String {
        format!("cx.count()?; {}", self.write)
    }
}
