//! The descriptor set of `proto/`, and the questions that generators ask it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet,
};

/// The prefix that all packages share; module paths leave it out.
pub(super) const COMMON_PREFIX: &str = "opentelemetry.proto.";

/// What `proto/` holds, compiled by protox.
pub(super) struct Descriptors {
    pub(super) set: FileDescriptorSet,
    messages: Vec<MessageInfo>,
}

/// A package below [`COMMON_PREFIX`], such as `collector.metrics.v1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package(pub(super) String);

impl Package {
    /// `collector/metrics/v1`.
    pub(super) fn folder(&self) -> String {
        self.0.replace('.', "/")
    }
}

/// A message, nested ones included.
#[derive(Clone)]
pub(super) struct MessageInfo {
    pub(super) package: Package,
    /// Fully qualified, with a leading dot, as descriptors refer to it.
    pub(super) full_name: String,
    /// The path below its package, `Span.Event`.
    pub(super) name: String,
    pub(super) descriptor: DescriptorProto,
}

impl MessageInfo {
    /// The Rust path below the module of its package, `span::Event`.
    pub(super) fn rust_path(&self) -> String {
        rust_path(&self.name)
    }

    /// The fields with what is known of each, in order of declaration.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.descriptor.field.iter().map(|descriptor| Field {
            message: self,
            descriptor,
        })
    }
}

/// A field of a message.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) message: &'a MessageInfo,
    pub(super) descriptor: &'a FieldDescriptorProto,
}

impl Field<'_> {
    /// The proto name, which is also the name of the Rust field but for keywords.
    pub(super) fn name(&self) -> &str {
        self.descriptor.name()
    }

    /// The name of the Rust field.
    pub(super) fn rust_name(&self) -> String {
        match self.name() {
            "type" => "r#type".to_owned(),
            name => name.to_owned(),
        }
    }

    pub(super) fn json_name(&self) -> &str {
        self.descriptor.json_name()
    }

    pub(super) fn is_repeated(&self) -> bool {
        self.descriptor.label() == Label::Repeated
    }

    pub(super) fn is_optional(&self) -> bool {
        self.descriptor.proto3_optional()
    }

    /// The name of the oneof that this field is a member of.
    pub(super) fn oneof(&self) -> Option<&str> {
        if self.is_optional() {
            return None;
        }
        let index = usize::try_from(self.descriptor.oneof_index?).ok()?;
        Some(self.message.descriptor.oneof_decl[index].name())
    }

    /// Presence that is told apart from the default: no oneof, not optional, not repeated.
    pub(super) fn is_implicit(&self) -> bool {
        !self.is_repeated()
            && !self.is_optional()
            && self.oneof().is_none()
            && self.descriptor.r#type() != Type::Message
    }

    /// Whether the field is the id of a profile, which is hex only while it has its length.
    pub(super) fn is_profile_id(&self) -> bool {
        self.descriptor.r#type() == Type::Bytes && self.name() == "profile_id"
    }

    /// How long an id is that policy checks, in bytes (comments of the `.proto` files).
    pub(super) fn id_length(&self) -> Option<usize> {
        match self.name() {
            "trace_id" => Some(16),
            "span_id" | "parent_span_id" => Some(8),
            _ => None,
        }
    }

    /// Whether the field is an id that OTLP JSON writes in hex (OTLP spec, "JSON Protobuf
    /// Encoding"; `parent_span_id` is a span id, and `profile_id` follows the Collector).
    pub(super) fn is_hex_id(&self) -> bool {
        self.descriptor.r#type() == Type::Bytes
            && matches!(
                self.name(),
                "trace_id" | "span_id" | "parent_span_id" | "profile_id"
            )
    }
}

impl Descriptors {
    /// Every message in a fixed order: by package, then as declared, outer before inner.
    pub(super) fn messages(&self) -> &[MessageInfo] {
        &self.messages
    }

    pub(super) fn messages_of(&self, package: &Package) -> impl Iterator<Item = &MessageInfo> {
        self.messages
            .iter()
            .filter(move |message| message.package == *package)
    }

