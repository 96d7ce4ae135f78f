//! Values that pbjson writes differently from OTLP JSON, and a bounded writer.

use std::fmt::Display;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use crate::{EncodeError, Limits};

/// Bytes as lower-case hex.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
        let text: String = self
            .0
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
            .collect();
        serializer.serialize_str(&text)
    }
}

/// The id of a profile: hex, and base64 if it is not 16 bytes long, which it should be. A reader
/// takes 32 hex digits for hex, so that one of 24 bytes whose base64 looks so (all of them 0, say)
/// doesn't read back.
pub(crate) struct ProfileId<'a>(pub(crate) &'a [u8]);

impl Serialize for ProfileId<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const BYTES: usize = 16;
        match self.0.len() {
            BYTES => Hex(self.0).serialize(serializer),
            _ => serializer.serialize_str(&STANDARD.encode(self.0)),
        }
    }
}

/// A double, or the string that stands for what JSON has no number for.
pub(crate) struct Double(pub(crate) f64);

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else if self.0.is_nan() {
            serializer.serialize_str("NaN")
        } else if self.0 > 0.0 {
            serializer.serialize_str("Infinity")
        } else {
            serializer.serialize_str("-Infinity")
        }
    }
}

/// A list of doubles.
pub(crate) struct Doubles<'a>(pub(crate) &'a [f64]);

impl Serialize for Doubles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().copied().map(Double))
    }
}

/// A list of 64-bit integers, each a string.
pub(crate) struct Integers<'a, T>(pub(crate) &'a [T]);

impl<T: Display> Serialize for Integers<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Integer))
    }
}

/// A 64-bit integer as a string.
struct Integer<'a, T>(&'a T);

impl<T: Display> Serialize for Integer<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// See [`super::encode`].
pub(super) fn encode<M: Serialize>(
    message: &M,
    limits: &Limits,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let mut writer = Bounded {
        room: limits.output_bytes,
        out,
    };
    // The writers of OTLP messages fail only where this one does.
    if serde_json::to_writer(&mut writer, message).is_err() {
        out.truncate(start);
        return Err(EncodeError::TooLong {
            limit: limits.output_bytes,
        });
    }
    Ok(())
}

/// Appends to a buffer until the room is used up.
struct Bounded<'a> {
    room: usize,
    out: &'a mut Vec<u8>,
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.room.checked_sub(bytes.len()) {
            Some(room) => {
                self.room = room;
                self.out.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            None => Err(io::ErrorKind::FileTooLarge.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
