//! What stands around an export where frames say what they hold.
//!
//! ```json
//! {"type":"data","epoch":"…","seq":"7","signal":"metrics","receivedAt":"…","data":…}
//! ```

use std::io::Write;

use super::message::Message;
use crate::publication::Publication;
use crate::view::Format;

/// How long the end of an envelope may be, in bytes.
pub(super) const MAX_END: usize =
    r#"],"part":18446744073709551615,"parts":18446744073709551615}"#.len();

/// The envelope of a view's frames.
pub(super) struct Envelope {
    /// All up to the value of `seq`.
    begin: String,
    /// Whether the data are lines that become an array.
    lines: bool,
}

impl Envelope {
    /// For frames of a hub's life.
    pub(super) fn new(epoch: &str, format: Format) -> Self {
        Self {
            begin: format!(r#"{{"type":"data","epoch":"{epoch}","seq":""#),
            lines: format == Format::Points,
        }
    }

    /// Writes all that stands before the data.
    pub(super) fn open(&self, publication: &Publication, out: &mut Message) {
        out.extend_from_slice(self.begin.as_bytes());
        let (seq, signal) = (publication.seq, publication.signal);
        let received = humantime::format_rfc3339_nanos(publication.received);
        // Writing to a message cannot fail.
        let _ = write!(
            out,
            r#"{seq}","signal":"{signal}","receivedAt":"{received}","data":"#
        );
        if self.lines {
            out.extend_from_slice(b"[");
        }
    }

    /// Writes all that stands behind the data: of the frames of one export, each has its number.
    pub(super) fn close(&self, part: Option<(usize, usize)>, out: &mut Message) {
        if self.lines {
            out.extend_from_slice(b"]");
        }
        if let Some((part, parts)) = part {
            let _ = write!(out, r#","part":{part},"parts":{parts}"#);
        }
        out.extend_from_slice(b"}");
    }
}

/// Makes elements of an array of the lines from `begin` on, which each end in a newline. Text in
/// JSON has no newlines of its own.
pub(super) fn join_lines(begin: usize, out: &mut Message) {
    for byte in out.as_mut_slice()[begin..]
        .iter_mut()
        .filter(|byte| **byte == b'\n')
    {
        *byte = b',';
    }
    if out.len() > begin {
        out.pop();
    }
}
