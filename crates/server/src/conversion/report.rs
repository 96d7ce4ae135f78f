//! What is said while a conversion runs, and at its end.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use convert::{Observer, RecordError, Summary};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::files::{Input, Target};
use super::{Job, say};

/// How many skipped records are told of one by one.
const TOLD: u64 = 20;
/// How often the progress bar changes, at most: ten times a second.
const PAUSE: Duration = Duration::from_millis(100);
const DRAWN_PER_SECOND: u8 = 10;
const WITH_END: &str =
    "{wide_bar} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {msg}  {eta} left";
const WITHOUT_END: &str = "{spinner} {decimal_bytes}  {decimal_bytes_per_sec}  {msg}";

/// Tells how it goes.
pub(super) struct Report {
    name: String,
    bar: Option<ProgressBar>,
    shown: Instant,
    is_quiet: bool,
    told: u64,
}

impl Report {
    /// A bar if standard error is a terminal, and no output runs across it.
    pub(super) fn new(job: &Job, input: &Input, target: &Target) -> Self {
        let is_wanted = !job.is_quiet && io::stderr().is_terminal() && !target.is_terminal;
        Self {
            name: input.name.clone(),
            bar: is_wanted.then(|| bar(input.len)),
            shown: Instant::now(),
            is_quiet: job.is_quiet,
            told: 0,
        }
    }

    /// Takes the bar away.
    pub(super) fn end_progress(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if self.told > TOLD {
            let more = self.told - TOLD;
            say(&format_args!("{}: {more} more records skipped", self.name));
        }
    }

    /// Says what makes an input suspicious.
    pub(super) fn warn(&self, summary: &Summary) {
        if summary.is_all_empty() {
            let (name, records) = (&self.name, summary.records);
            say(&format_args!(
                "{name}: warning: none of {records} records held anything; is this OTLP?"
            ));
        }
    }

    /// Says what was done.
    pub(super) fn count(&self, summary: &Summary, time: Duration) {
        if self.is_quiet {
            return;
        }
        let (items, word) = summary.items_in_words();
        let bytes = |bytes| ByteSize(bytes).display().si();
        let inflated = if summary.bytes_inflated == summary.bytes_in {
            String::new()
        } else {
            format!(" ({} inflated)", bytes(summary.bytes_inflated))
        };
        let seconds = time.as_secs_f64();
        let rate = (summary.bytes_inflated as f64 / seconds.max(f64::EPSILON)) as u64;
        say(&format_args!(
            "{} records, {items} {word}, {}{inflated} -> {} in {seconds:.2} s ({}/s), {} skipped",
            summary.records,
            bytes(summary.bytes_in),
            bytes(summary.bytes_out),
            bytes(rate),
            summary.skipped,
        ));
    }
}

impl Observer for Report {
    fn progress(&mut self, so_far: &Summary) {
        let Some(bar) = &self.bar else {
            return;
        };
        if self.shown.elapsed() < PAUSE {
            return;
        }
        self.shown = Instant::now();
        let (items, word) = so_far.items_in_words();
        // Each draws, if it is time: the number first, or the message comes with an old one.
        bar.set_position(so_far.bytes_in);
        bar.set_message(format!("{items} {word}"));
    }

    fn skipped(&mut self, error: &RecordError) {
        self.told += 1;
        if self.told > TOLD {
            return;
        }
        let tell = || say(&format_args!("{}: skipped: {error}", self.name));
        match &self.bar {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }
}

fn bar(len: Option<u64>) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(DRAWN_PER_SECOND);
    let bar = ProgressBar::with_draw_target(len, target);
    let template = if len.is_some() { WITH_END } else { WITHOUT_END };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
