//! What a subscriber asks for.

use std::fmt;

use otlp_codec::Signal;
use otlp_codec::select::Filter;

/// A set of signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signals(u8);

impl Signals {
    /// All of them; profiles come only where they are received.
    pub const ALL: Self = Self((1 << Signal::ALL.len()) - 1);

    /// The set of one signal.
    #[must_use]
    pub const fn only(signal: Signal) -> Self {
        Self(1 << signal as u8)
    }

    /// Whether `signal` is in the set.
    #[must_use]
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & (1 << signal as u8) != 0
    }

    /// The signals in the set, in the order of [`Signal::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::ALL
            .into_iter()
            .filter(move |signal| self.contains(*signal))
    }
}

impl From<Signal> for Signals {
    fn from(signal: Signal) -> Self {
        Self::only(signal)
    }
}

/// How an export is written into a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Canonical OTLP JSON, a text frame.
    #[default]
    Otlp,
    /// Protobuf's own JSON mapping, a text frame.
    ProtoJson,
    /// One JSON object for each data point, span or log record, one a line, a text frame; as
    /// `docs/points.md` says.
    Points,
    /// The bytes of the request, a binary frame.
    Protobuf,
}

impl Format {
    /// Every format, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Otlp, Self::ProtoJson, Self::Points, Self::Protobuf];

    /// The value of the query parameter `format`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::ProtoJson => "protojson",
            Self::Points => "points",
            Self::Protobuf => "protobuf",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What makes one view differ from another. Equal keys share one log and one rendering.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ViewKey {
    /// Which exports it sees.
    pub signals: Signals,
    /// How they are written.
    pub format: Format,
    /// What it sees of them. An export of which it leaves nothing sends no frame.
    pub filter: Filter,
    /// Whether frames say what they hold, and losses are told. Not for [`Format::Protobuf`].
    pub envelope: bool,
    /// The longest message, in bytes, at most
    /// [`FanoutConfig::frame_bytes`](crate::FanoutConfig::frame_bytes): a longer export comes in
    /// several.
    pub max_frame: Option<usize>,
}

impl ViewKey {
    /// Every export of these signals whole, as OTLP JSON.
    #[must_use]
    pub fn of(signals: impl Into<Signals>) -> Self {
        Self {
            signals: signals.into(),
            format: Format::default(),
            filter: Filter::default(),
            envelope: false,
            max_frame: None,
        }
    }
}
