//! The binary `otlp-soak`: reads the command line, runs the load, prints what came of it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use load::process::raise_descriptors;
use mimalloc::MiMalloc;
use soak::Options;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    raise_descriptors()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let report = runtime.block_on(soak::run(&options, &tell))?;
    print(&serde_json::to_string_pretty(&report)?);
    report.summary().iter().for_each(|line| tell(line));
    Ok(match report.holds() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

#[expect(clippy::print_stderr, reason = "progress is not the result")]
fn tell(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stdout, reason = "the result")]
fn print(text: &str) {
    println!("{text}");
}
