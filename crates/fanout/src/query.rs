//! What a query string asks for. It knows nothing of how it is served: every way to watch reads
//! its parameters here.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use actix_web::http::StatusCode;
use otlp_codec::Signal;
use otlp_codec::select::FilterError;
use percent_encoding::percent_decode_str;

use crate::config::{FanoutConfig, Slow};
use crate::gate::TOKEN_PARAMETER;
use crate::refusal::Refusal;
use crate::view::{Format, Signals, ViewKey};

/// The least that `max_frame` may be, in bytes: below, most of a frame would be what stands
/// around an item.
pub const MIN_MAX_FRAME: usize = 1024;

/// What is allowed, for those who asked for something else.
const ALLOWED: &str = "allowed: format=otlp|protojson|points|protobuf; the filters metric=GLOB, \
    scope=GLOB, span=GLOB, severity=NUMBER|NAME, resource.KEY=GLOB, attr.KEY=GLOB; \
    envelope=true|false; max_frame=BYTES, 1024 at least; replay=N|all; \
    since=EPOCH:SEQ with envelope=true; slow=drop-oldest|disconnect";

/// How much of a name or value a refusal repeats, in characters.
const REPEATED: usize = 64;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The view that it wants to watch.
    pub view: ViewKey,
    /// Which exports come first.
    pub start: Start,
    /// What becomes of it when it falls behind; `None` for what the relay does by default.
    pub slow: Option<Slow>,
}

/// Where a subscription begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With what is published from now on.
    #[default]
    Live,
    /// With the newest exports that the history holds of the view's signals, so many at most.
    Newest(usize),
    /// With what was published after a number, as far as the history holds it.
    Since {
        /// The life of the hub in which the number was given; see
        /// [`Hub::epoch`](crate::Hub::epoch). After another, nothing is known to be missing, and
        /// it begins live.
        epoch: String,
        /// The number of the last publication that the client has.
        seq: u64,
    },
}

impl From<ViewKey> for Query {
    /// The view, live.
    fn from(view: ViewKey) -> Self {
        Self {
            view,
            start: Start::Live,
            slow: None,
        }
    }
}

impl Query {
    /// What a path (its signals) and a query string ask for. An empty query asks for the default
    /// of everything.
    ///
    /// Names and values are decoded as `application/x-www-form-urlencoded`: `%20` and `+` are
    /// spaces. Parameters may come in any order, and twice with the same value; those of filters
    /// with different ones. Queries that ask for the same are equal: clauses that have no say in
    /// `signals` are left out, and so is a `max_frame` that the relay's own limit makes vain.
    /// [`TOKEN_PARAMETER`] is passed over.
    ///
    /// # Errors
    /// 400 for what cannot be decoded, an unknown parameter, a value that it does not take, two
    /// values where there can be one, and parameters that contradict each other. The text names
    /// what is allowed.
    pub fn parse(
        signals: impl Into<Signals>,
        query: &str,
        config: &FanoutConfig,
    ) -> Result<Self, Refusal> {
        let signals = signals.into();
        let parameters = Parameters::read(query).map_err(bad)?;
        let view = view(signals, &parameters, config).map_err(bad)?;
        let start = start(&view, &parameters).map_err(bad)?;
        let slow = parameters.parse("slow", slow).map_err(bad)?;
        Ok(Self { view, start, slow })
    }
}

fn view(
    signals: Signals,
    parameters: &Parameters,
    config: &FanoutConfig,
) -> Result<ViewKey, String> {
    let mut view = ViewKey::of(signals);
    for (name, value) in &parameters.clauses {
        view.filter
            .add_clause(name, value)
            .map_err(|error| match error {
                FilterError::UnknownName => {
                    format!("unknown query parameter {}", shown(name))
                }
                error => format!("{}={}: {error}", shown(name), shown(value)),
            })?;
    }
    let watched: Vec<Signal> = signals.iter().collect();
    view.filter.narrow(&watched);
    view.format = parameters.parse("format", format)?.unwrap_or_default();
    view.envelope = parameters.parse("envelope", boolean)?.unwrap_or_default();
    if view.envelope && view.format == Format::Protobuf {
        return Err("there is no envelope around protobuf: leave out one of both".to_owned());
    }
    if view.format == Format::Points && watched == [Signal::Profiles] {
        return Err("there are no points of profiles: take another format".to_owned());
    }
    view.max_frame = parameters
        .parse("max_frame", max_frame)?
        .map(|bytes| bytes.min(config.frame_bytes));
    Ok(view)
}

