//! The pass from OTLP JSON to protobuf: two functions for each message, one that finds the field
//! of a key and one that reads the members of an object.
//!
//! What a function can't read it leaves to the typed door, by `Stop`; an error too.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Result, bail, ensure};
use prost_types::field_descriptor_proto::Type;

use super::descriptors::{Descriptors, Field, MessageInfo};
use super::roots::{ROOTS, function, reached};

/// The message that has a quick way of its own.
const KEY_VALUE: &str = ".opentelemetry.proto.common.v1.KeyValue";

/// The functions of every message that a request can hold.
pub(super) fn generate(descriptors: &Descriptors) -> Result<String> {
    let mut code = String::from(
        "use crate::from_json::*;\nuse crate::json::read::EnumNames;\nuse crate::walk::{In, first};\n",
    );
    for (name, message) in ROOTS {
        let root = &descriptors.messages()[descriptors.index_of(message)?];
        writeln!(
            code,
            "/// `{}`.
            pub(crate) fn {name}<'a>(json: In<'a>, cx: &mut Cx<'_>, depth: u32) -> Rest<'a> {{
                {}(json, cx, depth)
            }}",
            &message[1..],
            function(root)
        )?;
    }
    let mut slots = 0;
    for index in reached(descriptors)? {
        write_message(
            descriptors,
            &descriptors.messages()[index],
            &mut slots,
            &mut code,
        )?;
    }
    writeln!(
        code,
        "/// How many fields have a length that is guessed.
        pub(crate) const SLOTS: usize = {slots};"
    )?;
    super::format(&code)
}

fn write_message(
    descriptors: &Descriptors,
    message: &MessageInfo,
    slots: &mut usize,
    code: &mut String,
) -> Result<()> {
    let function = function(message);
    let fields: Vec<_> = message.fields().collect();
    ensure!(
        fields.len() <= 32,
        "{} has more fields than `seen` has bits",
        message.name
    );
    let mut arms = String::new();
    for (bit, field) in fields.iter().enumerate() {
        let choose = match field.oneof() {
            Some(oneof) => format!(
                "choose(json, &mut chosen, {})?;",
                message
                    .descriptor
                    .oneof_decl
                    .iter()
                    .position(|known| known.name() == oneof)
                    .unwrap_or_default()
            ),
            None => String::new(),
        };
        let read = reader(descriptors, field, slots)?;
        writeln!(
            arms,
            "{bit} => {{ first(&mut seen, {bit})?; {choose} {read}? }}"
        )?;
    }
    let chooses = fields.iter().any(|field| field.oneof().is_some());
    writeln!(
        code,
        "{keys}
        {next}
        fn {function}<'a>(json: In<'a>, cx: &mut Cx<'_>, depth: u32) -> Rest<'a> {{
            let mut json = ws(json);
            if let Some(rest) = empty(json) {{ return Ok(rest); }}
            let mut seen = 0_u32;
            {chosen}
            let mut field = UNKNOWN;
            loop {{
                (field, json) = match {function}_next(field, json) {{
                    Some(next) => next,
                    None => key(json, cx, {function}_field)?,
                }};
                json = match field {{
                    {arms}
                    _ => unknown(json, depth)?,
                }};
                match after(json)? {{
                    After::Key(rest) => json = rest,
                    After::End(rest) => return Ok(rest),
                }}
            }}
        }}",
        keys = keys(&function, &fields)?,
        next = next(&function, &fields)?,
        chosen = if chooses {
            "let mut chosen = 0_u32;"
        } else {
            ""
        },
    )?;
    Ok(())
}

