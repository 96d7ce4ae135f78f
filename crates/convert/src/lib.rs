//! Files of OTLP, converted from any form to any other, as a stream.
//!
//! # What
//!
//! [`run()`] reads OTLP as JSON (objects, or JSON Lines as the Collector's file exporter writes
//! them) or protobuf (one message, or records behind lengths), gzip or zstd around it, told apart
//! by the first bytes; and writes any [`OutputForm`], compressed or not. Memory doesn't grow with
//! the input: a record is converted at a time, and what is too long for one record is taken apart
//! where both encodings allow it.
//!
//! # Example
//!
//! ```
//! use convert::{NoObserver, Options, OutputForm};
//!
//! let lines = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":9}]}]}]}
//! {"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":17}]}]}]}"#;
//! let options = Options { to: OutputForm::Protobuf, ..Options::default() };
//! let mut wire = Vec::new();
//! let summary = convert::run(&lines[..], &mut wire, &options, &mut NoObserver)?;
//! assert_eq!(wire, [10, 6, 18, 4, 18, 2, 16, 9, 10, 6, 18, 4, 18, 2, 16, 17]);
//! assert_eq!(summary.items_in_words(), (2, "log records"));
//! # Ok::<(), Box<convert::Failure>>(())
//! ```
//!
//! # Where things are
//!
//! - [`options`]: the forms, and what a file's name says about them.
//! - [`error`]: what can go wrong, and where.
//! - [`summary`]: what was done, and the [`Observer`] that is told meanwhile.
//!
//! Every record becomes protobuf, is checked and counted there, and is written from there, all by
//! [`otlp_codec`]. No files, no terminal, no threads: that is for who calls.

mod engine;
pub mod error;
mod guess;
mod gzip;
mod layers;
mod members;
pub mod options;
mod output;
mod render;
mod run;
mod shift;
mod skim;
mod sniff;
mod source;
pub mod summary;
mod value;
mod window;

pub use error::{ConvertError, Failure, Place, Problem, RecordError};
pub use options::{Compression, InputForm, OnError, Options, OutputForm};
pub use run::run;
pub use summary::{NoObserver, Observer, Summary};
