//! The layer of the environment: `OTLP_RELAY_…`, and `RUST_LOG`.
//!
//! A file is the relay's own, its environment is not: others leave variables there. So a variable
//! that names no setting is refused if it looks like a slip of a finger, for what was to close the
//! relay must not be left open; any other is warned of.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::layer::{Entry, Layer, elements, most_like};
use super::problem::{Place, Problem};
use super::source::{CONFIG, CONFIG_VARIABLE};
use super::table::{PREFIX, settings, variable};

/// What everybody's log is filtered by.
const RUST_LOG: &str = "RUST_LOG";

/// The variables that concern the relay. Those that are set to nothing count as not set, as files
/// that pass variables on to a container leave them.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, OsString>);

impl Variables {
    /// Those of the process.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// One that isn't a setting.
    pub(super) fn get(&self, name: &str) -> Option<&OsString> {
        self.0.get(name)
    }

    /// The layer of these, with what is wrong with it and what is odd.
    pub(super) fn layer(&self, problems: &mut Vec<Problem>, warnings: &mut Vec<String>) -> Layer {
        let mut layer = Layer::new();
        for setting in settings() {
            let name = setting.variable();
            let Some(value) = self.0.get(&name) else {
                continue;
            };
            let place = Place::Variable(name);
            let Some(text) = value.to_str() else {
                problems.push(Problem::new(place, setting.name, "is not UTF-8"));
                continue;
            };
            let texts = match setting.form().many {
                true => elements(text).collect(),
                false => vec![text.to_owned()],
            };
            layer.insert(setting.name, Entry { texts, place });
        }
        self.unknown(problems, warnings);
        self.rust_log(&mut layer, warnings);
        layer
    }

    /// What other programs want logged too counts less than what is meant for the relay alone, and
    /// is left aside if it can't be read.
    fn rust_log(&self, layer: &mut Layer, warnings: &mut Vec<String>) {
        let Some(value) = self.0.get(RUST_LOG) else {
            return;
        };
        let text = value.to_string_lossy().into_owned();
        match crate::logging::checked(&text) {
            Ok(text) => {
                let (texts, place) = (vec![text], Place::Variable(RUST_LOG.to_owned()));
                layer.entry("log-filter").or_insert(Entry { texts, place });
            }
            Err(error) => {
                warnings.push(format!("RUST_LOG can't be read and is left aside: {error}"))
            }
        }
    }

    fn unknown(&self, problems: &mut Vec<Problem>, warnings: &mut Vec<String>) {
        for name in self.0.keys() {
            let Some(rest) = behind_prefix(name) else {
                continue;
            };
            // Names count as they are written: another case, or a dash, is another variable.
            let is_setting = settings().any(|setting| setting.variable() == *name);
            if is_setting || name == CONFIG_VARIABLE || is_service_link(rest) {
                continue;
            }
            let names = settings().map(|setting| setting.name);
            match most_like(rest, names.chain([CONFIG])) {
                Some(near) => {
                    let near = variable(near);
                    let why = format!("is no variable of the relay; did you mean {near}?");
                    problems.push(Problem::new(Place::Variable(name.clone()), name, &why));
                }
                None => warnings.push(format!("{name} is no variable of the relay")),
            }
        }
    }
}

impl FromIterator<(OsString, OsString)> for Variables {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(all: I) -> Self {
        let named = all
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let concerns = |name: &str| behind_prefix(name).is_some() || name == RUST_LOG;
        Self(
            named
                .filter(|(name, value)| concerns(name) && !value.is_empty())
                .collect(),
        )
    }
}

/// What stands behind the prefix of the relay's variables, however that is written.
fn behind_prefix(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_at_checked(PREFIX.len())?;
    let prefix = prefix.replace('-', "_");
    prefix.eq_ignore_ascii_case(PREFIX).then_some(rest)
}

/// Whether Kubernetes has set it because a service near the relay is called `otlp-relay…`
/// (Kubernetes docs, "Accessing the Service", "Environment Variables").
pub(super) fn is_service_link(rest: &str) -> bool {
    let words: Vec<&str> = rest.split('_').collect();
    let is_number = |word: &str| word.parse::<u16>().is_ok();
    words.ends_with(&["SERVICE", "HOST"])
        || words.ends_with(&["PORT"])
        || words.windows(2).any(|pair| match pair {
            ["SERVICE", "PORT"] => true,
            ["PORT", number] => is_number(number),
            _ => false,
        })
}
