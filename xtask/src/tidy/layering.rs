//! Who may depend on whom.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

use super::workspace_root;

/// The arrows between our crates. Nothing else is allowed.
const ARROWS: &[(&str, &[&str])] = &[
    ("otlp-codec", &[]),
    ("ingest", &["otlp-codec"]),
    ("fanout", &["otlp-codec"]),
    ("convert", &["otlp-codec"]),
    ("viewer", &[]),
    ("demo", &["otlp-codec"]),
    (
        "server",
        &[
            "otlp-codec",
            "convert",
            "ingest",
            "fanout",
            "viewer",
            "demo",
        ],
    ),
    ("load", &["otlp-codec"]),
    ("plain", &["load"]),
    ("discard", &["load", "server"]),
    ("floor", &["load", "otlp-codec"]),
    ("soak", &["load", "otlp-codec"]),
    ("xtask", &[]),
];

/// More arrows, of tests and benchmarks alone.
const TESTS: &[(&str, &[&str])] = &[("server", &["load", "soak"])];

/// What a crate must not reach, however indirectly, when it is built for use.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "otlp-codec",
        &[
            "tokio",
            "actix-web",
            "actix-http",
            "tonic",
            "hyper",
            "mio",
            "tracing",
        ],
    ),
    ("convert", &["tokio", "actix-web", "clap", "tracing"]),
    ("viewer", &["tokio", "actix-web"]),
    ("demo", &["tokio", "actix-web"]),
    ("ingest", &["actix-ws", "clap", "tracing-subscriber"]),
    (
        "fanout",
        &["async-compression", "tonic", "clap", "tracing-subscriber"],
    ),
];

/// Each arrow that is not allowed, and each crate without the workspace's lints.
pub(super) fn violations() -> Result<Vec<String>> {
    let manifest = workspace_root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).exec()?;
    let mut violations = arrows(&metadata);
    violations.extend(forbidden(&metadata)?);
    for package in metadata.workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path)?;
        if !manifest.contains("[lints]\nworkspace = true") {
            violations.push(format!(
                "{}: does not use the workspace's lints",
                package.name
            ));
        }
    }
    Ok(violations)
}

fn arrows(metadata: &Metadata) -> Vec<String> {
    let ours: BTreeSet<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let allowed: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let tests: BTreeMap<_, _> = TESTS.iter().copied().collect();
    let mut violations = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let tests = tests.get(name).copied().unwrap_or_default();
        let Some(allowed) = allowed.get(name) else {
            violations.push(format!(
                "{name}: a crate without a line in the list of arrows"
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let to = dependency.name.as_str();
            let is_of_tests = dependency.kind == DependencyKind::Development;
            let is_allowed = allowed.contains(&to) || (is_of_tests && tests.contains(&to));
            if ours.contains(to) && !is_allowed {
                let but = if tests.contains(&to) {
                    ", but in tests"
                } else {
                    ""
                };
                violations.push(format!("{name}: must not depend on {to}{but}"));
            }
        }
    }
    violations
}

fn forbidden(metadata: &Metadata) -> Result<Vec<String>> {
    let resolve = metadata
        .resolve
        .as_ref()
        .context("cargo metadata without a graph")?;
    let mut violations = Vec::new();
    for (name, forbidden) in FORBIDDEN {
        let package = metadata
            .workspace_packages()
            .into_iter()
            .find(|package| package.name.as_str() == *name)
            .with_context(|| format!("no crate {name}"))?;
        let mut reached: BTreeSet<&PackageId> = BTreeSet::new();
        let mut todo = vec![&package.id];
        while let Some(id) = todo.pop() {
            if !reached.insert(id) {
                continue;
            }
            let node = resolve.nodes.iter().find(|node| node.id == *id);
            let deps = node.into_iter().flat_map(|node| &node.deps);
            let normal = deps.filter(|dep| {
                dep.dep_kinds
                    .iter()
                    .any(|kind| kind.kind == DependencyKind::Normal)
            });
            todo.extend(normal.map(|dep| &dep.pkg));
        }
        for id in reached {
            let reached = metadata[id].name.as_str();
            if forbidden.contains(&reached) {
                violations.push(format!("{name}: reaches {reached}"));
            }
        }
    }
    Ok(violations)
}