    /// Finds a message by the name that descriptors use.
    pub(super) fn index_of(&self, full_name: &str) -> Result<usize> {
        self.messages
            .iter()
            .position(|message| message.full_name == full_name)
            .with_context(|| format!("no message {full_name}"))
    }

    /// The values of an enum, by its full name without a leading dot.
    pub(super) fn enum_values(&self, full_name: &str) -> Result<&[EnumValueDescriptorProto]> {
        let of_message = self.messages.iter().flat_map(|message| {
            let inner = message.descriptor.enum_type.iter();
            inner.map(|inner| (&message.full_name[1..], inner))
        });
        let of_file = self.set.file.iter().flat_map(|file| {
            let inner = file.enum_type.iter();
            inner.map(|inner| (file.package(), inner))
        });
        of_message
            .chain(of_file)
            .find(|(outer, inner)| {
                let name = full_name
                    .strip_prefix(outer)
                    .and_then(|n| n.strip_prefix('.'));
                name == Some(inner.name())
            })
            .map(|(_, found)| found.value.as_slice())
            .with_context(|| format!("no enum {full_name}"))
    }

    /// The Rust path of a type, as seen from a child module of `from`'s module.
    pub(super) fn rust_path_from(&self, from: &Package, full_name: &str) -> Result<String> {
        let rest = full_name
            .strip_prefix('.')
            .and_then(|name| name.strip_prefix(COMMON_PREFIX))
            .with_context(|| format!("{full_name} is outside {COMMON_PREFIX}"))?;
        let split = rest
            .match_indices('.')
            .map(|(at, _)| at)
            .find(|at| rest[at + 1..].starts_with(char::is_uppercase))
            .with_context(|| format!("{full_name} has no package"))?;
        let (package, name) = (&rest[..split], &rest[split + 1..]);
        if package == from.0 {
            Ok(rust_path(name))
        } else {
            let module = package.replace('.', "::");
            Ok(format!("crate::proto::{module}::{}", rust_path(name)))
        }
    }
}

/// `Span.Event` as prost names it: `span::Event`.
pub(super) fn rust_path(name: &str) -> String {
    let mut parts: Vec<String> = name.split('.').map(str::to_owned).collect();
    let last = parts.len() - 1;
    for outer in &mut parts[..last] {
        *outer = snake_case(outer);
    }
    parts.join("::")
}

/// `ExponentialHistogramDataPoint` to `exponential_histogram_data_point`.
pub(super) fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// `string_value` to `StringValue`.
pub(super) fn upper_camel_case(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(chars)
        })
        .collect()
}

/// Compiles every `.proto` file below `root`.
pub(super) fn compile(root: &Path) -> Result<Descriptors> {
    let mut paths = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "proto")
            {
                paths.push(path.strip_prefix(root)?.to_owned());
            }
        }
    }
    paths.sort();
    ensure!(
        !paths.is_empty(),
        "no .proto files below {}",
        root.display()
    );
    let set = protox::compile(&paths, [root])?;
    let mut messages = Vec::new();
    for file in &set.file {
        for message in &file.message_type {
            collect(file, "", message, &mut messages)?;
        }
    }
    messages.sort_by(|a, b| a.package.cmp(&b.package));
    Ok(Descriptors { set, messages })
}

fn collect(
    file: &FileDescriptorProto,
    outer: &str,
    descriptor: &DescriptorProto,
    out: &mut Vec<MessageInfo>,
) -> Result<()> {
    let name = match outer {
        "" => descriptor.name().to_owned(),
        outer => format!("{outer}.{}", descriptor.name()),
    };
    out.push(MessageInfo {
        package: package_of(file)?,
        full_name: format!(".{}.{name}", file.package()),
        name: name.clone(),
        descriptor: descriptor.clone(),
    });
    for nested in &descriptor.nested_type {
        collect(file, &name, nested, out)?;
    }
    Ok(())
}

/// The package of a file, below the common prefix.
pub(super) fn package_of(file: &FileDescriptorProto) -> Result<Package> {
    let package = file
        .package()
        .strip_prefix(COMMON_PREFIX)
        .with_context(|| format!("package {} is outside {COMMON_PREFIX}", file.package()))?;
    Ok(Package(package.to_owned()))
}
