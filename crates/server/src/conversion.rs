//! `otlp-relay convert`: opens the files, shows how it goes, says how it went.
//!
//! [`convert`] does the work; there is no async runtime. Messages are plain lines on standard
//! error, and not log lines: they are for whoever has typed the command.

mod files;
mod report;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use convert::{ConvertError, Options};

use files::{Input, Target};
use report::Report;

/// Failed.
const FAILED: u8 = 1;
/// The command line asks for something that can't be meant.
const USAGE: u8 = 2;
/// Converted, but for records that were skipped.
const SKIPPED: u8 = 3;

/// A conversion of one input to one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The file to read; none for standard input.
    pub input: Option<PathBuf>,
    /// Whether standard input is read even if it is a terminal.
    pub waits_for_typing: bool,
    /// The file to write; none for standard output.
    pub output: Option<PathBuf>,
    /// Whether neither progress nor a count is shown.
    pub is_quiet: bool,
    /// What to do.
    pub options: Options,
}

/// Why a job was not begun.
#[derive(Debug)]
struct Refusal {
    code: u8,
    message: String,
}

/// Converts, with messages on standard error. The exit code is that of `otlp-relay convert`.
#[must_use]
pub fn run(job: &Job) -> ExitCode {
    match try_run(job) {
        Ok(code) => code,
        Err(refusal) => {
            say(&refusal.message);
            ExitCode::from(refusal.code)
        }
    }
}

fn try_run(job: &Job) -> Result<ExitCode, Refusal> {
    let input = Input::open(job)?;
    let target = Target::open(job, &input)?;
    let mut report = Report::new(job, &input, &target);
    let begun = Instant::now();
    let result = convert::run(input.reader, target.writer, &job.options, &mut report);
    report.end_progress();
    let (summary, failure) = match result {
        Ok(summary) => (summary, None),
        Err(failure) => (failure.summary, Some(failure.error)),
    };
    let code = match &failure {
        // Nobody is left to tell.
        Some(error) if error.is_broken_pipe() => return Ok(ExitCode::SUCCESS),
        Some(error @ ConvertError::Write(_)) => {
            say(&format_args!("{}: {error}", target.name));
            // What was converted is not what was written.
            return Ok(ExitCode::from(FAILED));
        }
        Some(error) => {
            say(&format_args!("{}: {error}", input.name));
            ExitCode::from(FAILED)
        }
        None if summary.skipped > 0 => ExitCode::from(SKIPPED),
        None => ExitCode::SUCCESS,
    };
    report.warn(&summary);
    report.count(&summary, begun.elapsed());
    Ok(code)
}

/// Writes a line on standard error, which may be closed.
fn say(message: &dyn fmt::Display) {
    drop(writeln!(io::stderr(), "otlp-relay: {message}"));
}
