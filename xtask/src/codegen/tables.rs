//! Field tables for the walk over the wire: which fields grow a decoded tree.

use std::fmt::Write;

use anyhow::Result;
use prost_types::field_descriptor_proto::Type;

use super::descriptors::Descriptors;
use super::roots::ROOTS;

/// One table for each message: its sub-messages and its repeated strings.
pub(super) fn generate(descriptors: &Descriptors) -> Result<String> {
    let mut code = String::from("use crate::wire::tables::{Element, Table};\n");
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
        "/// A table for each message; `Element::Message` names one by its place here.\n\
         pub(crate) static TABLES: [Table; {}] = [",
        descriptors.messages().len()
    )?;
    for message in descriptors.messages() {
        let mut elements = Vec::new();
        for field in message.fields() {
            let number = field.descriptor.number();
            if field.descriptor.r#type() == Type::Message {
                let index = descriptors.index_of(field.descriptor.type_name())?;
                elements.push((number, format!("({number}, Element::Message({index}))")));
            } else if field.is_repeated() && field.descriptor.r#type() == Type::String {
                elements.push((number, format!("({number}, Element::String)")));
            }
        }
        elements.sort();
        let elements: Vec<_> = elements.into_iter().map(|(_, code)| code).collect();
        writeln!(code, "Table {{ elements: &[{}] }},", elements.join(", "))?;
    }
    code.push_str("];\n");
    super::format(&code)
}
