//! The layers, one above the other: flags, the environment, a file, the defaults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::draft::Draft;
use super::environment::Variables;
use super::file;
use super::layer::{Entry, Layer, elements};
use super::problem::{Place, Problem, Problems};
use super::table::{Setting, settings};
use crate::config::ServerConfig;
use crate::logging::LogConfig;

/// The flag of the file, which is no setting: a file can't name itself.
pub(crate) const CONFIG: &str = "config";
/// Its variable.
pub(super) const CONFIG_VARIABLE: &str = "OTLP_RELAY_CONFIG";

/// Where the configuration comes from. It can be read again and again; flags and variables stay
/// what they were when the process began.
#[derive(Clone, Debug, Default)]
pub struct Source {
    flags: Layer,
    config: Option<PathBuf>,
    variables: Variables,
}

/// A configuration, and how it came about.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the relay is to do.
    pub config: ServerConfig,
    /// What it is to log.
    pub log: LogConfig,
    /// Every setting, in the order of the reference.
    pub(crate) values: Vec<Value>,
    /// What is odd but harms nothing.
    pub warnings: Vec<String>,
    /// What there was to look up.
    pub(crate) names: Names,
}

/// What texts of settings were read as, where that is something else: a name in the place of an
/// address is looked up once, and stays what it was when everything is read again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(BTreeMap<(&'static str, Vec<String>), Vec<String>>);

#[cfg(test)]
impl Names {
    /// One text of a setting, and what it was read as.
    pub(super) fn of(setting: &'static str, text: &str, read: &str) -> Self {
        Self([((setting, vec![text.to_owned()]), vec![read.to_owned()])].into())
    }
}

/// What a setting is set to.
#[derive(Clone)]
pub(crate) struct Value {
    /// The setting.
    pub(crate) setting: &'static Setting,
    /// Its value, as [`Setting::get`] gives it.
    pub(crate) texts: Vec<String>,
    /// Where it came from.
    pub(crate) place: Place,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} = {:?} ({})",
            self.setting.name, self.texts, self.place
        )
    }
}

impl Source {
    /// Of the environment alone, until there are flags.
    #[must_use]
    pub fn new(variables: Variables) -> Self {
        let config = variables.get(CONFIG_VARIABLE).map(PathBuf::from);
        Self {
            flags: Layer::new(),
            config,
            variables,
        }
    }

    /// With the file that the flag `--config` names.
    pub(crate) fn with_config(self, path: PathBuf) -> Self {
        Self {
            config: Some(path),
            ..self
        }
    }

    /// With a flag; the texts of a list may be divided by commas.
    pub(crate) fn with_flag(mut self, setting: &'static Setting, texts: Vec<String>) -> Self {
        let texts = match setting.form().many {
            true => texts.iter().flat_map(|text| elements(text)).collect(),
            false => texts,
        };
        let place = Place::Flag(setting.name.to_owned());
        self.flags.insert(setting.name, Entry { texts, place });
        self
    }

    /// The file, if one was named.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// Reads every layer.
    ///
    /// # Errors
    ///
    /// [`Problems`]: everything that is wrong, in every layer, even where another one counts.
    pub fn load(&self) -> Result<Loaded, Problems> {
        self.load_again(&Names::default())
    }

    /// As [`load`](Self::load), without looking up what was looked up `before`.
    pub(crate) fn load_again(&self, before: &Names) -> Result<Loaded, Problems> {
        let mut names = Names::default();
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let file = self.config.as_deref();
        let file = file.map(|path| file::layer(path, &mut problems));
        let variables = self.variables.layer(&mut problems, &mut warnings);
        let layers = [file.unwrap_or_default(), variables, self.flags.clone()];
        let mut draft = Draft::default();
        let values: Vec<Value> = settings()
            .map(|setting| {
                let names = (before, &mut names);
                let place = set(setting, &layers, names, &mut draft, &mut problems);
                let texts = setting.get(&mut draft);
                Value {
                    setting,
                    texts,
                    place,
                }
            })
            .collect();
        problems.extend(draft.check(|name| {
            let value = values.iter().find(|value| value.setting.name == name);
            value.map_or(Place::Default, |value| value.place.clone())
        }));
        if !problems.is_empty() {
            problems.sort_by(|one, other| one.place.cmp(&other.place));
            return Err(Problems(problems));
        }
        let (config, log) = draft.finish();
        Ok(Loaded {
            config,
            log,
            values,
            warnings,
            names,
        })
    }

    /// What is to be logged, for tasks that have no other settings: the file is the relay's, and
    /// is not read.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn log(&self) -> Result<LogConfig, Problems> {
        let (mut problems, mut others) = (Vec::new(), Vec::new());
        let variables = self.variables.layer(&mut others, &mut Vec::new());
        let layers = [Layer::new(), variables, self.flags.clone()];
        let mut draft = Draft::default();
        for setting in settings().filter(|setting| is_of_log(setting)) {
            let names = (&Names::default(), &mut Names::default());
            set(setting, &layers, names, &mut draft, &mut problems);
        }
        match problems.is_empty() {
            true => Ok(draft.log),
            false => Err(Problems(problems)),
        }
    }
}

/// Whether every task has the setting.
pub(crate) fn is_of_log(setting: &Setting) -> bool {
    setting.name.starts_with("log-")
}

/// Sets what the layers say, the lowest first, and says whose word it was. `names` are those that
/// were looked up before, and take up those that were looked up now.
fn set(
    setting: &'static Setting,
    layers: &[Layer],
    (before, now): (&Names, &mut Names),
    draft: &mut Draft,
    problems: &mut Vec<Problem>,
) -> Place {
    let mut place = Place::Default;
    for entry in layers.iter().filter_map(|layer| layer.get(setting.name)) {
        let key = (setting.name, entry.texts.clone());
        let texts = before.0.get(&key).unwrap_or(&entry.texts);
        match setting.set(draft, texts) {
            Ok(()) => {
                place = entry.place.clone();
                let read = setting.get(draft);
                if read != entry.texts {
                    now.0.insert(key, read);
                }
            }
            Err(fault) => {
                problems.push(Problem::value(entry.place.clone(), setting.name, &fault));
            }
        }
    }
    place
}
