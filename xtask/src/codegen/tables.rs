//! Field tables for the walks over the wire that know nothing of a message but its table.

use std::fmt::Write;

use anyhow::{Result, bail, ensure};
use prost_types::field_descriptor_proto::Type;

use super::descriptors::{Descriptors, Field};
use super::roots::ROOTS;

/// One table for each message, with all of its fields.
pub(super) fn generate(descriptors: &Descriptors) -> Result<String> {
    let mut code = String::from("use crate::wire::tables::{Field, Kind, Shape, Table};\n");
    for (name, message) in ROOTS {
        let (name, index) = (name.to_uppercase(), descriptors.index_of(message)?);
        writeln!(
            code,
            "/// `{}`.\npub(crate) const {name}: usize = {index};",
            &message[1..]
        )?;
    }
    writeln!(
        code,
        "/// A table for each message; `Kind::Message` names one by its place here.\n\
         pub(crate) static TABLES: [Table; {}] = [",
        descriptors.messages().len()
    )?;
    for message in descriptors.messages() {
        let oneofs = message
            .fields()
            .filter_map(|field| field.oneof().map(str::to_owned));
        let oneofs: std::collections::BTreeSet<_> = oneofs.collect();
        ensure!(oneofs.len() <= 1, "{} has several oneofs", message.name);
        let mut fields: Vec<_> = message.fields().collect();
        fields.sort_by_key(|field| field.descriptor.number());
        writeln!(
            code,
            "// `{}`.\nTable {{ fields: &[",
            &message.full_name[1..]
        )?;
        for field in fields {
            writeln!(
                code,
                "Field {{ number: {}, name: {:?}, kind: {}, shape: {} }},",
                field.descriptor.number(),
                field.json_name(),
                kind(descriptors, &field)?,
                shape(&field)
            )?;
        }
        writeln!(code, "] }},")?;
    }
    code.push_str("];\n");
    super::format(&code)
}

fn kind(descriptors: &Descriptors, field: &Field<'_>) -> Result<String> {
    Ok(match field.descriptor.r#type() {
        Type::Double | Type::Fixed64 | Type::Sfixed64 => "Kind::Fixed64".to_owned(),
        Type::Fixed32 => "Kind::Fixed32".to_owned(),
        Type::Int64
        | Type::Uint64
        | Type::Int32
        | Type::Uint32
        | Type::Sint32
        | Type::Bool
        | Type::Enum => "Kind::Varint".to_owned(),
        Type::String => "Kind::String".to_owned(),
        Type::Bytes => match field.id_length() {
            Some(length) => format!("Kind::Id({length})"),
            None => "Kind::Bytes".to_owned(),
        },
        Type::Message => {
            let index = descriptors.index_of(field.descriptor.type_name())?;
            format!("Kind::Message({index})")
        }
        other @ (Type::Float | Type::Group | Type::Sfixed32 | Type::Sint64) => bail!(
            "{}.{} is a {other:?}, which OTLP has none of",
            field.message.name,
            field.name()
        ),
    })
}

fn shape(field: &Field<'_>) -> &'static str {
    if field.is_repeated() {
        "Shape::List"
    } else if field.oneof().is_some() {
        "Shape::Choice"
    } else {
        "Shape::Single"
    }
}
