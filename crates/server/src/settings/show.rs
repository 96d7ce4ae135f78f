//! Configurations as files: one that is in force, with where each value came from, and the
//! defaults. Nothing that can be set is secret: tokens and keys stand in files of their own, and
//! settings hold no more than the paths. What somebody wrote there that looks like one is left out.

use std::fmt::Write as _;

use super::source::Loaded;
use super::table::{Group, Setting, groups};

/// A configuration as a file that would set the same, each value with its place behind it.
pub(crate) fn show(loaded: &Loaded) -> String {
    let mut lines = Vec::new();
    for value in &loaded.values {
        let (setting, place) = (value.setting, &value.place);
        let has_value = setting.form().many || !value.texts.is_empty();
        let default = *place == super::Place::Default;
        let line = match (
            default.then_some(setting.default_words).flatten(),
            has_value,
        ) {
            (Some(words), _) => (format!("# {} =", setting.name), format!("default: {words}")),
            (None, false) => (format!("# {} =", setting.name), "default: none".to_owned()),
            (None, true) => match value.shown() {
                Some(value) => (format!("{} = {value}", setting.name), place.to_string()),
                None => {
                    let why = format!("{place}: no such file, and it looks like a secret");
                    (format!("# {} = …", setting.name), why)
                }
            },
        };
        lines.push(line);
    }
    let width = lines
        .iter()
        .map(|(left, _)| left.len())
        .filter(|len| *len <= MOST)
        .max();
    let width = width.unwrap_or_default();
    lines.iter().fold(String::new(), |mut text, (left, right)| {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{left:width$}  # {right}");
        text
    })
}

/// Beyond it, a line may stick out.
const MOST: usize = 48;

/// A file with every setting, commented out, at its default.
pub(crate) fn defaults() -> String {
    let mut text = HEAD.to_owned();
    for Group { title, settings } in groups() {
        let _ = write!(text, "\n# ---- {title} ----\n");
        for setting in settings {
            text.push_str(&entry(setting));
        }
    }
    text
}

const HEAD: &str = "\
# The configuration of otlp-relay: every setting with its default. To set one, take the # away.
# Flags and variables count more than this file: otlp-relay config show tells what is in force.
";

fn entry(setting: &Setting) -> String {
    let mut text = String::from("\n");
    let told = format!("{}.", setting.text().trim_end_matches('.'));
    let told = match setting.default_value() {
        Some(_) => told,
        None => format!(
            "{told} Default: {}. For example: {}",
            setting.default_text(),
            setting.form().toml_example(),
        ),
    };
    for line in wrapped(&told, 98) {
        let _ = writeln!(text, "# {line}");
    }
    let _ = match setting.default_value() {
        Some(value) => writeln!(text, "#{} = {value}", setting.name),
        None => writeln!(text, "#{} =", setting.name),
    };
    text
}

/// Lines of so many characters at most, if the words let it.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut();
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
