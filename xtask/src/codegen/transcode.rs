//! The walk from protobuf to OTLP JSON: one function for each message.
//!
//! What a function can't write in one pass it leaves to others, by `Stop`: a field that
//! comes again (each has a bit in `seen`; the members of a oneof share one), a list that is not
//! packed, a known field of another wire type.

mod enums;
mod value;

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::{Result, ensure};
use prost_types::field_descriptor_proto::Type;

use super::descriptors::{Descriptors, Field};
use super::roots::{ROOTS, function, numbers, reached};
use value::Value;

/// The functions of every message that a request can hold.
pub(super) fn generate(descriptors: &Descriptors) -> Result<String> {
    let walk = Walk {
        varying: varying(descriptors)?,
        descriptors,
    };
    let mut code = String::from("use crate::transcode::*;\nuse crate::walk::*;\n");
    for (name, message) in ROOTS {
        writeln!(
            code,
            "/// `{}`.
            pub(crate) fn {name}<'o, const PROTOJSON: bool>(wire: In<'_>, out: Out<'o>, cx: &mut Cx<'_>,
                depth: u32) -> Result<Out<'o>, Stop> {{ {}(wire, out, cx, depth) }}",
            &message[1..],
            walk.function(descriptors.index_of(message)?)
        )?;
    }
    let mut names = BTreeSet::new();
    for index in reached(descriptors)? {
        write_message(&walk, index, &mut code)?;
        let fields = descriptors.messages()[index].fields();
        names.extend(fields.filter_map(|field| enums::name(&field)));
    }
    for name in names {
        enums::write_names(descriptors, &name, &mut code)?;
    }
    super::format(&code)
}

/// What the functions are generated from.
struct Walk<'a> {
    descriptors: &'a Descriptors,
    /// The messages that are written differently in protobuf's own JSON mapping, since they hold
    /// an id or an enum: their functions have a parameter for that.
    varying: BTreeSet<usize>,
}

impl Walk<'_> {
    /// How the function of a message is called.
    fn function(&self, index: usize) -> String {
        let function = function(&self.descriptors.messages()[index]);
        match self.varying.contains(&index) {
            true => format!("{function}::<PROTOJSON>"),
            false => function,
        }
    }
}

fn varying(descriptors: &Descriptors) -> Result<BTreeSet<usize>> {
    let mut varying = BTreeSet::new();
    let reached = reached(descriptors)?;
    loop {
        let before = varying.len();
        for index in &reached {
            for field in descriptors.messages()[*index].fields() {
                let varies = match field.descriptor.r#type() {
                    Type::Enum => true,
                    Type::Message => {
                        varying.contains(&descriptors.index_of(field.descriptor.type_name())?)
                    }
                    _ => field.is_hex_id(),
                };
                if varies {
                    varying.insert(*index);
                }
            }
        }
        if varying.len() == before {
            return Ok(varying);
        }
    }
}

fn write_message(walk: &Walk<'_>, index: usize, code: &mut String) -> Result<()> {
    let message = &walk.descriptors.messages()[index];
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
        write_field(walk, &field, bit, &mut arms)?;
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
        "fn {}<'o{}>(mut wire: In<'_>, mut out: Out<'o>, cx: &mut Cx<'_>, {depth}: u32)
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
        match walk.varying.contains(&index) {
            true => ", const PROTOJSON: bool",
            false => "",
        },
        numbers(message)
    )?;
    Ok(())
}

fn write_field(walk: &Walk<'_>, field: &Field<'_>, bit: usize, arms: &mut String) -> Result<()> {
    let value = Value::of(walk, field)?;
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

/// The bytes of a tag, as an array.
fn tag_bytes(tag: u32) -> String {
    match tag {
        0..0x80 => format!("[{tag}]"),
        _ => format!("[{}, {}]", tag & 0x7f | 0x80, tag >> 7),
    }
}
