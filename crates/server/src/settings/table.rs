//! Every setting that there is. Flags, variables, keys of the file, the help, the reference and
//! the JSON Schema all come from here; an entry is all that a new setting needs beside its field
//! in the configuration.

mod access;
mod connections;
mod data;
mod process;

use std::sync::LazyLock;

use super::draft::Draft;
use super::kind::{Form, Kind};
use super::values::Fault;

/// Settings that belong together.
pub(crate) struct Group {
    /// What they are about, as a heading.
    pub(crate) title: &'static str,
    /// The settings, in the order in which they are told of.
    pub(crate) settings: Vec<Setting>,
}

/// One setting.
pub(crate) struct Setting {
    /// Its name: `--NAME`, the key `NAME` of a file, and `OTLP_RELAY_NAME` in capitals.
    pub(crate) name: &'static str,
    /// What it is for, on one line of `--help`.
    pub(crate) help: &'static str,
    /// What else there is to know, as the sentence goes on; maybe nothing.
    pub(crate) more: &'static str,
    /// Whether `--help` shows it.
    pub(crate) is_common: bool,
    /// Whether SIGHUP brings a new value into force.
    pub(crate) reloads: bool,
    /// The default in words, where it is no value that could be written.
    pub(crate) default_words: Option<&'static str>,
    field: Box<dyn Field>,
}

/// Where a setting has its place, whatever the type.
trait Field: Send + Sync {
    fn form(&self) -> Form;
    fn set(&self, draft: &mut Draft, texts: &[String]) -> Result<(), Fault>;
    fn get(&self, draft: &mut Draft) -> Vec<String>;
}

struct Typed<T: 'static> {
    kind: Kind<T>,
    place: fn(&mut Draft) -> &mut T,
}

impl<T> Field for Typed<T> {
    fn form(&self) -> Form {
        self.kind.form
    }

    fn set(&self, draft: &mut Draft, texts: &[String]) -> Result<(), Fault> {
        *(self.place)(draft) = (self.kind.read)(texts)?;
        Ok(())
    }

    fn get(&self, draft: &mut Draft) -> Vec<String> {
        (self.kind.write)((self.place)(draft))
    }
}

/// A setting of the place that `place` finds.
fn setting<T>(
    name: &'static str,
    kind: Kind<T>,
    place: fn(&mut Draft) -> &mut T,
    help: &'static str,
) -> Setting {
    Setting {
        name,
        help,
        more: "",
        is_common: false,
        reloads: false,
        default_words: None,
        field: Box::new(Typed { kind, place }),
    }
}

impl Setting {
    /// With more to tell than one line of help.
    fn more(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    /// Shown by `--help`.
    fn common(self) -> Self {
        Self {
            is_common: true,
            ..self
        }
    }

    /// Comes into force by SIGHUP. Who adds it sees to that in `compose/reload.rs`.
    fn reloads(self) -> Self {
        Self {
            reloads: true,
            ..self
        }
    }

    /// With a default that only words can tell.
    fn default_words(self, words: &'static str) -> Self {
        Self {
            default_words: Some(words),
            ..self
        }
    }

    /// What its values look like.
    pub(crate) fn form(&self) -> Form {
        self.field.form()
    }

    /// Sets it.
    pub(super) fn set(&self, draft: &mut Draft, texts: &[String]) -> Result<(), Fault> {
        self.field.set(draft, texts)
    }

    /// Its value as texts that [`set`](Self::set) would make the same value of; none if it has
    /// none, or is an empty list.
    pub(crate) fn get(&self, draft: &mut Draft) -> Vec<String> {
        self.field.get(draft)
    }

    /// Its default, as [`get`](Self::get) gives it.
    pub(crate) fn default_texts(&self) -> Vec<String> {
        self.get(&mut Draft::default())
    }

    /// Its default, as it would stand in a file; `None` if it has none, or needs words.
    pub(crate) fn default_value(&self) -> Option<String> {
        let (texts, form) = (self.default_texts(), self.form());
        let has_value = form.many || !texts.is_empty();
        (has_value && self.default_words.is_none()).then(|| form.toml(&texts))
    }

    /// Its default for people: in words, or as it would be said to a flag.
    pub(crate) fn default_text(&self) -> String {
        let value = || self.default_texts().join(",");
        let text = self.default_words.map_or_else(value, str::to_owned);
        match text.is_empty() {
            true => "none".to_owned(),
            false => text,
        }
    }

    /// Everything that is told of it, without a full stop at the end.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.help, self.more)
    }

    /// Its variable in the environment.
    pub(crate) fn variable(&self) -> String {
        variable(self.name)
    }
}

/// What the relay's variables in the environment begin with.
pub(super) const PREFIX: &str = "OTLP_RELAY_";

/// The variable of the setting `name`.
pub(super) fn variable(name: &str) -> String {
    PREFIX.to_owned() + &name.to_ascii_uppercase().replace('-', "_")
}

/// All settings, in groups.
pub(crate) fn groups() -> &'static [Group] {
    static GROUPS: LazyLock<Vec<Group>> = LazyLock::new(|| {
        let mut groups = vec![process::listening(), access::access(), access::pages()];
        groups.extend([data::data(), data::watching()]);
        groups.extend([connections::connections(), connections::grpc()]);
        groups.extend([process::process(), process::log()]);
        groups
    });
    &GROUPS
}

/// All settings.
pub(crate) fn settings() -> impl Iterator<Item = &'static Setting> {
    groups().iter().flat_map(|group| &group.settings)
}

/// The setting of a name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.name == name)
}
