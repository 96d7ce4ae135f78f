//! What one layer says: flags, the environment, or a file.

use std::collections::BTreeMap;

use super::problem::Place;
use super::table;

/// The settings that a layer sets, by their names.
pub(super) type Layer = BTreeMap<&'static str, Entry>;

/// What a layer says of one setting.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// One text, or one for each element of a list.
    pub(super) texts: Vec<String>,
    /// Where it stands.
    pub(super) place: Place,
}

/// The elements of a list that stands in one text, divided by commas.
pub(super) fn elements(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(|element| element.trim().to_owned())
}

/// The name of the setting that `name` is most like, if it is like any.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    most_like(name, table::settings().map(|setting| setting.name))
}

/// The same among `names`.
pub(super) fn most_like(
    name: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    /// As alike as most slips of a finger, or a name that is not complete.
    const ALIKE: f64 = 0.85;
    let name = name.to_ascii_lowercase().replace('_', "-");
    let likeness = |other: &str| strsim::jaro_winkler(&name, other);
    let best = names.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    best.filter(|best| likeness(best) >= ALIKE)
}
