//! The walk of a filter: from the request down to the items, as far as the filter has a say.
//!
//! At each level, what the filter looks at is found first, wherever it stands; then the rest is
//! copied or left out. What can't be told in this way (a field that comes twice, a group) is left
//! to the usual form of the request.

use super::pattern::Pattern;
use super::values::{Attributes, Strings};
use super::{Selected, Selector};
use crate::Signal;
use crate::edit::Envelope;
use crate::proto::fields;
use crate::tags::{DATA, Tags};
use crate::walk::{In, Stop, bytes, first, next_tag, pass, varint};

/// Appends what a filter leaves of a request.
pub(super) fn request(
    selector: &Selector,
    signal: Signal,
    wire: In<'_>,
    out: &mut Vec<u8>,
) -> Result<Selected, Stop> {
    let mut strings = Strings::default();
    if signal == Signal::Profiles && !selector.resource.is_empty() {
        strings = dictionary(wire)?;
    }
    let mut walk = Walk {
        selector,
        signal,
        tags: Tags::of(signal),
        strings,
        cut: false,
    };
    let begin = out.len();
    let resources = walk.tags.resources;
    let kept = walk.list(resources, wire, out, Level::Resource)?;
    let selected = match (walk.cut, kept) {
        (_, false) => Selected::Nothing,
        (false, true) => Selected::Whole,
        (true, true) => Selected::Part,
    };
    if selected != Selected::Part {
        out.truncate(begin);
    }
    Ok(selected)
}

/// What becomes of a message: it goes with all that is in it, it stays so, or it stays if
/// something of this list does, whose elements are of this level.
enum Fate {
    Gone,
    Stays,
    List(u32, Level),
}

/// Where in a request a message stands.
#[derive(Clone, Copy)]
enum Level {
    Resource,
    Scope,
    Metric,
    /// The data of a metric, by the tags of its points and of their attributes.
    Data(u32, u32),
    /// A data point, by the tag of its attributes.
    Point(u32),
    Span,
    LogRecord,
}

struct Walk<'s, 'w> {
    selector: &'s Selector,
    signal: Signal,
    tags: Tags,
    strings: Strings<'w>,
    /// Whether anything was left out.
    cut: bool,
}

impl Walk<'_, '_> {
    /// Copies a message, of whose list each element is judged; whether any of them is kept.
    fn list(
        &mut self,
        list: u32,
        message: In<'_>,
        out: &mut Vec<u8>,
        level: Level,
    ) -> Result<bool, Stop> {
        let mut kept = false;
        let mut wire = message;
        while let Some((tag, behind_tag)) = next_tag(wire)? {
            let rest = pass(tag, behind_tag)?;
            let field = &wire[..wire.len() - rest.len()];
            if tag == list {
                let (element, _) = bytes(behind_tag)?;
                let tag = &wire[..wire.len() - behind_tag.len()];
                kept |= self.element(tag, element, field, out, level)?;
            } else {
                out.extend_from_slice(field);
            }
            wire = rest;
        }
        Ok(kept)
    }

    /// Copies what is kept of an element of a list, if anything is.
    fn element(
        &mut self,
        tag: In<'_>,
        element: In<'_>,
        field: In<'_>,
        out: &mut Vec<u8>,
        level: Level,
    ) -> Result<bool, Stop> {
        match self.judge(level, element)? {
            Fate::Gone => {}
            Fate::Stays => {
                out.extend_from_slice(field);
                return Ok(true);
            }
            Fate::List(list, level) => {
                let begin = out.len();
                out.extend_from_slice(tag);
                let envelope = Envelope::begin(element.len(), out);
                if self.list(list, element, out, level)? {
                    envelope.end(out);
                    return Ok(true);
                }
                out.truncate(begin);
            }
        }
        self.cut = true;
        Ok(false)
    }

    fn judge(&self, level: Level, wire: In<'_>) -> Result<Fate, Stop> {
        match level {
            Level::Resource => self.resource(wire),
            Level::Scope => self.scope(wire),
            Level::Metric => self.metric(wire),
            Level::Data(points, attributes) => Ok(Fate::List(points, Level::Point(attributes))),
            Level::Point(attributes) => self.item(attributes, wire),
            Level::Span => self.span(wire),
            Level::LogRecord => self.log_record(wire),
        }
    }

    fn resource(&self, wire: In<'_>) -> Result<Fate, Stop> {
        if !self.selector.resource.is_empty() {
            let resource = singular(self.tags.resource, wire)?.unwrap_or_default();
            let clauses = &self.selector.resource;
            if !self.satisfies(clauses, fields::resource_v1_resource::ATTRIBUTES, resource)? {
                return Ok(Fate::Gone);
            }
        }
        let below = self.selector.scope.is_some() || self.selector.concerns_items(self.signal);
        Ok(match below {
            true => Fate::List(self.tags.scopes, Level::Scope),
            false => Fate::Stays,
        })
    }

