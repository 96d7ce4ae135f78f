//! The layer of a file: TOML (v1.1.0), each setting a key at the top.

use std::borrow::Cow;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kind::{Form, Written};
use super::layer::{Entry, Layer, nearest};
use super::problem::{Place, Problem};
use super::table::{Setting, find};
use crate::files;

/// The longest file, in bytes.
const MAX_FILE: u64 = 256 << 10;

/// The layer of the file at `path`; what is wrong with it goes to `problems`.
pub(super) fn layer(path: &Path, problems: &mut Vec<Problem>) -> Layer {
    let text = files::read(path, MAX_FILE)
        .map_err(|error| format!("can't be read: {error}{}", files::hint(&error)))
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned()));
    match text {
        Ok(text) => File { path, text: &text }.layer(problems),
        Err(why) => {
            problems.push(Problem::of_file(path.to_owned(), None, why));
            Layer::new()
        }
    }
}

/// A key, and where it stands.
type Key<'a> = Spanned<Cow<'a, str>>;

/// What there is to say of a key in a table.
fn within_table(table: &str, key: &str) -> String {
    let joined = format!("{table}-{key}");
    let meant = find(&joined).map(|setting| setting.name);
    match meant.or_else(|| nearest(&joined)) {
        Some(near) => format!("there are no tables: write {near} = … above all of them"),
        None => format!("{table}.{key} is no setting"),
    }
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn layer(&self, problems: &mut Vec<Problem>) -> Layer {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        let mut layer = Layer::new();
        if !errors.is_empty() {
            // Their own display quotes the line, which may hold anything. What else was found
            // is not worth telling: a quote that is missing hides everything behind it.
            problems.extend(errors.iter().map(|error| {
                let line = error.span().map(|span| self.line(span.start));
                Problem::of_file(self.path.to_owned(), line, error.message().to_owned())
            }));
            return layer;
        }
        for (key, value) in table.get_ref() {
            let line = self.line(key.span().start);
            let place = Place::File {
                path: self.path.to_owned(),
                line: Some(line),
            };
            match find(key.get_ref()) {
                None => problems.extend(self.unknown(key, value)),
                Some(setting) => match self.texts(setting, value.get_ref()) {
                    Ok(texts) => drop(layer.insert(setting.name, Entry { texts, place })),
                    Err(why) => problems.push(Problem::new(place, setting.name, &why)),
                },
            }
        }
        layer
    }

    /// The line of a byte, from 1.
    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().iter().take(at);
        1 + before.filter(|&&byte| byte == b'\n').count()
    }

    /// What there is to say of a key that names no setting. Of a table it is said of each key in
    /// it, for that may be what makes it one.
    fn unknown(&self, key: &Key<'_>, value: &Spanned<DeValue<'_>>) -> Vec<Problem> {
        let name: &str = key.get_ref();
        let at = |key: &Key<'_>, what: String| {
            let line = self.line(key.span().start);
            Problem::of_file(self.path.to_owned(), Some(line), what)
        };
        match value.get_ref() {
            DeValue::Table(table) if !table.is_empty() => {
                let within = table.keys();
                within
                    .map(|key| at(key, within_table(name, key.get_ref())))
                    .collect()
            }
            _ => {
                let near = nearest(name).map(|near| format!("; did you mean {near}?"));
                let near = near.unwrap_or_default();
                vec![at(key, format!("{name} is no setting{near}"))]
            }
        }
    }

    /// A value of TOML as texts.
    fn texts(&self, setting: &Setting, value: &DeValue<'_>) -> Result<Vec<String>, String> {
        let form = setting.form();
        let wrong = || {
            let example = form.toml_example();
            format!("should be {}: {} = {example}", form.expected, setting.name)
        };
        match value {
            DeValue::Array(elements) if form.many => elements
                .iter()
                .map(|element| self.one(form, element.get_ref()).ok_or_else(wrong))
                .collect(),
            _ if form.many => Err(wrong()),
            value => match self.one(form, value) {
                Some(text) => Ok(vec![text]),
                None => Err(wrong()),
            },
        }
    }

    /// One value as text, if it is written in the way of its form. A number where there should be a
    /// unit goes on, to be refused with the units that there are.
    fn one(&self, form: Form, value: &DeValue<'_>) -> Option<String> {
        match (form.written, value) {
            (Written::Path, DeValue::String(text)) if text.is_empty() => Some(String::new()),
            (Written::Path, DeValue::String(text)) => {
                let folder = self.path.parent().unwrap_or(Path::new(""));
                // Both are UTF-8.
                Some(folder.join(text.as_ref()).to_string_lossy().into_owned())
            }
            (Written::Text(_) | Written::Word(_), DeValue::String(text)) => Some(text.to_string()),
            (Written::Number(..) | Written::Text(_), DeValue::Integer(number)) => {
                let number = i64::from_str_radix(number.as_str(), number.radix()).ok()?;
                Some(number.to_string())
            }
            (Written::Switch, DeValue::Boolean(on)) => Some(on.to_string()),
            _ => None,
        }
    }
}
