//! The command line. Its flags are made of the settings ([`crate::settings`]), which also say what
//! they mean.

mod config;
mod convert;
mod flags;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Args, Command, FromArgMatches, error::ErrorKind};

use crate::conversion::Job;
use crate::settings::{Source, Variables};

pub use config::{Question, refuse};

/// What the process is to do.
#[derive(Debug)]
pub enum Task {
    /// Run the relay as [`Source`] says.
    Serve(Source),
    /// Convert a file, and log as [`Source::log`] says.
    Convert(Box<Job>, Source),
    /// Tell of the configuration.
    Config(Question, Source),
}

/// The task that the command line asks for, with the environment of the process.
///
/// # Errors
///
/// What clap has to say: that the command line can't be read, but also what `--help` and
/// `--version` ask for. Values are not looked at yet.
pub fn parse(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    variables: Variables,
) -> Result<Task, clap::Error> {
    let matches = command().try_get_matches_from(args)?;
    let source = |matches: &ArgMatches| flags::source(matches, variables.clone());
    match matches.subcommand() {
        Some(("convert", matches)) => {
            let args = convert::ConvertArgs::from_arg_matches(matches)?;
            Ok(Task::Convert(Box::new(args.into_job()), source(matches)))
        }
        Some(("config", matches)) => match matches.subcommand() {
            Some((name, matches)) => match Question::of_name(name) {
                Some(question) => Ok(Task::Config(question, source(matches))),
                None => Err(command().error(ErrorKind::InvalidSubcommand, name)),
            },
            None => Err(command().error(ErrorKind::MissingSubcommand, "config")),
        },
        Some((_, matches)) => Ok(Task::Serve(source(matches))),
        None => Ok(Task::Serve(source(&matches))),
    }
}

/// The whole command line.
fn command() -> Command {
    let serve = Command::new("serve")
        .about("Receive OTLP and show it (the default)")
        .long_about(
            "Receive OTLP over HTTP and gRPC and show it over WebSocket and HTTP (the default)",
        );
    let convert = Command::new("convert")
        .about("Convert files of OTLP")
        .long_about(
            "Convert files of OTLP: JSON, JSON Lines and protobuf, gzip or zstd around them",
        )
        .arg(flags::help());
    let relay = Command::new("otlp-relay")
        .version(env!("CARGO_PKG_VERSION"))
        .about("OpenTelemetry in, live JSON out.")
        .args_conflicts_with_subcommands(true)
        .subcommand(flags::add(serve))
        .subcommand(convert::ConvertArgs::augment_args(convert))
        .subcommand(config::command());
    flags::add(relay).args(flags::of_log())
}

/// The flag that names the file.
fn file(matches: &ArgMatches) -> Option<PathBuf> {
    let path = matches.try_get_one::<PathBuf>(crate::settings::CONFIG);
    path.ok().flatten().cloned()
}

#[cfg(test)]
mod tests;
