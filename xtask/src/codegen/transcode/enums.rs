//! The names of enums, which protobuf's own JSON mapping writes.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use prost_types::field_descriptor_proto::Type;

use crate::codegen::descriptors::{COMMON_PREFIX, Descriptors, Field, snake_case};

/// The full name of a field's enum, without the leading dot.
pub(super) fn name(field: &Field<'_>) -> Option<String> {
    let is_enum = field.descriptor.r#type() == Type::Enum;
    is_enum.then(|| field.descriptor.type_name()[1..].to_owned())
}

/// The name of the constant with an enum's names: `TRACE_V1_SPAN_SPAN_KIND`.
pub(super) fn constant(enum_name: &str) -> Result<String> {
    let below = enum_name
        .strip_prefix(COMMON_PREFIX)
        .with_context(|| format!("{enum_name} is outside of OTLP"))?;
    let parts = below.split('.').map(snake_case);
    Ok(parts.collect::<Vec<_>>().join("_").to_uppercase())
}

/// The names of an enum's numbers, in quotes.
pub(super) fn write_names(descriptors: &Descriptors, name: &str, code: &mut String) -> Result<()> {
    let values = descriptors.enum_values(name)?;
    writeln!(
        code,
        "/// `{name}`.\nstatic {}: [&[u8]; {}] = [",
        constant(name)?,
        values.len()
    )?;
    for (number, value) in values.iter().enumerate() {
        ensure!(
            usize::try_from(value.number()) == Ok(number),
            "{name} has gaps, aliases or another order"
        );
        writeln!(code, "b\"\\\"{}\\\"\",", value.name())?;
    }
    code.push_str("];\n");
    Ok(())
}