/// The function that finds the field of a key: by its length first.
fn keys(function: &str, fields: &[Field<'_>]) -> Result<String> {
    let mut keys = BTreeMap::new();
    for (bit, field) in fields.iter().enumerate() {
        for key in [field.json_name(), field.name()] {
            let other = keys.insert((key.len(), key), bit);
            ensure!(
                other.is_none_or(|other| other == bit),
                "{function}: two fields of the key {key}"
            );
        }
    }
    let mut arms = String::new();
    for ((len, key), bit) in keys {
        writeln!(arms, "{len} if key == b\"{key}\" => {bit},")?;
    }
    Ok(format!(
        "#[inline(always)]
        fn {function}_field(key: &[u8]) -> u32 {{
            match key.len() {{ {arms} _ => UNKNOWN }}
        }}"
    ))
}

/// How many of the fields that are declared behind one are tried first.
const TRIED: usize = 3;

/// The function that tries the fields that are declared behind the last one, since most writers
/// keep to that order.
fn next(function: &str, fields: &[Field<'_>]) -> Result<String> {
    let mut arms = String::new();
    for last in 0..fields.len() {
        let mut tried = String::new();
        for (bit, field) in fields.iter().enumerate().skip(last).take(TRIED) {
            let key = field.json_name();
            let literal = format!("literal(json, b\"\\\"{key}\\\":\", {bit})");
            match tried.is_empty() {
                true => tried = literal,
                false => write!(tried, ".or_else(|| {literal})")?,
            }
        }
        match last.checked_sub(1) {
            Some(last) => writeln!(arms, "{last} => {tried},")?,
            None => writeln!(arms, "UNKNOWN => {tried},")?,
        }
    }
    Ok(format!(
        "#[inline(always)]
        fn {function}_next(last: u32, json: In<'_>) -> Option<(u32, In<'_>)> {{
            match last {{ {arms} _ => None }}
        }}"
    ))
}

/// An expression that reads the value of a member, and gives what is left behind it.
fn reader(descriptors: &Descriptors, field: &Field<'_>, slots: &mut usize) -> Result<String> {
    let kind = field.descriptor.r#type();
    let always = field.oneof().is_some() || field.is_optional();
    let mut slot = || {
        *slots += 1;
        *slots - 1
    };
    let (name, wire_type) = match kind {
        Type::Message => {
            let index = descriptors.index_of(field.descriptor.type_name())?;
            return Ok(format!(
                "{}(json, cx, {}, {}, depth, {})",
                match (field.is_repeated(), field.descriptor.type_name()) {
                    (true, KEY_VALUE) => "key_values",
                    (true, _) => "messages",
                    (false, _) => "message",
                },
                tag(field, 2)?,
                slot(),
                function(&descriptors.messages()[index])
            ));
        }
        Type::String if field.is_repeated() => {
            return Ok(format!("strings(json, cx, {})", tag(field, 2)?));
        }
        Type::Enum if !field.is_repeated() => {
            let path = descriptors.rust_path_from(
                &super::descriptors::Package(String::new()),
                field.descriptor.type_name(),
            )?;
            return Ok(format!(
                "enumeration(json, cx, {}, {always}, {path}::number_of)",
                tag(field, 0)?
            ));
        }
        Type::String => ("string", 2),
        Type::Bytes if field.name() == "profile_id" => ("profile_id", 2),
        Type::Bytes if field.is_hex_id() => ("hex", 2),
        Type::Bytes => ("base64", 2),
        Type::Double => ("double", 1),
        Type::Fixed64 => ("fixed64", 1),
        Type::Sfixed64 => ("sfixed64", 1),
        Type::Fixed32 => ("fixed32", 5),
        Type::Int64 => ("int64", 0),
        Type::Uint64 => ("uint64", 0),
        Type::Int32 => ("int32", 0),
        Type::Uint32 => ("uint32", 0),
        Type::Sint32 => ("sint32", 0),
        Type::Bool => ("boolean", 0),
        other => bail!("{}: no way to read a {other:?}", what(field)),
    };
    if !field.is_repeated() {
        return Ok(format!(
            "{name}(json, cx, {}, {always})",
            tag(field, wire_type)?
        ));
    }
    ensure!(
        wire_type != 2 && name != "boolean",
        "{}: no way to read such a list",
        what(field)
    );
    Ok(format!("{name}s(json, cx, {}, {})", tag(field, 2)?, slot()))
}

fn what(field: &Field<'_>) -> String {
    format!("{}.{}", field.message.name, field.name())
}

/// The bytes of a tag, as an array.
fn tag(field: &Field<'_>, wire_type: u32) -> Result<String> {
    let tag = u32::try_from(field.descriptor.number())? << 3 | wire_type;
    Ok(match tag {
        0..0x80 => format!("[{tag}]"),
        0x80..0x4000 => format!("[{}, {}]", tag & 0x7f | 0x80, tag >> 7),
        _ => bail!("{}: a long tag", what(field)),
    })
}
