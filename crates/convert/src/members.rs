//! The top level of OTLP JSON: which signal an object is of.

use std::borrow::Cow;

use memchr::memmem;
use otlp_codec::Signal;

use crate::Problem;
use crate::sniff::blanks;
use crate::value::Value;

/// The member that only requests of profiles have, besides their list.
const DICTIONARY: &[u8] = b"dictionary";
/// What the names of lists begin with, and the quote in front.
const LISTS: &[u8] = b"\"resource";
/// What an escape of an ASCII character begins with.
const ESCAPE: &[u8] = b"\\u00";

/// What the members of an object say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The list of one signal.
    Signal(Signal),
    /// There are no members.
    Empty,
    /// There is no list, but the member that only requests of profiles have.
    Dictionary,
    /// There are members, but none that is OTLP's.
    Foreign,
    /// This is not a JSON object; the codec will say why.
    Unreadable,
}

/// The member that holds a signal's list.
pub(crate) const fn list_of(signal: Signal) -> &'static str {
    match signal {
        Signal::Metrics => "resourceMetrics",
        Signal::Traces => "resourceSpans",
        Signal::Logs => "resourceLogs",
        Signal::Profiles => "resourceProfiles",
    }
}

/// The longest key that may be a name: each of its letters an escape.
const LONGEST_NAME: usize = 6 * 18;

/// The signal whose list has this key, in lowerCamelCase or by its original name. The key is as
/// it stands in the text, without its quotes.
pub(crate) fn signal_of_key(key: &[u8]) -> Option<Signal> {
    match &*unescaped(key)? {
        b"resourceMetrics" | b"resource_metrics" => Some(Signal::Metrics),
        b"resourceSpans" | b"resource_spans" => Some(Signal::Traces),
        b"resourceLogs" | b"resource_logs" => Some(Signal::Logs),
        b"resourceProfiles" | b"resource_profiles" => Some(Signal::Profiles),
        _ => None,
    }
}

/// The key without escapes, if it may be a name: of letters and `_`, which only have one.
fn unescaped(key: &[u8]) -> Option<Cow<'_, [u8]>> {
    if key.len() > LONGEST_NAME {
        return None;
    }
    if memchr::memchr(b'\\', key).is_none() {
        return Some(Cow::Borrowed(key));
    }
    let mut plain = Vec::new();
    let mut rest = key;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let (letter, behind) = escaped_letter(rest)?;
        plain.push(letter);
        rest = behind;
    }
    Some(Cow::Owned(plain))
}

/// The letter of an escape, behind the backslash, and what follows.
fn escaped_letter(escape: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = escape.strip_prefix(b"u00")?.split_first_chunk::<2>()?;
    let digits = std::str::from_utf8(digits).ok()?;
    let letter = u8::from_str_radix(digits, 16).ok()?;
    (letter.is_ascii_alphabetic() || letter == b'_').then_some((letter, rest))
}

/// Looks for the signal of an object.
///
/// Usually the list is the first and only member. So the rest is only searched for what could be
/// another list, and walked through if there is something.
pub(crate) fn signal_of(json: &[u8]) -> Result<Found, Problem> {
    let mut members = Members::of(json);
    let Some(Ok(key)) = members.next_key() else {
        return walk(json);
    };
    match signal_of_key(key) {
        Some(signal) if !may_hold_another(members.rest) => Ok(Found::Signal(signal)),
        _ => walk(json),
    }
}

/// Whether the text holds the name of a list, anywhere, or an escape that may hide one: nobody
/// escapes letters.
fn may_hold_another(text: &[u8]) -> bool {
    let mut escapes = memmem::find_iter(text, ESCAPE);
    if escapes.any(|at| escaped_letter(&text[at + 1..]).is_some()) {
        return true;
    }
    memmem::find_iter(text, LISTS).any(|at| {
        let name = &text[at + 1..];
        let end = memchr::memchr(b'"', &name[..name.len().min(LISTS.len() + 16)]);
        end.is_some_and(|end| signal_of_key(&name[..end]).is_some())
    })
}

/// Looks at every member.
fn walk(json: &[u8]) -> Result<Found, Problem> {
    let mut found = None;
    let mut members = Members::of(json);
    let (mut any, mut has_dictionary) = (false, false);
    while let Some(next) = members.next_key() {
        let Ok(key) = next else {
            return Ok(found.map_or(Found::Unreadable, Found::Signal));
        };
        any = true;
        has_dictionary |= is_dictionary(key);
        if let Some(signal) = signal_of_key(key) {
            let before = *found.get_or_insert(signal);
            if before != signal {
                return Err(Problem::TwoSignals(list_of(before), list_of(signal)));
            }
        }
        if members.skip_value().is_none() {
            return Ok(found.map_or(Found::Unreadable, Found::Signal));
        }
    }
    Ok(match (found, any) {
        (Some(signal), _) => Found::Signal(signal),
        (None, true) if has_dictionary => Found::Dictionary,
        (None, true) => Found::Foreign,
        (None, false) => Found::Empty,
    })
}

/// Whether an object whose begin this is has members that only requests of profiles have.
pub(crate) fn begins_like_profiles(begin: &[u8]) -> bool {
    let mut members = Members::of(begin);
    while let Some(Ok(key)) = members.next_key() {
        if is_dictionary(key) || signal_of_key(key) == Some(Signal::Profiles) {
            return true;
        }
        if signal_of_key(key).is_some() || members.skip_value().is_none() {
            return false;
        }
    }
    false
}

