//! `otlp-relay config`: what the configuration is, and whether it is one.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Command;

use super::flags;
use crate::compose::errors_of_files;
use crate::settings::{self, Loaded, Problems, Source};

/// The configuration is wrong.
const USAGE: u8 = 2;

/// What is asked of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether it can be used.
    Check,
    /// What it is, and where each value came from.
    Show,
    /// What it is by default, as a file.
    Defaults,
    /// What a file may hold, as JSON Schema.
    Schema,
    /// What there is to set, as Markdown.
    Reference,
}

impl Question {
    const ALL: [Self; 5] = [
        Self::Check,
        Self::Show,
        Self::Defaults,
        Self::Schema,
        Self::Reference,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Show => "show",
            Self::Defaults => "defaults",
            Self::Schema => "schema",
            Self::Reference => "reference",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::Check => "Say everything that is wrong with the configuration, and its files",
            Self::Show => "Show the configuration, and where each value came from",
            Self::Defaults => "Print a file with every setting, commented out, at its default",
            Self::Schema => "Print the JSON Schema of the file",
            Self::Reference => "Print docs/configuration.md",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Answers it, on standard output.
    #[must_use]
    pub fn answer(self, source: &Source) -> ExitCode {
        match self {
            Self::Check => check(source),
            Self::Show => match load(source) {
                Ok(loaded) => print(&settings::show(&loaded)),
                Err(code) => code,
            },
            Self::Defaults => print(&settings::defaults()),
            Self::Schema => print(&settings::schema()),
            Self::Reference => print(&settings::reference()),
        }
    }
}

/// `otlp-relay config`.
pub(super) fn command() -> Command {
    let commands = Question::ALL.map(|question| {
        let command = Command::new(question.name()).about(question.about());
        match question {
            Question::Check | Question::Show => flags::add(command),
            Question::Defaults | Question::Schema => command.arg(flags::help()),
            Question::Reference => command.arg(flags::help()).hide(true),
        }
    });
    Command::new("config")
        .about("Check and show the configuration, print the defaults")
        .arg_required_else_help(true)
        .arg(flags::help())
        .subcommands(commands)
}

/// Reads the configuration, and says on standard error what is wrong or odd.
///
/// # Errors
///
/// The exit code, when something is wrong.
pub(super) fn load(source: &Source) -> Result<Loaded, ExitCode> {
    let loaded = source.load().map_err(|problems| refuse(&problems))?;
    for warning in &loaded.warnings {
        complain(&format_args!("warning: {warning}"));
    }
    Ok(loaded)
}

fn check(source: &Source) -> ExitCode {
    let loaded = match load(source) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let errors = errors_of_files(&loaded.config);
    for error in &errors {
        complain(&loaded.told_one(error));
    }
    match errors.is_empty() {
        true => print("the configuration can be used\n"),
        false => ExitCode::FAILURE,
    }
}

/// Says why the configuration can't be used. The exit code.
pub fn refuse(problems: &Problems) -> ExitCode {
    complain(problems);
    USAGE.into()
}

fn complain(what: &impl Display) {
    // Standard error may be closed.
    drop(writeln!(std::io::stderr(), "{what}"));
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads it may have read enough.
        Err(_) => ExitCode::FAILURE,
    }
}
