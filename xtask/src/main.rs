//! Maintenance tasks, run as `cargo xtask <task>`. A list of them, nothing else.

mod codegen;
mod fuzz;
mod instructions;
mod interop;
mod load;
mod tidy;
mod verify;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Maintenance tasks of otlp-relay")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Regenerate every binding from `proto/`
    Codegen {
        /// Change nothing; fail if a file would change
        #[arg(long)]
        check: bool,
    },
    /// Run every gate: fmt, clippy, docs, tests, codegen freshness, layering, deny
    Verify {
        /// Leave out `cargo test`, where it has just run
        #[arg(long)]
        skip_tests: bool,
    },
    /// Fuzz the codec's fast doors against their slow twin, and the receiver (nightly compiler,
    /// cargo-fuzz)
    Fuzz {
        /// How long each target runs
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Only this target
        target: Option<String>,
    },
    /// Count instructions of the codec and its rivals under callgrind; fail below the guards
    Instructions,
    /// Export with the official SDKs and the Collector, watch, compare
    Interop {
        /// Fail where Node.js or Go is missing, instead of leaving out what needs it
        #[arg(long)]
        all: bool,
        /// More flags for the relay
        #[arg(last = true)]
        relay: Vec<String>,
    },
    /// Put load on the relay, and others beside it, and measure what that costs (Linux)
    #[command(disable_help_flag = true)]
    Load {
        /// What the load generator takes; `--help` tells
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::Codegen { check: false } => codegen::write(),
        Task::Codegen { check: true } => codegen::check(),
        Task::Verify { skip_tests } => verify::run(skip_tests),
        Task::Fuzz { seconds, target } => fuzz::run(seconds, target.as_deref()),
        Task::Instructions => instructions::run(),
        Task::Interop { all, relay } => interop::run(all, &relay),
        Task::Load { args } => load::run(&args),
    }
}
