//! The tags of fields by name, for walks that are written by hand.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use prost_types::field_descriptor_proto::Type;

use super::descriptors::{Descriptors, Field, snake_case};
use super::roots::reached;

/// A module for each package, and in it one for each message that a request can hold.
pub(super) fn generate(descriptors: &Descriptors) -> Result<String> {
    let mut packages: BTreeMap<String, String> = BTreeMap::new();
    for index in reached(descriptors)? {
        let message = &descriptors.messages()[index];
        let code = packages
            .entry(message.package.0.replace('.', "_"))
            .or_default();
        let name = message.name.split('.').map(snake_case);
        let name = name.collect::<Vec<_>>().join("_");
        writeln!(
            code,
            "/// `{}`.\npub(crate) mod {name} {{",
            &message.full_name[1..]
        )?;
        for field in message.fields() {
            let tag = field.descriptor.number() << 3 | wire_type(&field);
            let name = field.name().to_uppercase();
            writeln!(code, "pub(crate) const {name}: u32 = {tag};")?;
        }
        code.push_str("}\n");
    }
    let mut code = String::new();
    for (package, messages) in packages {
        writeln!(code, "pub(crate) mod {package} {{ {messages} }}")?;
    }
    super::format(&code)
}

/// The wire type that encoders use: lists of numbers are packed.
fn wire_type(field: &Field<'_>) -> i32 {
    match field.descriptor.r#type() {
        Type::String | Type::Bytes | Type::Message => 2,
        _ if field.is_repeated() => 2,
        Type::Double | Type::Fixed64 | Type::Sfixed64 => 1,
        Type::Float | Type::Fixed32 | Type::Sfixed32 => 5,
        _ => 0,
    }
}
