//! The binary `otlp-load`: reads the command line, runs the load, prints what came out.

use anyhow::Result;
use clap::Parser;
use load::process::raise_descriptors;
use load::{Options, compare};
use mimalloc::MiMalloc;
use tokio::runtime::Builder;

/// The relay's, so that what is measured in this process compares.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<()> {
    let options = Options::parse();
    // Thousands of subscribers need a descriptor each, here and in the server.
    raise_descriptors()?;
    let runtime = match options.threads {
        0 | 1 => Builder::new_current_thread().enable_all().build()?,
        threads => Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()?,
    };
    let results = runtime.block_on(compare::execute(&options, tell))?;
    print(&serde_json::to_string_pretty(&results)?);
    Ok(())
}

#[expect(clippy::print_stderr, reason = "progress is not the result")]
fn tell(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stdout, reason = "the result")]
fn print(text: &str) {
    println!("{text}");
}
