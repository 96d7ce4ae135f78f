//! The walk that checks protobuf: one function for each message.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Result, bail};
use prost_types::field_descriptor_proto::Type;

use super::descriptors::{Descriptors, Field, MessageInfo};
use super::roots::{ROOTS, function, numbers, reached};

/// The messages that OTLP counts (OTLP spec, "Partial Success").
const ITEMS: [&str; 7] = [
    "NumberDataPoint",
    "HistogramDataPoint",
    "ExponentialHistogramDataPoint",
    "SummaryDataPoint",
    "Span",
    "LogRecord",
    "Profile",
];

/// The functions of every message that a request can hold.
pub(super) fn generate(descriptors: &Descriptors) -> Result<String> {
    let mut code = String::from("use crate::check::*;\nuse crate::walk::*;\n");
    for (name, message) in ROOTS {
        let root = &descriptors.messages()[descriptors.index_of(message)?];
        writeln!(
            code,
            "/// `{}`.
            pub(crate) fn {name}(wire: In<'_>, cx: &mut Cx<'_>, depth: u32) -> Result<(), Stop> {{
                {}(wire, cx, depth)
            }}",
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
    // Fields that are passed over in the same way share an arm.
    let mut arms: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut nests = false;
    let mut chooses = false;
    let mut ids = 0;
    for field in message.fields() {
        nests |= field.descriptor.r#type() == Type::Message;
        chooses |= is_choice(&field);
        if let Some(length) = field.id_length() {
            // Of an id that is sent twice the last one counts.
            let tag = field.descriptor.number() << 3 | 2;
            let action = format!("id(rest, {length}, &mut wrong, {})?", 1 << ids);
            arms.entry(action).or_default().push(tag.to_string());
            ids += 1;
            continue;
        }
        for (wire_type, action) in actions(descriptors, &field)? {
            let tag = field.descriptor.number() << 3 | wire_type;
            arms.entry(action).or_default().push(tag.to_string());
        }
    }
    let arms: String = arms
        .iter()
        .map(|(action, tags)| format!("{} => {action},", tags.join(" | ")))
        .collect();
    writeln!(
        code,
        "fn {}(mut wire: In<'_>, {}: &mut Cx<'_>, {}: u32) -> Result<(), Stop> {{
            {}
            {}
            while let Some((tag, rest)) = next_tag(wire)? {{
                wire = match tag {{
                    {arms}
                    _ => unknown(tag, rest, &[{}])?,
                }};
            }}
            {}
            Ok(())
        }}",
        function(message),
        if arms.contains("cx") || ids > 0 {
            "cx"
        } else {
            "_"
        },
        if nests { "depth" } else { "_" },
        if chooses { "let mut seen = 0_u32;" } else { "" },
        if ids > 0 {
            "let mut wrong = 0_u32;"
        } else {
            ""
        },
        numbers(message),
        if ids > 0 {
            "cx.wrong_id |= wrong != 0;"
        } else {
            ""
        },
    )?;
    Ok(())
}

/// Whether a field is a message in a oneof: if a second one comes, the items of the first don't
/// count.
fn is_choice(field: &Field<'_>) -> bool {
    field.oneof().is_some() && field.descriptor.r#type() == Type::Message
}

/// The wire types that a field can have, and for each an expression for what is left behind it.
fn actions(descriptors: &Descriptors, field: &Field<'_>) -> Result<Vec<(i32, String)>> {
    let (wire_type, action, packed) = match field.descriptor.r#type() {
        Type::Double | Type::Fixed64 | Type::Sfixed64 => {
            (1, "fixed64(rest)?.1", Some("packed_fixed64(rest)?"))
        }
        Type::Fixed32 => (5, "fixed32(rest)?.1", None),
        Type::Int32 if field.name().ends_with("_strindex") && !is_profile(field) => {
            (0, "cx.index(rest)?", None)
        }
        Type::Int64
        | Type::Uint64
        | Type::Int32
        | Type::Uint32
        | Type::Sint32
        | Type::Bool
        | Type::Enum => (0, "varint(rest)?.1", Some("packed_varint(rest)?")),
        Type::String if field.is_repeated() => (2, "{ cx.count()?; text(rest)? }", None),
        Type::String => (2, "text(rest)?", None),
        Type::Bytes => (2, "bytes(rest)?.1", None),
        Type::Message => return Ok(vec![(2, nested(descriptors, field)?)]),
        other @ (Type::Float | Type::Group | Type::Sfixed32 | Type::Sint64) => {
            bail!(
                "{}.{} is a {other:?}, which OTLP has none of",
                field.message.name,
                field.name()
            )
        }
    };
    let mut actions = vec![(wire_type, action.to_owned())];
    if field.is_repeated() && wire_type != 2 {
        let Some(packed) = packed else {
            bail!(
                "{}.{}: no way to pass over a packed list",
                field.message.name,
                field.name()
            )
        };
        actions.push((2, packed.to_owned()));
    }
    Ok(actions)
}

/// Profiles have the table that indices refer to.
fn is_profile(field: &Field<'_>) -> bool {
    field.message.package.0.starts_with("profiles.")
}

fn nested(descriptors: &Descriptors, field: &Field<'_>) -> Result<String> {
    let index = descriptors.index_of(field.descriptor.type_name())?;
    let message = &descriptors.messages()[index];
    let (enter, leave) = match ITEMS.contains(&message.name.as_str()) && field.is_repeated() {
        true => (
            "let outside = cx.enter_item();",
            "cx.leave_item(wire, rest, outside);",
        ),
        false => ("", ""),
    };
    let choice = match is_choice(field) {
        true => "first(&mut seen, 0)?;",
        false => "",
    };
    let function = function(message);
    let walk = match message.name == "KeyValue" {
        true => format!("attribute(message, cx, deeper(depth)?, {function})?"),
        false => format!("{function}(message, cx, deeper(depth)?)?"),
    };
    Ok(format!(
        "{{ {choice} cx.count()?; {enter} let (message, rest) = bytes(rest)?; {walk}; {leave} rest }}",
    ))
}
