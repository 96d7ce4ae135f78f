//! The server stubs of the collector services, by tonic-build.
//!
//! They take and give bytes: the receiver hands a request on undecoded, so that gRPC and HTTP
//! share one decoder with one set of limits. They belong to the receiver, so that the codec
//! stays free of tonic.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use prost_types::{FileDescriptorProto, ServiceDescriptorProto};
use tonic_build::CodeGenBuilder;
use tonic_build::manual::{Method, Service};

use super::descriptors::{Descriptors, snake_case};

/// One module for each service, by its name.
pub(super) fn generate(descriptors: &Descriptors) -> Result<BTreeMap<String, String>> {
    let mut modules = BTreeMap::new();
    let mut index = String::new();
    for file in &descriptors.set.file {
        for service in &file.service {
            let name = snake_case(service.name());
            let path = format!("{}.{}", file.package(), service.name());
            index.push_str(&format!("/// `{path}`.\npub mod {name};\n"));
            modules.insert(name, stub(file, service)?);
        }
    }
    ensure!(!modules.is_empty(), "no services in proto/");
    modules.insert("mod".to_owned(), super::format(&index)?);
    Ok(modules)
}

fn stub(file: &FileDescriptorProto, service: &ServiceDescriptorProto) -> Result<String> {
    let mut builder = Service::builder()
        .name(service.name())
        .package(file.package());
    for method in &service.method {
        ensure!(
            !method.client_streaming() && !method.server_streaming(),
            "{} streams, which no service of OTLP does",
            method.name()
        );
        let method = Method::builder()
            .name(snake_case(method.name()))
            .route_name(method.name())
            .input_type("bytes::Bytes")
            .output_type("bytes::Bytes")
            .codec_path("crate::grpc::BytesCodec")
            .build();
        builder = builder.method(method);
    }
    let tokens = CodeGenBuilder::new()
        .emit_package(true)
        .generate_server(&builder.build(), "");
    let file: syn::File = syn::parse2(tokens).context("tonic-build's code")?;
    let [syn::Item::Mod(module)] = file.items.as_slice() else {
        anyhow::bail!("tonic-build wrote something else than one module");
    };
    let (_, items) = module.content.clone().context("a module with its items")?;
    Ok(prettyplease::unparse(&syn::File {
        shebang: None,
        attrs: Vec::new(),
        items,
    }))
}
