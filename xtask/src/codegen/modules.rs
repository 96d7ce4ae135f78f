//! The tree of modules that holds the generated files.

use std::collections::BTreeMap;

use anyhow::Result;

use super::descriptors::{Descriptors, package_of};

#[derive(Default)]
struct Tree(BTreeMap<String, Tree>);

/// `pub mod metrics { pub mod v1; }` and so on, for every package.
pub(super) fn generate(descriptors: &Descriptors) -> Result<String> {
    let mut root = Tree::default();
    for file in &descriptors.set.file {
        let mut node = &mut root;
        for part in package_of(file)?.0.split('.') {
            node = node.0.entry(part.to_owned()).or_default();
        }
    }
    let mut code = String::new();
    write(&root, "opentelemetry.proto", &mut code);
    code.push_str(
        "pub(crate) mod check;
        #[expect(dead_code, reason = \"whoever walks by hand takes what it needs\")]
        pub(crate) mod fields;
        #[cfg(feature = \"typed\")]
        pub(crate) mod from_json;
        pub(crate) mod tables;
        pub(crate) mod transcode;\n",
    );
    super::format(&code)
}

fn write(tree: &Tree, path: &str, code: &mut String) {
    for (name, children) in &tree.0 {
        let path = format!("{path}.{name}");
        if path.matches('.').count() == 2 {
            code.push_str("#[cfg(feature = \"typed\")]\n");
        }
        code.push_str(&format!("/// Package `{path}`.\npub mod {name}"));
        if children.0.is_empty() {
            code.push_str(";\n");
        } else {
            code.push_str(" {\n");
            write(children, &path, code);
            code.push_str("}\n");
        }
    }
}
