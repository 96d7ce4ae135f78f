//! Log lines on standard error.

use std::env::VarError;
use std::error::Error;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, FromEnvError};

use crate::cli::LogFormat;

/// What is logged unless `RUST_LOG` says otherwise. actix-server tells of its workers, and
/// actix-http of every request that can't be parsed, which anybody could fill a disk with.
const DEFAULT_FILTER: &str = "info,actix_server=warn,actix_http=off";

/// Added to what `RUST_LOG` says, for the same reason.
const QUIET: &str = "actix_http=off";

/// Starts logging, filtered by `RUST_LOG`. A second call changes nothing.
pub fn init(format: LogFormat) {
    let asked = EnvFilter::try_from_default_env();
    let unreadable = asked
        .as_ref()
        .err()
        .filter(|error| !is_unset(error))
        .map(ToString::to_string);
    let filter = match asked {
        // Whoever wants to hear of requests that can't be parsed has to name them.
        Ok(asked) if !asked.to_string().contains("actix_http") => QUIET
            .parse::<Directive>()
            .into_iter()
            .fold(asked, EnvFilter::add_directive),
        Ok(asked) => asked,
        Err(_) => EnvFilter::new(DEFAULT_FILTER),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        // It would say on standard error that standard error can't be written to, and panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let result = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // Fails only where somebody else logs already, as in tests.
    drop(result);
    if let Some(error) = unreadable {
        tracing::warn!("RUST_LOG can't be read and is left aside: {error}");
    }
}

/// Whether there is simply no filter in the environment.
fn is_unset(error: &FromEnvError) -> bool {
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<VarError>());
    matches!(source, Some(VarError::NotPresent))
}
