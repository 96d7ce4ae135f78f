//! The binary `otlp-load`: reads the command line, runs the load, prints what came out.

use anyhow::Result;
use clap::Parser;
use load::{Options, compare};
use tokio::runtime::Builder;

fn main() -> Result<()> {
    let options = Options::parse();
    let runtime = Builder::new_multi_thread()
        .worker_threads(options.threads.max(1))
        .enable_all()
        .build()?;
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