fn is_dictionary(key: &[u8]) -> bool {
    unescaped(key).is_some_and(|key| *key == *DICTIONARY)
}

/// The text is no object, or ends too early.
struct Malformed;

/// Goes over the members of an object.
struct Members<'a> {
    /// What is left, from `{` or the end of a value on.
    rest: &'a [u8],
    is_first: bool,
}

impl<'a> Members<'a> {
    fn of(json: &'a [u8]) -> Self {
        Self {
            rest: &json[blanks(json)..],
            is_first: true,
        }
    }

    /// The next key; nothing at the end of the object.
    fn next_key(&mut self) -> Option<Result<&'a [u8], Malformed>> {
        let opening = if self.is_first { b'{' } else { b',' };
        let rest = trimmed(self.rest);
        let rest = match rest.split_first() {
            Some((b'}', _)) if !self.is_first => return None,
            Some((&byte, rest)) if byte == opening => trimmed(rest),
            _ => return Some(Err(Malformed)),
        };
        match rest.split_first() {
            Some((b'}', _)) if self.is_first => None,
            Some((b'"', _)) => Some(self.key(rest).ok_or(Malformed)),
            _ => Some(Err(Malformed)),
        }
    }

    fn key(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let end = Value::default().end(rest)?;
        let (key, rest) = (&rest[1..end - 1], trimmed(&rest[end..]));
        let (b':', rest) = rest.split_first()? else {
            return None;
        };
        self.rest = trimmed(rest);
        self.is_first = false;
        Some(key)
    }

    /// Goes on behind the value.
    fn skip_value(&mut self) -> Option<()> {
        let end = Value::default().end(self.rest)?;
        self.rest = &self.rest[end..];
        Some(())
    }
}

fn trimmed(text: &[u8]) -> &[u8] {
    &text[blanks(text)..]
}

#[cfg(test)]
mod tests {
    use super::{Found, begins_like_profiles, signal_of};
    use crate::Problem;
    use otlp_codec::Signal;

    /// Scenario: objects of each signal, with foreign members around, with the names of lists
    /// deeper down or in strings, with nothing, and broken ones.
    /// Guarantees: only members of the top level count.
    #[test]
    fn signals() {
        let cases = [
            (r#"{"resourceMetrics":[]}"#, Found::Signal(Signal::Metrics)),
            (
                r#" { "resource_spans" : []}"#,
                Found::Signal(Signal::Traces),
            ),
            (
                r#"{"a":1,"b":"}\"","resourceLogs":[]}"#,
                Found::Signal(Signal::Logs),
            ),
            (
                r#"{"dictionary":{},"resourceProfiles":[]}"#,
                Found::Signal(Signal::Profiles),
            ),
            (
                r#"{"resourceLogs":[{"x":{"resourceSpans":"resourceMetrics"}}],"a":null}"#,
                Found::Signal(Signal::Logs),
            ),
            (r#"{"resourceLogs":[{"#, Found::Signal(Signal::Logs)),
            (r#"{"a":[{"resourceLogs":[]}]}"#, Found::Foreign),
            (r#"{"resource\u004Cogs":[]}"#, Found::Signal(Signal::Logs)),
            (
                r#"{"resourceLogs":["\u0072\u003c"],"resourceSpan\n":0}"#,
                Found::Signal(Signal::Logs),
            ),
            (r#"{"resource\u004ogs":[]}"#, Found::Foreign),
            (r#"{"resource\u00+4ogs":[]}"#, Found::Foreign),
            (r#"{"a":1,"dictionary":{}}"#, Found::Dictionary),
            ("{ }", Found::Empty),
            ("[]", Found::Unreadable),
            ("", Found::Unreadable),
            (r#"{"a"#, Found::Unreadable),
            (r#"{"a\"#, Found::Unreadable),
            (r#"{"a":"#, Found::Unreadable),
            (r#"{"a":1"#, Found::Unreadable),
            (r#"{"a":1 "resourceLogs":[]}"#, Found::Unreadable),
        ];
        for (text, expected) in cases {
            assert_eq!(signal_of(text.as_bytes()), Ok(expected), "{text}");
        }
    }

    /// Scenario: the lists of two signals in one object, in either order, with one name between
    /// that is no member.
    /// Guarantees: refused, by their names.
    #[test]
    fn two_signals() {
        let text = r#"{"resourceLogs":[{"resourceMetrics":1}],"x":{},"resource_spans":[]}"#;
        let expected = Problem::TwoSignals("resourceLogs", "resourceSpans");
        assert_eq!(signal_of(text.as_bytes()), Err(expected.clone()));
        // Nor can an escape hide one.
        for text in [
            r#"{"resourceLogs":[],"\u0072esourceSpans":[]}"#,
            r#"{"resource\u004cogs":[],"resource\u005fspans":[]}"#,
        ] {
            assert_eq!(signal_of(text.as_bytes()), Err(expected.clone()), "{text}");
        }
    }

    /// Scenario: begins of long objects.
    /// Guarantees: profiles are known by either of their members; a begin that is cut off is no
    /// error.
    #[test]
    fn profiles() {
        for (begin, expected) in [
            (r#"{"resourceProfiles":[{"#, true),
            (r#"{"a":1,"dictionary":{"#, true),
            (r#"{"\u0064ictionary":{"#, true),
            (r#"{"resourceLogs":[],"dictionary":{"#, false),
            (r#"{"a":[{"dictionary":"#, false),
        ] {
            assert_eq!(begins_like_profiles(begin.as_bytes()), expected, "{begin}");
        }
    }
}
