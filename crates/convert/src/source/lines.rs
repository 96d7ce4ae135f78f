//! JSON Lines: an object a line.

use memchr::memchr;

use super::{Bounds, Form, Found, Span, is_all_blank};
use crate::Problem;
use crate::skim::Skim;
use crate::sniff::blanks;
use crate::window::Window;

/// The reader of lines.
#[derive(Default)]
pub(super) struct Lines {
    /// The rest of a line that was too long is still to come.
    is_in_long_line: bool,
}

impl Lines {
    pub(super) fn next(&mut self, window: &mut Window<'_>, bounds: Bounds) -> Found {
        if std::mem::take(&mut self.is_in_long_line) {
            pass_over_line(window);
        }
        let mut searched = 0;
        loop {
            let bytes = window.bytes();
            // One more than a record, for the line feed.
            let seen = bytes.len().min(bounds.record.saturating_add(1));
            let feed = memchr(b'\n', &bytes[searched..seen]).map(|at| searched + at);
            let (len, used) = match feed {
                Some(feed) => (feed, feed + 1),
                None if seen > bounds.record => {
                    self.is_in_long_line = true;
                    let limit = bounds.record;
                    return Found::Bad(window.place(), Problem::TooLong { limit });
                }
                // What comes before a failure to read is no whole line.
                None if window.has_failed() => return Found::End,
                None if window.is_at_end() => (seen, seen),
                None => {
                    searched = seen;
                    window.fill();
                    continue;
                }
            };
            if used == 0 {
                return Found::End;
            }
            if is_all_blank(&bytes[..len]) {
                window.consume(used);
                searched = 0;
                continue;
            }
            return Found::Record(Span {
                form: Form::Json,
                len,
                used,
                elements_before: 0,
            });
        }
    }
}

fn pass_over_line(window: &mut Window<'_>) {
    loop {
        if let Some(feed) = memchr(b'\n', window.bytes()) {
            window.consume(feed + 1);
            return;
        }
        if !window.pass_on() {
            return;
        }
    }
}

/// Whether a text that begins with an object is JSON Lines: the object ends with its line, and
/// more follows; or the line breaks off in a string, where no line feed can be.
pub(super) fn is_lines(window: &mut Window<'_>, look_ahead: usize) -> bool {
    let first = loop {
        let first = blanks(window.bytes());
        if first < window.bytes().len() || !window.fill() {
            break first;
        }
        if first >= look_ahead {
            return false;
        }
    };
    let mut skim = Skim::default();
    let mut at = first;
    // The object, up to the end of its line.
    let mut after = loop {
        let bytes = window.bytes();
        let seen = bytes.len().min(look_ahead.max(first + 1));
        let feed = memchr(b'\n', &bytes[at..seen]).map_or(seen, |feed| at + feed);
        if let Some(end) = skim.end(&bytes[at..feed]) {
            break at + end;
        }
        if feed < seen {
            return skim.is_in_string();
        }
        at = seen;
        if seen >= look_ahead || !window.fill() {
            return false;
        }
    };
    // What follows: a line feed, and something.
    let mut has_feed = false;
    loop {
        let bytes = window.bytes();
        let rest = &bytes[after..];
        let blank = blanks(rest);
        has_feed |= memchr(b'\n', &rest[..blank]).is_some();
        if blank < rest.len() {
            return has_feed;
        }
        after = bytes.len();
        if after >= look_ahead.saturating_mul(2) || !window.fill() {
            return has_feed;
        }
    }
}
