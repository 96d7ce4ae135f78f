//! Maintenance tasks, run as `cargo xtask <task>`. A list of them, nothing else.

mod codegen;
mod config;
mod e2e;
mod fuzz;
mod instructions;
mod interop;
mod load;
mod observe;
mod soak;
mod tidy;
mod vendor;
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
    /// Renew what docs/ says of the settings: the reference and the JSON Schema
    Config {
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
    /// Look at the page in a real browser (Node.js, Chromium)
    E2e {
        /// Fail where Node.js or Chromium is missing, instead of leaving out what needs it
        #[arg(long)]
        all: bool,
        /// The browser, instead of the Chromium that is found
        #[arg(long, value_name = "FILE")]
        browser: Option<std::path::PathBuf>,
        /// Put the pictures that are taken into docs/images
        #[arg(long)]
        pictures: bool,
        /// Measure the page under load for so many seconds, instead of testing it; from 600 on, fail
        /// if anything grows
        #[arg(long, value_name = "SECONDS")]
        load: Option<u64>,
        /// Only these parts: access, growth, logs, look, metrics, raw, socket, state, traces
        only: Vec<String>,
    },
    /// Take over what the page has of others, from their packages (Node.js)
    Vendor {
        /// Change nothing; fail if a file would change
        #[arg(long)]
        check: bool,
    },
    /// Put mixed load with faults on the relay for minutes, and see that it takes no harm (Linux)
    #[command(disable_help_flag = true)]
    Soak {
        /// What the tool takes; `--help` tells
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Check alerts, dashboard and metrics with promtool and a Prometheus that scrapes a relay
    Observe {
        /// Fail where Prometheus is missing, instead of leaving it out
        #[arg(long)]
        all: bool,
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
        Task::Config { check: false } => config::write(),
        Task::Config { check: true } => config::check(),
        Task::Verify { skip_tests } => verify::run(skip_tests),
        Task::Fuzz { seconds, target } => fuzz::run(seconds, target.as_deref()),
        Task::Instructions => instructions::run(),
        Task::Interop { all, relay } => interop::run(all, &relay),
        Task::E2e {
            all,
            browser,
            pictures,
            load,
            only,
        } => e2e::run(&e2e::Wishes {
            all,
            browser,
            only,
            pictures,
            load,
        }),
        Task::Vendor { check } => vendor::run(check),
        Task::Observe { all } => observe::run(all),
        Task::Load { args } => load::run(&args),
        Task::Soak { args } => soak::run(&args),
    }
}
