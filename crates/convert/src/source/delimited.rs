//! Records behind 4 bytes of length, big-endian.

use super::{Bounds, Form, Found, Span};
use crate::window::Window;
use crate::{ConvertError, Problem};

/// How long a length is.
const LENGTH: usize = 4;

/// The reader of records with lengths.
#[derive(Default)]
pub(super) struct Delimited {
    /// Of a record that was too long, with its length.
    still_to_come: u64,
}

impl Delimited {
    pub(super) fn next(
        &mut self,
        window: &mut Window<'_>,
        bounds: Bounds,
    ) -> Result<Found, ConvertError> {
        let place = window.place();
        if !window.pass_over(std::mem::take(&mut self.still_to_come)) {
            let what = "a record";
            return Err(ConvertError::Truncated { place, what });
        }
        let place = window.place();
        if !window.fill_to(LENGTH) {
            return match window.bytes() {
                [] => Ok(Found::End),
                _ => Err(ConvertError::Truncated {
                    place,
                    what: "the length of a record",
                }),
            };
        }
        let Some(length) = window.bytes().first_chunk::<LENGTH>() else {
            return Ok(Found::End);
        };
        let length = u32::from_be_bytes(*length);
        let len = usize::try_from(length).unwrap_or(usize::MAX);
        if len > bounds.record {
            self.still_to_come = LENGTH as u64 + u64::from(length);
            let limit = bounds.record;
            return Ok(Found::Bad(place, Problem::TooLong { limit }));
        }
        if !window.fill_to(LENGTH + len) {
            return Err(ConvertError::Truncated {
                place,
                what: "a record",
            });
        }
        window.consume(LENGTH);
        Ok(Found::Record(Span {
            form: Form::Framed,
            len,
            used: len,
            elements_before: 0,
        }))
    }
}
