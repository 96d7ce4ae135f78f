//! What a conversion is asked to do.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use otlp_codec::{Limits, Signal};
use thiserror::Error;

/// Everything that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The form of the input.
    pub from: InputForm,
    /// The form of the output.
    pub to: OutputForm,
    /// How the output is compressed.
    pub compression: Compression,
    /// The signal of every record; otherwise each record is asked for its own.
    pub signal: Option<Signal>,
    /// What becomes of a conversion that meets a record it can't convert.
    pub on_error: OnError,
    /// What the codec may spend on one record. [`Limits::input_bytes`] is also the longest
    /// record, as it stands in the input and inflated.
    pub limits: Limits,
}

impl Options {
    /// What one record may become at least: far less than the codec's own limit, as a record's
    /// rendering is held until it is written.
    pub const RENDERED: usize = 256 << 20;

    /// Limits for records of up to so many bytes: what one becomes may be four times as long,
    /// or [`Self::RENDERED`].
    #[must_use]
    pub fn limits_for(longest_record: usize) -> Limits {
        Limits {
            input_bytes: longest_record,
            output_bytes: longest_record.saturating_mul(4).max(Self::RENDERED),
            ..Limits::default()
        }
    }
}

impl Default for Options {
    /// Finds out what comes in, writes JSON Lines, stops at the first bad record.
    fn default() -> Self {
        Self {
            from: InputForm::Auto,
            to: OutputForm::OtlpLines,
            compression: Compression::None,
            signal: None,
            on_error: OnError::Stop,
            limits: Self::limits_for(Limits::default().input_bytes),
        }
    }
}

/// A word that stands for nothing here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown name {0:?}")]
pub struct UnknownName(pub String);

/// An enum whose members are words of a command line.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every one, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name on a command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(word: &str) -> Result<Self, UnknownName> {
                let found = Self::ALL.iter().find(|one| one.as_str() == word);
                found.copied().ok_or_else(|| UnknownName(word.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// The form of an input, below its compression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputForm {
    /// Told apart by the first bytes.
    #[default]
    Auto,
    /// OTLP JSON objects, one or several, pretty-printed or not.
    Json,
    /// OTLP JSON, one object a line, as the Collector's file exporter writes it.
    JsonLines,
    /// One protobuf message; several that were joined are one.
    Protobuf,
    /// Records behind 4 bytes of length, big-endian, as the Collector's file exporter writes
    /// them: protobuf, or with its `compression: zstd` protobuf or JSON, each compressed alone.
    ProtobufDelimited,
}

words!(InputForm {
    Auto = "auto",
    Json = "json",
    JsonLines = "json-lines",
    Protobuf = "protobuf",
    ProtobufDelimited = "protobuf-delimited",
});

/// The form of an output, below its compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputForm {
    /// OTLP JSON, one object for all records.
    Otlp,
    /// OTLP JSON, one object a line for each record.
    OtlpLines,
    /// Protobuf's own JSON (base64 ids, names of enums), one object a line for each record.
    ProtoJson,
    /// One flat JSON object a line for each item.
    Points,
    /// One protobuf message for all records.
    Protobuf,
    /// A protobuf message for each record behind 4 bytes of length, big-endian.
    ProtobufDelimited,
}

words!(OutputForm {
    Otlp = "otlp",
    OtlpLines = "otlp-lines",
    ProtoJson = "protojson",
    Points = "points",
    Protobuf = "protobuf",
    ProtobufDelimited = "protobuf-delimited",
});

impl OutputForm {
    /// The form that a file's name asks for, in front of `.gz` or `.zst`: `.json` for
    /// [`Otlp`](Self::Otlp), `.jsonl` and `.ndjson` for [`OtlpLines`](Self::OtlpLines), `.pb`,
    /// `.binpb` and `.bin` for [`Protobuf`](Self::Protobuf).
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Self> {
        let plain = match Compression::of_name(path) {
            Compression::None => path.to_owned(),
            Compression::Gzip | Compression::Zstd => path.with_extension(""),
        };
        match ending(&plain)?.as_str() {
            "json" => Some(Self::Otlp),
            "jsonl" | "ndjson" => Some(Self::OtlpLines),
            "pb" | "binpb" | "bin" => Some(Self::Protobuf),
            _ => None,
        }
    }

    /// Whether it is not text.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Protobuf | Self::ProtobufDelimited)
    }
}

/// How an output is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// What a file's name asks for: `.gz`, `.zst`, or nothing.
    #[must_use]
    pub fn of_name(path: &Path) -> Self {
        match ending(path).as_deref() {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// What becomes of a conversion that meets a record it can't convert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// It ends there; what came before has been written.
    #[default]
    Stop,
    /// It leaves the record out, tells of it, and goes on.
    Skip,
}

words!(OnError {
    Stop = "stop",
    Skip = "skip",
});

/// A file's last ending, in lower case.
fn ending(path: &Path) -> Option<String> {
    let ending = path.extension()?.to_str()?;
    Some(ending.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{Compression, InputForm, OnError, OutputForm};
    use std::path::Path;

    /// Scenario: names of files with and without endings, of either case, compressed or not.
    /// Guarantees: form and compression are what the documentation says; a name that says
    /// nothing gives nothing.
    #[test]
    fn endings() {
        let cases = [
            ("a.json", Some(OutputForm::Otlp), Compression::None),
            ("a.jsonl", Some(OutputForm::OtlpLines), Compression::None),
            (
                "a.ndjson.gz",
                Some(OutputForm::OtlpLines),
                Compression::Gzip,
            ),
            ("a.b.PB.ZST", Some(OutputForm::Protobuf), Compression::Zstd),
            ("a.binpb", Some(OutputForm::Protobuf), Compression::None),
            ("x/a.bin", Some(OutputForm::Protobuf), Compression::None),
            ("a.json.gz", Some(OutputForm::Otlp), Compression::Gzip),
            ("a.gz", None, Compression::Gzip),
            ("a.txt", None, Compression::None),
            ("a", None, Compression::None),
            ("json", None, Compression::None),
        ];
        for (name, form, compression) in cases {
            let path = Path::new(name);
            assert_eq!(OutputForm::of_name(path), form, "{name}");
            assert_eq!(Compression::of_name(path), compression, "{name}");
        }
    }

    /// Scenario: every word, and one that is none.
    /// Guarantees: a word is read back as what it stands for; another is refused by its name.
    #[test]
    fn words() {
        for &form in InputForm::ALL {
            assert_eq!(form.as_str().parse(), Ok(form));
        }
        for &form in OutputForm::ALL {
            assert_eq!(form.as_str().parse(), Ok(form));
        }
        for &one in OnError::ALL {
            assert_eq!(one.as_str().parse(), Ok(one));
        }
        let error = "yaml".parse::<OutputForm>().unwrap_err();
        assert!(error.to_string().contains("yaml"));
    }
}
