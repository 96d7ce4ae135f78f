//! Builds the relay and the soak test as they are released, and runs the soak test.

use anyhow::Result;

use crate::load::run_tool;

/// Runs the soak test with `args`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    run_tool("otlp-soak", &["-p", "soak", "-p", "server"], args)
}
