//! The part of the input that is in memory.

use memchr::{memchr_iter, memrchr};

use crate::layers::Layers;
use crate::{ConvertError, Place};

/// How many bytes are asked for at a time, and how long the buffer is at least.
pub(crate) const CHUNK: usize = 512 << 10;

/// A buffer over the input: what was read and not yet used up. It grows to what its user asks it
/// to hold, and never shrinks.
pub(crate) struct Window<'r> {
    layers: Layers<'r>,
    /// Kept at full length: making it longer writes zeros.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_at_end: bool,
    failure: Option<ConvertError>,
    /// Bytes that were used up.
    offset: u64,
    /// Line feeds among them, if they are counted.
    lines: Option<u64>,
    /// Where the line begins that the window begins in.
    line_start: u64,
}

impl<'r> Window<'r> {
    pub(crate) fn new(layers: Layers<'r>) -> Self {
        Self {
            layers,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            is_at_end: false,
            failure: None,
            offset: 0,
            lines: None,
            line_start: 0,
        }
    }

    /// The bytes that are here.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Whether the input has no more bytes than those that are here.
    pub(crate) fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// From here on line feeds are counted.
    pub(crate) fn count_lines(&mut self) {
        self.lines = Some(0);
        self.line_start = self.offset;
    }

    /// Reads some more bytes. Whether there were any.
    pub(crate) fn fill(&mut self) -> bool {
        if self.is_at_end {
            return false;
        }
        let len = self.end - self.start;
        if self.end == self.buffer.len() {
            if self.start > 0 && len <= self.buffer.len() / 2 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, len);
            } else {
                self.grow();
            }
        }
        let read = self.layers.read(&mut self.buffer[self.end..]);
        let read = read.unwrap_or_else(|error| {
            self.failure = Some(error);
            0
        });
        self.end += read;
        self.is_at_end = read == 0;
        read > 0
    }

    /// Why there are no more bytes, if it is not that the input ends. It is kept until what is
    /// whole has been used up.
    pub(crate) fn take_failure(&mut self) -> Option<ConvertError> {
        self.failure.take()
    }

    /// Whether reading failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Reads until so many bytes are here. Whether they are.
    pub(crate) fn fill_to(&mut self, len: usize) -> bool {
        while self.bytes().len() < len {
            if !self.fill() {
                return false;
            }
        }
        true
    }

    /// Uses up bytes that are here.
    pub(crate) fn consume(&mut self, len: usize) {
        if let Some(lines) = &mut self.lines {
            let used = &self.buffer[self.start..self.start + len];
            if let Some(last) = memrchr(b'\n', used) {
                *lines += memchr_iter(b'\n', used).count() as u64;
                self.line_start = self.offset + last as u64 + 1;
            }
        }
        self.start += len;
        self.offset += len as u64;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Uses up so many bytes, here or not. Whether there were as many.
    pub(crate) fn pass_over(&mut self, len: u64) -> bool {
        let mut left = len;
        loop {
            let here = self.bytes().len();
            let now = usize::try_from(left).map_or(here, |left| left.min(here));
            self.consume(now);
            left -= now as u64;
            if left == 0 || !self.fill() {
                return left == 0;
            }
        }
    }

    /// Uses up all that is here, and reads some more. Whether there was any.
    pub(crate) fn pass_on(&mut self) -> bool {
        self.consume(self.bytes().len());
        self.fill()
    }

    /// Where the window begins. The number of the record is somebody else's to say.
    pub(crate) fn place(&self) -> Place {
        Place {
            record: 0,
            line: self.lines.map(|lines| lines + 1),
            offset: self.offset,
        }
    }

    /// How far into its line the window begins, if lines are counted: otherwise a record has
    /// lines of its own.
    pub(crate) fn column(&self) -> usize {
        if self.lines.is_none() {
            return 0;
        }
        usize::try_from(self.offset - self.line_start).unwrap_or(usize::MAX)
    }

    /// How many bytes have come in, as they came.
    pub(crate) fn bytes_in(&self) -> u64 {
        self.layers.bytes_in()
    }

    /// How many bytes have come in, inflated.
    pub(crate) fn bytes_inflated(&self) -> u64 {
        self.offset + self.bytes().len() as u64
    }

    /// How long the buffer is.
    pub(crate) fn buffer_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Makes room, at the end and in front.
    fn grow(&mut self) {
        let len = self.end - self.start;
        let longer = (len * 2).max(CHUNK);
        if longer > self.buffer.len() {
            let mut buffer = vec![0; longer];
            buffer[..len].copy_from_slice(self.bytes());
            self.buffer = buffer;
        } else {
            self.buffer.copy_within(self.start..self.end, 0);
        }
        (self.start, self.end) = (0, len);
    }
}