    fn scope(&self, wire: In<'_>) -> Result<Fate, Stop> {
        if let Some(pattern) = &self.selector.scope {
            let scope = singular(self.tags.scope, wire)?.unwrap_or_default();
            let name =
                singular(fields::common_v1_instrumentation_scope::NAME, scope)?.unwrap_or_default();
            if !pattern.matches(name) {
                return Ok(Fate::Gone);
            }
        }
        if !self.selector.concerns_items(self.signal) {
            return Ok(Fate::Stays);
        }
        Ok(match self.signal {
            Signal::Metrics => Fate::List(self.tags.items, Level::Metric),
            Signal::Traces => Fate::List(self.tags.items, Level::Span),
            Signal::Logs => Fate::List(self.tags.items, Level::LogRecord),
            Signal::Profiles => Fate::Stays,
        })
    }

    fn metric(&self, wire: In<'_>) -> Result<Fate, Stop> {
        if let Some(pattern) = &self.selector.metric
            && !pattern
                .matches(singular(fields::metrics_v1_metric::NAME, wire)?.unwrap_or_default())
        {
            return Ok(Fate::Gone);
        }
        if self.selector.attributes.is_empty() {
            return Ok(Fate::Stays);
        }
        // A metric without data has no point that could match.
        let mut fate = Fate::Gone;
        let mut seen = 0;
        let mut rest = wire;
        while let Some((tag, behind_tag)) = next_tag(rest)? {
            if let Some((_, points, attributes)) = DATA.iter().find(|(data, _, _)| *data == tag) {
                first(&mut seen, 0)?;
                fate = Fate::List(tag, Level::Data(*points, *attributes));
            }
            rest = pass(tag, behind_tag)?;
        }
        Ok(fate)
    }

    fn span(&self, wire: In<'_>) -> Result<Fate, Stop> {
        if let Some(pattern) = &self.selector.span
            && !pattern.matches(singular(fields::trace_v1_span::NAME, wire)?.unwrap_or_default())
        {
            return Ok(Fate::Gone);
        }
        self.item(fields::trace_v1_span::ATTRIBUTES, wire)
    }

    fn log_record(&self, wire: In<'_>) -> Result<Fate, Stop> {
        if self.selector.severity > 0 {
            let number = number(fields::logs_v1_log_record::SEVERITY_NUMBER, wire)?;
            if (number as i32) < self.selector.severity {
                return Ok(Fate::Gone);
            }
        }
        self.item(fields::logs_v1_log_record::ATTRIBUTES, wire)
    }

    /// Judges an item by its attributes.
    fn item(&self, attributes: u32, wire: In<'_>) -> Result<Fate, Stop> {
        let clauses = &self.selector.attributes;
        Ok(match self.satisfies(clauses, attributes, wire)? {
            true => Fate::Stays,
            false => Fate::Gone,
        })
    }

    /// Whether a list of attributes in a message satisfies all clauses.
    fn satisfies(
        &self,
        clauses: &[(String, Pattern)],
        list: u32,
        mut wire: In<'_>,
    ) -> Result<bool, Stop> {
        let mut met = Attributes::new(clauses);
        while !met.are_met()
            && let Some((tag, rest)) = next_tag(wire)?
        {
            if tag == list {
                met.note(bytes(rest)?.0, &self.strings)?;
            }
            wire = pass(tag, rest)?;
        }
        Ok(met.are_met())
    }
}

/// The bytes of a field that may come once.
fn singular(field: u32, mut wire: In<'_>) -> Result<Option<In<'_>>, Stop> {
    let mut found = None;
    while let Some((tag, rest)) = next_tag(wire)? {
        if tag == field && found.replace(bytes(rest)?.0).is_some() {
            return Err(Stop);
        }
        wire = pass(tag, rest)?;
    }
    Ok(found)
}

/// The number of a field that may come once; 0 if it doesn't.
fn number(field: u32, mut wire: In<'_>) -> Result<u64, Stop> {
    let (mut found, mut seen) = (0, 0);
    while let Some((tag, rest)) = next_tag(wire)? {
        if tag == field {
            first(&mut seen, 0)?;
            found = varint(rest)?.0;
        }
        wire = pass(tag, rest)?;
    }
    Ok(found)
}

/// The strings of a profile's dictionary.
fn dictionary(wire: In<'_>) -> Result<Strings<'_>, Stop> {
    let dictionary = singular(
        fields::collector_profiles_v1development_export_profiles_service_request::DICTIONARY,
        wire,
    )?
    .unwrap_or_default();
    let mut strings = Strings::default();
    let mut wire = dictionary;
    while let Some((tag, rest)) = next_tag(wire)? {
        if tag == fields::profiles_v1development_profiles_dictionary::STRING_TABLE {
            strings.0.push(bytes(rest)?.0);
        }
        wire = pass(tag, rest)?;
    }
    Ok(strings)
}
