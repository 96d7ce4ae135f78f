//! The reference of all settings, `docs/configuration.md`.

use std::fmt::Write as _;

use super::table::{Group, Setting, groups};

/// The reference, as Markdown.
pub(crate) fn reference() -> String {
    let mut text = HEAD.to_owned();
    for Group { title, settings } in groups() {
        let _ = write!(
            text,
            "\n### {title}\n\n| setting | values | default | |\n|---|---|---|---|\n"
        );
        for setting in settings {
            text.push_str(&row(setting));
        }
    }
    text.push_str(TAIL);
    text
}

fn row(setting: &Setting) -> String {
    let form = setting.form();
    let many = if form.many { "…" } else { "" };
    let default = match setting.default_words {
        Some(words) => words.to_owned(),
        None => match setting.default_text().as_str() {
            "none" => "none".to_owned(),
            value => format!("`{value}`"),
        },
    };
    let reloads = if setting.reloads { " *(SIGHUP)*" } else { "" };
    format!(
        "| `{}` | {}{many} | {default} | {}{reloads} |\n",
        setting.name,
        form.name,
        setting.text().replace('|', "\\|"),
    )
}

const HEAD: &str = include_str!("reference/head.md");
const TAIL: &str = include_str!("reference/tail.md");
