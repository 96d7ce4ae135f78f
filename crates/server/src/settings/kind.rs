//! What the values of settings look like: read and written the same way in every layer.

use super::values::{self, Fault};

/// How the values of a setting become `T`, and `T` becomes text again.
pub(crate) struct Kind<T: 'static> {
    /// What people and editors are told.
    pub(crate) form: Form,
    /// One text, or one for each element of a list.
    pub(crate) read: fn(&[String]) -> Result<T, Fault>,
    /// The texts that [`read`](Self::read) would make the same value of; none for no value.
    pub(crate) write: fn(&T) -> Vec<String>,
}

/// What is told of a kind of values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// The placeholder of flags: `SIZE`.
    pub(crate) name: &'static str,
    /// How one value is written in a file.
    pub(crate) written: Written,
    /// Whether there may be several: a list in a file, commas elsewhere.
    pub(crate) many: bool,
    /// What stands behind "expected".
    pub(crate) expected: &'static str,
    /// A value that can be read.
    pub(crate) example: &'static str,
}

/// How one value is written in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Written {
    /// As text that a regular expression of JSON Schema describes, as far as one can.
    Text(&'static str),
    /// As one of these words.
    Word(&'static [&'static str]),
    /// As the path of a file; one that is not absolute is looked for beside the file that it
    /// stands in.
    Path,
    /// As a whole number in this range.
    Number(u64, u64),
    /// As `true` or `false`.
    Switch,
}

impl Form {
    /// Texts as they would stand in a file.
    pub(crate) fn toml(&self, texts: &[String]) -> String {
        let one = |text: &String| match self.written {
            Written::Number(..) | Written::Switch => text.clone(),
            Written::Text(_) | Written::Word(_) | Written::Path => {
                toml::Value::from(text.as_str()).to_string()
            }
        };
        let written: Vec<String> = texts.iter().map(one).collect();
        match self.many {
            true => format!("[{}]", written.join(", ")),
            false => written.concat(),
        }
    }

    /// The example, as it would stand in a file.
    pub(crate) fn toml_example(&self) -> String {
        self.toml(&[self.example.to_owned()])
    }
}

/// The only text of a setting that has one value. The last, if there were more.
pub(super) fn one<T>(
    texts: &[String],
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Fault> {
    let text = texts.last().map_or("", String::as_str);
    read(text).map_err(|why| Fault::new(text, why))
}

/// Every element of a list.
pub(super) fn each<T>(
    texts: &[String],
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Fault> {
    let elements = texts.iter();
    elements
        .map(|text| read(text).map_err(|why| Fault::new(text, why)))
        .collect()
}

/// A value that can be parsed and displayed, or none.
pub(super) fn maybe<T: ToString>(value: &Option<T>) -> Vec<String> {
    value.iter().map(ToString::to_string).collect()
}

/// Every element of a list, as it displays itself.
pub(super) fn display<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// The kinds that many settings have. Those of one setting alone stand beside it.
pub(super) mod kinds {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::{Form, Kind, Written, one, values};

    const SIZE_FORM: Form = Form {
        name: "SIZE",
        written: Written::Text(values::SIZE_PATTERN),
        many: false,
        expected: "a size with its unit, like 64MiB, 500KB or 1000B",
        example: "64MiB",
    };
    const TIME_FORM: Form = Form {
        name: "TIME",
        written: Written::Text(values::TIME_PATTERN),
        many: false,
        expected: "a time with its unit, like 30s, 500ms or 1h30m",
        example: "30s",
    };
    const COUNT_FORM: Form = Form {
        name: "N",
        written: Written::Number(1, u64::MAX),
        many: false,
        expected: "a whole number, 1 or more",
        example: "100",
    };

    /// Bytes, more than none.
    pub(in crate::settings) const SIZE: Kind<usize> = Kind {
        form: SIZE_FORM,
        read: |texts| one(texts, values::size),
        write: |size| vec![values::write_size(*size as u64)],
    };
    /// Bytes, maybe none.
    pub(in crate::settings) const SIZE_OR_ZERO: Kind<usize> = Kind {
        form: SIZE_FORM,
        read: |texts| one(texts, values::size_or_zero),
        write: |size| vec![values::write_size(*size as u64)],
    };
    /// Bytes below 4 GiB, more than none.
    pub(in crate::settings) const SMALL_SIZE: Kind<u32> = Kind {
        form: SIZE_FORM,
        read: |texts| one(texts, values::small_size),
        write: |size| vec![values::write_size(u64::from(*size))],
    };
    /// Bytes, more than none; or as the relay sees fit.
    pub(in crate::settings) const MAYBE_SIZE: Kind<Option<usize>> = Kind {
        form: SIZE_FORM,
        read: |texts| one(texts, |text| values::size(text).map(Some)),
        write: |size| {
            size.iter()
                .map(|size| values::write_size(*size as u64))
                .collect()
        },
    };
    /// A number of things, 1 or more.
    pub(in crate::settings) const COUNT: Kind<usize> = Kind {
        form: COUNT_FORM,
        read: |texts| one(texts, values::count),
        write: |count| vec![count.to_string()],
    };
    /// A length of time, more than none.
    pub(in crate::settings) const TIME: Kind<Duration> = Kind {
        form: TIME_FORM,
        read: |texts| one(texts, values::time),
        write: |time| vec![values::write_time(*time)],
    };
    /// A length of time, maybe none.
    pub(in crate::settings) const TIME_OR_ZERO: Kind<Duration> = Kind {
        form: TIME_FORM,
        read: |texts| one(texts, values::time_or_zero),
        write: |time| vec![values::write_time(*time)],
    };
    /// A length of time, more than none; or nothing is said.
    pub(in crate::settings) const MAYBE_TIME: Kind<Option<Duration>> = Kind {
        form: TIME_FORM,
        read: |texts| one(texts, |text| values::time(text).map(Some)),
        write: |time| time.iter().map(|time| values::write_time(*time)).collect(),
    };
    /// On or off.
    pub(in crate::settings) const SWITCH: Kind<bool> = Kind {
        form: Form {
            name: "BOOL",
            written: Written::Switch,
            many: false,
            expected: "true or false",
            example: "true",
        },
        read: |texts| one(texts, values::switch),
        write: |on| vec![on.to_string()],
    };
    /// The path of a file, or none.
    pub(in crate::settings) const FILE: Kind<Option<PathBuf>> = Kind {
        form: Form {
            name: "FILE",
            written: Written::Path,
            many: false,
            expected: "the path of a file",
            example: "/etc/otlp-relay/file",
        },
        read: |texts| one(texts, |text| values::path(text).map(Some)),
        write: |path| path.iter().map(|path| path.display().to_string()).collect(),
    };
}
