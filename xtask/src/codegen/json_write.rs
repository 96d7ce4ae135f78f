//! The writing side of OTLP JSON, by pbjson-build, with the deviations of [`overrides`].

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use prost_types::FileDescriptorSet;
use prost_types::field_descriptor_proto::Type;

use super::descriptors::{COMMON_PREFIX, Descriptors, Package};
use super::overrides::{self, Override};

/// The fields of an enum type in OTLP 1.10.0; another number means that the protocol changed and
/// that somebody has to look.
const ENUM_FIELDS: usize = 6;

/// The writers of one package's messages.
pub(super) fn generate(descriptors: &Descriptors, package: &Package) -> Result<String> {
    let mut set = descriptors.set.clone();
    let retyped = enums_to_integers(&mut set);
    ensure!(
        retyped == ENUM_FIELDS,
        "expected {ENUM_FIELDS} enum fields, found {retyped}"
    );
    let mut builder = pbjson_build::Builder::new();
    for file in set.file {
        builder.register_file_descriptor(file);
    }
    let proto_package = format!(".{COMMON_PREFIX}{}", package.0);
    let written = builder.generate(&[&proto_package], |_| Ok(Vec::new()))?;
    let mut impls = BTreeMap::new();
    for (written_package, code) in written {
        if format!(".{written_package}") == proto_package {
            impls.append(&mut writers(&String::from_utf8(code)?)?);
        }
    }
    for rule in overrides::list(descriptors, package) {
        apply(&rule, &mut impls)?;
    }
    let bodies = impls.into_values().collect::<String>();
    super::format(&format!("use super::*;\n{bodies}"))
}

/// Gives enum fields the type int32, which is how prost holds them and how OTLP JSON writes them
/// ("enum name strings MUST NOT be used"), and drops the enums, which then have no writer.
/// pbjson's own `use_integers_for_enums` fails on a number that the enum doesn't name.
fn enums_to_integers(set: &mut FileDescriptorSet) -> usize {
    let mut retyped = 0;
    for file in &mut set.file {
        file.enum_type.clear();
        let mut messages: Vec<_> = file.message_type.iter_mut().collect();
        while let Some(message) = messages.pop() {
            message.enum_type.clear();
            for field in &mut message.field {
                if field.r#type() == Type::Enum {
                    field.set_type(Type::Int32);
                    field.type_name = None;
                    retyped += 1;
                }
            }
            messages.extend(&mut message.nested_type);
        }
    }
    retyped
}

/// The `Serialize` impls of pbjson's output, by the Rust path of their type, in the very text
/// that pbjson wrote: formatted, an expression may be broken over lines.
fn writers(code: &str) -> Result<BTreeMap<String, String>> {
    const BEGIN: &str = "impl serde::Serialize for ";
    const END: &str = "\n}\n";
    let mut impls = BTreeMap::new();
    let mut rest = code;
    while let Some(at) = rest.find(BEGIN) {
        let item = &rest[at..];
        let end = item.find(END).context("an impl that doesn't end")? + END.len();
        let (name, _) = item[BEGIN.len()..]
            .split_once(" {")
            .context("an impl without a body")?;
        impls.insert(name.to_owned(), item[..end].to_owned());
        rest = &item[end..];
    }
    Ok(impls)
}

fn apply(rule: &Override, impls: &mut BTreeMap<String, String>) -> Result<()> {
    let code = impls
        .get_mut(&rule.message)
        .with_context(|| format!("pbjson wrote nothing for {}", rule.message))?;
    let found = code.matches(&rule.find).count();
    ensure!(
        found == rule.count,
        "{}: expected {} of `{}` in pbjson's output, found {found}",
        rule.message,
        rule.count,
        rule.find
    );
    *code = code.replace(&rule.find, &rule.replace);
    Ok(())
}
