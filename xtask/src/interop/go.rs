//! The Collector and `telemetrygen`, built from their released modules.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Tool, cached, execute, or_later, texts, version};

/// The oldest Go that the modules are written for, as `go.mod` says.
const GO: (u32, u32) = (1, 26);
/// What the programs are built of: `go.sum` has the checksums of every module.
const SOURCES: [&str; 3] = ["main.go", "go.mod", "go.sum"];
/// A tool of the module in `go.mod`, so that one list of versions is for both.
const TELEMETRYGEN: &str =
    "github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen";

/// Where the programs are.
pub(super) struct Binaries {
    pub(super) collector: PathBuf,
    pub(super) telemetrygen: PathBuf,
}

/// Builds both, unless they are there.
pub(super) fn binaries(scripts: &Path, folder: &Path) -> Result<Tool<Binaries>> {
    if version("go", &["env", "GOVERSION"]).is_none_or(|found| found < GO) {
        let needs = or_later("Go", GO) + " (https://go.dev/dl)";
        return Ok(Tool::Missing(needs));
    }
    let source = scripts.join("collector");
    cached(folder, &texts(&source, &SOURCES)?, || {
        let mut go = Command::new("go");
        // Neither a C compiler nor the history of this repository is needed.
        go.args(["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"])
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-mod=readonly");
        execute(
            go.arg("-o")
                .arg(folder)
                .args([".", TELEMETRYGEN])
                .current_dir(&source),
        )
    })?;
    Ok(Tool::Ready(Binaries {
        collector: folder.join("collector"),
        telemetrygen: folder.join("telemetrygen"),
    }))
}
