//! What is wrong with a configuration, and where each of it stands. No message repeats more of
//! what was written than the value of a setting that there is: what somebody wrote for something
//! else, a token in the place of its file's name say, stays out of logs.

use std::fmt;
use std::path::PathBuf;

use super::values::Fault;

/// Where a value came from; what counts more is greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Nobody has set it.
    Default,
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1; `None` for the file as a whole.
        line: Option<usize>,
    },
    /// A variable of the environment, by its name.
    Variable(String),
    /// A flag, by its name without dashes.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File {
                path,
                line: Some(line),
            } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// What is wrong, with the name of the setting where the place doesn't say it.
    pub what: String,
}

impl Problem {
    /// Of the setting `name`.
    pub(super) fn new(place: Place, name: &str, why: &str) -> Self {
        let what = match place {
            Place::Variable(_) | Place::Flag(_) => why.to_owned(),
            Place::Default | Place::File { .. } => format!("{name} {why}"),
        };
        Self { place, what }
    }

    /// Of a value of the setting `name`.
    pub(super) fn value(place: Place, name: &str, fault: &Fault) -> Self {
        let why = format!("can't be {:?}: {}", shown(&fault.text), fault.why);
        Self::new(place, name, &why)
    }

    /// Of a file as a whole, or of a line that holds no setting.
    pub(super) fn of_file(path: PathBuf, line: Option<usize>, what: String) -> Self {
        let place = Place::File { path, line };
        Self { place, what }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Default => f.write_str(&self.what),
            Place::File { .. } => write!(f, "{}: {}", self.place, self.what),
            Place::Variable(_) | Place::Flag(_) => write!(f, "{} {}", self.place, self.what),
        }
    }
}

/// A value as messages show it: the beginning of it, and no password of an URL.
fn shown(text: &str) -> String {
    const MOST: usize = 100;
    let without_password = match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}…{}", &text[..scheme + 3], &text[at..])
        }
        _ => text.to_owned(),
    };
    without_password.chars().take(MOST).collect()
}

/// Everything that is wrong with a configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "the configuration can't be used:")?,
            count => write!(f, "the configuration can't be used, for {count} reasons:")?,
        }
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}
