//! Log lines on standard error.
//!
//! Whoever is there to read them may be slow, or not read at all. So a relay's are written by a
//! thread of their own, and nobody who has something to say waits for it: what finds no room is
//! lost, and counted.

mod writer;

use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::filter::Directive;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

pub use self::writer::Writer;

/// What is logged by default. actix-server tells of its workers, and actix-http of every request
/// that can't be parsed, which anybody could fill a disk with.
const DEFAULT_FILTER: &str = "info,actix_server=warn,actix_http=off";

/// Added to what is asked for, for the same reason.
const QUIET: &str = "actix_http=off";

/// How the relay logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// The form of lines. Default: text.
    pub format: LogFormat,
    /// Which of them there are, as directives of [`EnvFilter`]. Default: from `info` on, less of
    /// actix's own.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::default(),
            filter: DEFAULT_FILTER.to_owned(),
        }
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// The names of both.
    pub const WORDS: [&str; 2] = [Self::Text.as_str(), Self::Json.as_str()];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected text or json"),
        }
    }
}

/// The lines, below their filter.
type Lines = Layered<Box<dyn Layer<Registry> + Send + Sync>, Registry>;

/// A log that has begun.
#[derive(Default)]
pub struct Log {
    /// `None` where somebody else has begun it.
    filter: Option<reload::Handle<EnvFilter, Lines>>,
    writer: Writer,
}

impl Log {
    /// Starts logging. Where somebody else logs already, as in tests, nothing changes. The last
    /// lines are written when [`Writer::finish`] is called.
    #[must_use]
    pub fn start(config: &LogConfig) -> Self {
        let (writer, lines) = Writer::start();
        Self {
            filter: begin(config, BoxMakeWriter::new(lines)),
            writer,
        }
    }

    /// As [`start`](Self::start), but whoever has something to say writes it, and waits until it
    /// is written: for tasks that have nothing else to do.
    pub fn start_waiting(config: &LogConfig) {
        begin(config, BoxMakeWriter::new(std::io::stderr));
    }

    /// What writes the lines.
    #[must_use]
    pub fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// Goes on with another filter.
    pub(crate) fn refilter(&self, text: &str) {
        if let Some(handle) = &self.filter {
            // It fails only when nobody logs any more.
            drop(handle.reload(filter(text)));
        }
    }
}

/// Begins a log that is written so; `None` where somebody else has begun one.
fn begin(config: &LogConfig, writer: BoxMakeWriter) -> Option<reload::Handle<EnvFilter, Lines>> {
    let lines = fmt::layer()
        .with_target(false)
        // It would say on standard error that standard error can't be written to, and panic.
        .log_internal_errors(false)
        .with_writer(writer)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match config.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let (filter, handle) = reload::Layer::new(filter(&config.filter));
    let started = Registry::default().with(lines).with(filter).try_init();
    started.is_ok().then_some(handle)
}

/// Directives of a filter, if they are some.
pub(crate) fn checked(text: &str) -> Result<String, String> {
    let parsed = EnvFilter::builder().parse(text);
    parsed
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

/// A filter of directives that can be read; of others those that can be.
fn filter(text: &str) -> EnvFilter {
    let asked = EnvFilter::builder().parse_lossy(text);
    // Whoever wants to hear of requests that can't be parsed has to name them.
    match QUIET.parse::<Directive>() {
        Ok(quiet) if !text.contains("actix_http") => asked.add_directive(quiet),
        _ => asked,
    }
}
