//! The reading side of OTLP JSON: which member of an object goes to which field.
//!
//! pbjson's own reader is not used. It refuses `null`, integral exponents and unknown enum
//! numbers, takes hex ids for base64 and has no bound on elements; all of that lies in how it
//! reads a value, so there is nothing of it left to keep. What is generated here is only the
//! dispatch; the values are read by `crate::json::read`.

use std::fmt::Write;

use anyhow::{Result, bail, ensure};
use prost_types::field_descriptor_proto::Type;

use super::descriptors::{Descriptors, Field, MessageInfo, Package, snake_case, upper_camel_case};

/// As many fields as the bit set of seen members holds.
const MAX_FIELDS: usize = 64;

/// The readers of one package's messages and enums.
pub(super) fn generate(descriptors: &Descriptors, package: &Package) -> Result<String> {
    let mut code = String::from(
        "use serde::de::{Deserialize, Deserializer, MapAccess};\n\
         use super::*;\n\
         use crate::json::read::{self, JsonMessage, Member};\n",
    );
    for message in descriptors.messages_of(package) {
        write_message(descriptors, message, &mut code)?;
    }
    for name in enums_of(descriptors, package) {
        writeln!(
            code,
            "impl read::EnumNames for {name} {{
                fn number_of(name: &str) -> Option<i32> {{
                    Self::from_str_name(name).map(|value| value as i32)
                }}
            }}"
        )?;
    }
    super::format(&code)
}

fn write_message(
    descriptors: &Descriptors,
    message: &MessageInfo,
    code: &mut String,
) -> Result<()> {
    ensure!(
        message.descriptor.field.len() <= MAX_FIELDS,
        "{} has more fields than the bit set of seen members holds",
        message.name
    );
    let rust = message.rust_path();
    writeln!(
        code,
        "impl JsonMessage for {rust} {{
            fn read_member<'de, A: MapAccess<'de>>(
                &mut self, key: &str, member: Member<'_, '_, A>,
            ) -> Result<(), A::Error> {{
                match key {{"
    )?;
    for (bit, field) in message.fields().enumerate() {
        let json = field.json_name();
        let keys = match field.name() {
            name if name == json => format!("\"{json}\""),
            name => format!("\"{json}\" | \"{name}\""),
        };
        let kind = kind(descriptors, &field)?;
        let rust_name = field.rust_name();
        let call = if let Some(oneof) = field.oneof() {
            let variant = format!(
                "{}::{}::{}",
                message
                    .rust_path()
                    .split("::")
                    .map(snake_case)
                    .collect::<Vec<_>>()
                    .join("::"),
                upper_camel_case(oneof),
                upper_camel_case(field.name())
            );
            format!("oneof::<{kind}, _>({bit}, &mut self.{oneof}, {variant})")
        } else if field.is_repeated() {
            format!("many::<{kind}>({bit}, &mut self.{rust_name})")
        } else if field.is_optional() || field.descriptor.r#type() == Type::Message {
            format!("optional::<{kind}>({bit}, &mut self.{rust_name})")
        } else {
            format!("one::<{kind}>({bit}, &mut self.{rust_name})")
        };
        writeln!(code, "{keys} => member.{call},")?;
    }
    writeln!(
        code,
        "           _ => member.skip(),
                }}
            }}
        }}
        impl<'de> Deserialize<'de> for {rust} {{
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {{
                read::deserialize(deserializer)
            }}
        }}"
    )?;
    Ok(())
}

fn kind(descriptors: &Descriptors, field: &Field<'_>) -> Result<String> {
    let package = &field.message.package;
    Ok(match field.descriptor.r#type() {
        Type::Double => "read::Double".to_owned(),
        Type::Int64 | Type::Sint64 | Type::Sfixed64 => "read::Int64".to_owned(),
        Type::Uint64 | Type::Fixed64 => "read::Uint64".to_owned(),
        Type::Int32 | Type::Sint32 | Type::Sfixed32 => "read::Int32".to_owned(),
        Type::Uint32 | Type::Fixed32 => "read::Uint32".to_owned(),
        Type::Bool => "read::Bool".to_owned(),
        Type::String => if field.is_repeated() {
            "read::CountedText"
        } else {
            "read::Text"
        }
        .to_owned(),
        Type::Bytes if field.name() == "profile_id" => "read::ProfileId".to_owned(),
        Type::Bytes if field.is_hex_id() => "read::HexId".to_owned(),
        Type::Bytes => "read::Base64".to_owned(),
        Type::Enum => format!(
            "read::Enum<{}>",
            descriptors.rust_path_from(package, field.descriptor.type_name())?
        ),
        Type::Message => format!(
            "read::Nested<{}>",
            descriptors.rust_path_from(package, field.descriptor.type_name())?
        ),
        other @ (Type::Float | Type::Group) => {
            bail!(
                "{}.{} is a {other:?}, which OTLP has none of",
                field.message.name,
                field.name()
            )
        }
    })
}

/// The Rust paths of the enums that some field has as its type.
fn enums_of(descriptors: &Descriptors, package: &Package) -> Vec<String> {
    let mut names: Vec<_> = descriptors
        .messages()
        .iter()
        .flat_map(MessageInfo::fields)
        .filter(|field| field.descriptor.r#type() == Type::Enum)
        .filter_map(|field| {
            let path = descriptors
                .rust_path_from(package, field.descriptor.type_name())
                .ok()?;
            (!path.starts_with("crate::")).then_some(path)
        })
        .collect();
    names.sort();
    names.dedup();
    names
}