fn start(view: &ViewKey, parameters: &Parameters) -> Result<Start, String> {
    let newest = parameters.parse("replay", newest)?;
    let since = parameters.parse("since", since)?;
    match (newest, since) {
        (Some(_), Some(_)) => Err("replay and since: one of both".to_owned()),
        (_, Some(_)) if !view.envelope => {
            Err("since needs envelope=true, which tells what was recovered".to_owned())
        }
        (None, Some(since)) => Ok(since),
        (newest, None) => Ok(newest.map_or(Start::Live, Start::Newest)),
    }
}

/// The names of parameters that take one value.
const SINGLE: [&str; 6] = ["format", "envelope", "max_frame", "replay", "since", "slow"];

/// Decoded parameters, by what they are.
struct Parameters {
    single: HashMap<&'static str, String>,
    /// All others: clauses of the filter, if anything.
    clauses: Vec<(String, String)>,
}

impl Parameters {
    fn read(query: &str) -> Result<Self, String> {
        let mut parameters = Self {
            single: HashMap::new(),
            clauses: Vec::new(),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            if name == TOKEN_PARAMETER {
                // Not even an error may repeat it.
                continue;
            }
            let value = decode(value)?;
            let Some(name) = SINGLE.into_iter().find(|known| *known == name) else {
                parameters.clauses.push((name, value));
                continue;
            };
            let other = parameters.single.insert(name, value.clone());
            if other.is_some_and(|other| other != value) {
                return Err(format!("query parameter {name} has two values"));
            }
        }
        Ok(parameters)
    }

    /// The value of a parameter, if it is given.
    fn parse<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.single.get(name) else {
            return Ok(None);
        };
        let value = read(value)
            .ok_or_else(|| format!("query parameter {name} does not take {}", shown(value)))?;
        Ok(Some(value))
    }
}

fn format(value: &str) -> Option<Format> {
    Format::ALL
        .into_iter()
        .find(|format| format.as_str() == value)
}

fn boolean(value: &str) -> Option<bool> {
    value.parse().ok()
}

fn max_frame(value: &str) -> Option<usize> {
    let bytes = value.parse().ok()?;
    (bytes >= MIN_MAX_FRAME).then_some(bytes)
}

fn newest(value: &str) -> Option<usize> {
    match value {
        "all" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

fn since(value: &str) -> Option<Start> {
    let (epoch, seq) = value.split_once(':')?;
    Some(Start::Since {
        epoch: epoch.to_owned(),
        seq: seq.parse().ok()?,
    })
}

fn slow(value: &str) -> Option<Slow> {
    Slow::ALL.into_iter().find(|slow| slow.as_str() == value)
}

/// Decodes a name or a value (URL standard, "application/x-www-form-urlencoded parsing"), but
/// takes nothing for what it isn't: a `%` that stands for itself, and bytes that are no UTF-8,
/// are errors.
fn decode(text: &str) -> Result<String, String> {
    let escapes = text.split('%').skip(1);
    let is_escape = |text: &str| {
        let digits = text.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !escapes.into_iter().all(is_escape) {
        return Err(format!("{}: % itself is written %25", shown(text)));
    }
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(format!("{} is not UTF-8", shown(text))),
    }
}

/// A name or value of the client, in quotes and not too long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(REPEATED) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

fn bad(problem: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, format!("{problem}; {ALLOWED}"))
}
