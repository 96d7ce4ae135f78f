//! The messages, by prost-build.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use prost_build::{Config, Module};

use super::descriptors::{COMMON_PREFIX, Descriptors, Package};

/// One piece of Rust for each package.
pub(super) fn generate(descriptors: &Descriptors) -> Result<BTreeMap<Package, String>> {
    let requests = descriptors
        .set
        .file
        .iter()
        .map(|file| {
            (
                Module::from_protobuf_package_name(file.package()),
                file.clone(),
            )
        })
        .collect();
    let mut config = Config::new();
    config.format(false);
    // Its comment holds an example that rustdoc would take for Rust.
    config.disable_comments([".opentelemetry.proto.trace.v1.Span.attributes"]);
    let mut out = BTreeMap::new();
    for (module, code) in config.generate(requests)? {
        let package = module.parts().collect::<Vec<_>>().join(".");
        let package = package
            .strip_prefix(COMMON_PREFIX)
            .with_context(|| format!("package {package} is outside {COMMON_PREFIX}"))?;
        out.insert(Package(package.to_owned()), super::format(&code)?);
    }
    Ok(out)
}
