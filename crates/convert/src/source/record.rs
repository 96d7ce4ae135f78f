//! A record, and its elements one by one.

use std::ops::Range;

use otlp_codec::Signal;

use crate::Place;

/// A record, as it stands in the input.
pub(crate) struct Record<'a> {
    pub(crate) form: Form,
    pub(crate) bytes: &'a [u8],
    /// Its elements, if it is a run of them.
    pub(crate) parts: &'a [Range<usize>],
    pub(crate) place: Place,
    /// How far into its line it begins.
    pub(crate) column: usize,
    /// How many elements of the same list were in front.
    pub(crate) elements_before: u64,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A JSON text.
    Json,
    /// Elements of the list of a signal, as JSON, with commas between.
    Elements(Signal),
    /// A key beside the list of a long object, with its quotes; only to be judged.
    Key,
    /// A value there.
    Value,
    /// Protobuf, a whole request or fields of one.
    Protobuf,
    /// What a length was in front of.
    Framed,
}

impl<'a> Record<'a> {
    /// Whether it is a part of an object that only is to be judged.
    pub(crate) fn is_beside(&self) -> bool {
        matches!(self.form, Form::Key | Form::Value)
    }

    /// Its elements as records.
    pub(crate) fn elements(&self) -> Elements<'a> {
        Elements {
            form: self.form,
            bytes: self.bytes,
            parts: self.parts.iter(),
            at: 0,
            place: self.place,
            column: self.column,
            elements_before: self.elements_before,
        }
    }
}

/// Goes over the elements of a record, and over each of its bytes once.
pub(crate) struct Elements<'a> {
    form: Form,
    bytes: &'a [u8],
    parts: std::slice::Iter<'a, Range<usize>>,
    /// What was gone over.
    at: usize,
    /// Where that ends.
    place: Place,
    column: usize,
    elements_before: u64,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let range = self.parts.next()?;
        self.go_to(range.start);
        let elements_before = self.elements_before;
        self.elements_before += 1;
        Some(Record {
            form: self.form,
            bytes: self.bytes.get(range.clone()).unwrap_or_default(),
            parts: &[],
            place: self.place,
            column: self.column,
            elements_before,
        })
    }
}

impl Elements<'_> {
    /// Goes on, never back.
    fn go_to(&mut self, start: usize) {
        let passed = self.bytes.get(self.at..start).unwrap_or_default();
        self.at += passed.len();
        self.place.offset += passed.len() as u64;
        let Some(line) = &mut self.place.line else {
            return;
        };
        match memchr::memrchr(b'\n', passed) {
            Some(feed) => {
                *line += memchr::memchr_iter(b'\n', passed).count() as u64;
                self.column = passed.len() - feed - 1;
            }
            None => self.column += passed.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Record};
    use crate::Place;
    use otlp_codec::Signal;

    /// Scenario: elements on one line and on several, behind line feeds and before.
    /// Guarantees: each has its line, its column and its index; every byte is gone over once, in
    /// their order.
    #[test]
    fn places() {
        let bytes = b"{1},{2}\n,\n {3}, {4}\n\n";
        let parts = [0..3, 4..7, 11..14, 16..19];
        let record = Record {
            form: Form::Elements(Signal::Logs),
            bytes,
            parts: &parts,
            place: Place {
                record: 0,
                line: Some(5),
                offset: 100,
            },
            column: 40,
            elements_before: 7,
        };
        let mut elements = record.elements();
        let mut found = Vec::new();
        while let Some(one) = elements.next() {
            assert_eq!(elements.at as u64 + 100, one.place.offset);
            found.push((one.place.line, one.column, one.elements_before, one.bytes));
        }
        let expected: [(_, _, _, &[u8]); 4] = [
            (Some(5), 40, 7, b"{1}"),
            (Some(5), 44, 8, b"{2}"),
            (Some(7), 1, 9, b"{3}"),
            (Some(7), 6, 10, b"{4}"),
        ];
        assert_eq!(found, expected);
    }

    /// Scenario: fields of protobuf that hold line feeds.
    /// Guarantees: nothing is counted.
    #[test]
    fn no_lines_in_protobuf() {
        let record = Record {
            form: Form::Protobuf,
            bytes: b"\n\x01\n\n\x01\n",
            parts: &[0..3, 3..6],
            place: Place::default(),
            column: 0,
            elements_before: 0,
        };
        let last = record.elements().last().unwrap();
        assert_eq!(
            (last.place.line, last.column, last.place.offset),
            (None, 0, 3)
        );
    }
}
