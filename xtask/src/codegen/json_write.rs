//! The writing side of OTLP JSON, by pbjson-build, with the deviations of [`overrides`].

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use prost_types::FileDescriptorSet;
use prost_types::field_descriptor_proto::Type;
use syn::Item;

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

/// The `Serialize` impls of pbjson's output, by the Rust path of their type.
fn writers(code: &str) -> Result<BTreeMap<String, String>> {
    let mut impls = BTreeMap::new();
    for item in syn::parse_file(code)?.items {
        let Item::Impl(item) = item else { continue };
        let (_, of, _) = item
            .trait_
            .as_ref()
            .context("pbjson writes trait impls only")?;
        if of
            .segments
            .last()
            .is_none_or(|segment| segment.ident != "Serialize")
        {
            continue;
        }
        let syn::Type::Path(of) = item.self_ty.as_ref() else {
            continue;
        };
        let segments = of
            .path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        let name = segments.collect::<Vec<_>>().join("::");
        let file = syn::File {
            shebang: None,
            attrs: Vec::new(),
            items: vec![Item::Impl(item)],
        };
        impls.insert(name, prettyplease::unparse(&file));
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
