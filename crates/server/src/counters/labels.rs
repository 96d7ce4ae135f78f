//! What counts are told apart by. Every label has a fixed set of values: no client can add one.

use actix_web::http::StatusCode;
use fanout::frame::CloseCode;
use fanout::{CloseReason, Format, Loss, TurnedAway};
use ingest::{Reason, Transport};
use otlp_codec::Signal;

/// A combination of labels, of which there is a fixed number.
pub(crate) trait Labels: Copy + 'static {
    /// How many combinations there are.
    const COUNT: usize;

    /// The names of the labels.
    fn names() -> Vec<&'static str>;

    /// The place of this one among all, below [`COUNT`](Self::COUNT).
    fn index(self) -> usize;

    /// All of them, in the order of their places.
    fn all() -> Box<dyn Iterator<Item = Self>>;

    /// The values, in the order of the names.
    fn values(self) -> Vec<&'static str>;
}

impl Labels for () {
    const COUNT: usize = 1;

    fn names() -> Vec<&'static str> {
        Vec::new()
    }

    fn index(self) -> usize {
        0
    }

    fn all() -> Box<dyn Iterator<Item = Self>> {
        Box::new(std::iter::once(()))
    }

    fn values(self) -> Vec<&'static str> {
        Vec::new()
    }
}

impl<A: Labels, B: Labels> Labels for (A, B) {
    const COUNT: usize = A::COUNT * B::COUNT;

    fn names() -> Vec<&'static str> {
        [A::names(), B::names()].concat()
    }

    fn index(self) -> usize {
        self.0.index() * B::COUNT + self.1.index()
    }

    fn all() -> Box<dyn Iterator<Item = Self>> {
        Box::new(A::all().flat_map(|a| B::all().map(move |b| (a, b))))
    }

    fn values(self) -> Vec<&'static str> {
        [self.0.values(), self.1.values()].concat()
    }
}

/// Makes a label of an enumeration whose `ALL` is in the order of its declaration. That it is, and
/// holds every variant, is checked when this is compiled: a variant without a place in the arrays
/// would be a panic when it is counted.
macro_rules! label {
    ($type:ty, $name:literal: $($variant:ident),+) => {
        const _: () = {
            const fn place(one: $type) -> usize {
                // A new variant doesn't compile until it is listed.
                match one {
                    $(<$type>::$variant => <$type>::$variant as usize,)+
                }
            }
            let listed = [$(stringify!($variant)),+].len();
            assert!(<$type>::ALL.len() == listed, "a variant is missing in ALL");
            let mut at = 0;
            while at < listed {
                assert!(place(<$type>::ALL[at]) == at, "ALL is in another order");
                at += 1;
            }
        };

        impl Labels for $type {
            const COUNT: usize = Self::ALL.len();

            fn names() -> Vec<&'static str> {
                vec![$name]
            }

            fn index(self) -> usize {
                self as usize
            }

            fn all() -> Box<dyn Iterator<Item = Self>> {
                Box::new(Self::ALL.into_iter())
            }

            fn values(self) -> Vec<&'static str> {
                vec![self.as_str()]
            }
        }
    };
}

/// Makes an enumeration of its values' names, and a label of it.
macro_rules! labels {
    ($(#[$doc:meta])* $type:ident, $name:literal: $($(#[$what:meta])* $variant:ident $value:literal),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $type {
            $($(#[$what])* $variant,)+
        }

        impl $type {
            pub(crate) const ALL: [Self; [$($value),+].len()] = [$(Self::$variant),+];

            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $value,)+
                }
            }
        }

        label!($type, $name: $($variant),+);
    };
}

label!(Signal, "signal": Metrics, Traces, Logs, Profiles);
label!(Transport, "transport": Http, Grpc);
label!(
    Reason, "reason":
    Method, Upgrade, Unauthenticated, Forbidden, ContentType, ContentEncoding, Framing,
    BodyTooLarge, BadCompression, SlowBody, IncompleteBody, MessageTooLong, TooManyElements,
    TooManyItems, TooDeep, BadProtobuf, BadJson, BadId, Draining, TooManyRequests,
    TooManyBytes, TooManyOfClient, Internal
);
label!(Format, "format": Otlp, ProtoJson, Points, Protobuf);
label!(Loss, "cause": Slow, TooBig, Failed, Closing);
label!(TurnedAway, "reason": Query, Sessions, Views, Closing, Handshake);

labels! {
    /// What came of a rendering.
    Rendered, "outcome":
    /// Frames, with all that belongs to the view.
    Frames "frames",
    /// Frames without some items, which were too big.
    Incomplete "incomplete",
    /// Nothing of the export belongs to the view.
    Nothing "nothing",
    /// No frame.
    Failed "failed"
}

labels! {
    /// Why a session ended.
    End, "reason":
    Client "client", Disconnected "disconnected", NoPong "no_pong", Slow "slow",
    MessageTooBig "message_too_big", Protocol "protocol", Revoked "revoked",
    Shutdown "shutdown", CutOff "cut_off"
}

labels! {
    /// Where connections come in.
    Listener, "listener":
    /// `--listen`.
    Http "http",
    /// `--grpc-listen`.
    Grpc "grpc",
    /// `--metrics-listen`.
    Metrics "metrics"
}

labels! {
    /// A limit of connections.
    Limit, "limit":
    /// Of all together.
    Total "total",
    /// Of those from one address, or of the requests that a proxy passes on for it.
    Address "address"
}

labels! {
    /// What a client took too long for, so that its connection ended.
    Wait, "wait":
    /// To send a head, or the preface of HTTP/2.
    Head "head",
    /// To send some of a body, or to take some of an answer.
    Stall "stall",
    /// To begin another request.
    Idle "idle",
    /// To stop sending when it was refused.
    Linger "linger",
    /// To answer to keepalive.
    Keepalive "keepalive",
    /// To finish its calls when its connection was old.
    Age "age"
}

labels! {
    /// A rule that a request broke.
    Rule, "rule":
    Host "host", Origin "origin", Token "token"
}

labels! {
    /// The first digit of a status.
    StatusClass, "code":
    Informational "1xx", Success "2xx", Redirection "3xx", ClientError "4xx", ServerError "5xx"
}

labels! {
    /// Whether a client that came back got everything that it had missed.
    Recovered, "recovered":
    Yes "true", No "false"
}

labels! {
    /// What is read again while the relay runs.
    Reloadable, "what":
    /// Tokens of senders.
    IngestTokens "ingest_tokens",
    /// Tokens of watchers.
    WatchTokens "watch_tokens",
    /// Certificate, key and authorities.
    Tls "tls",
    /// All of it, on SIGHUP.
    Settings "settings"
}

labels! {
    /// How reading again went.
    Reload, "result":
    Success "success",
    /// Everything stayed as it was.
    Failure "failure"
}

impl From<CloseReason> for End {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Client => Self::Client,
            CloseReason::Disconnected => Self::Disconnected,
            CloseReason::NoPong => Self::NoPong,
            CloseReason::Slow => Self::Slow,
            CloseReason::Protocol(CloseCode::TOO_BIG) => Self::MessageTooBig,
            CloseReason::Protocol(_) => Self::Protocol,
            CloseReason::Revoked => Self::Revoked,
            CloseReason::Shutdown => Self::Shutdown,
            CloseReason::Cancelled => Self::CutOff,
        }
    }
}

impl From<StatusCode> for StatusClass {
    fn from(status: StatusCode) -> Self {
        match status.as_u16() {
            ..200 => Self::Informational,
            200..300 => Self::Success,
            300..400 => Self::Redirection,
            400..500 => Self::ClientError,
            500.. => Self::ServerError,
        }
    }
}

impl From<bool> for Recovered {
    fn from(recovered: bool) -> Self {
        match recovered {
            true => Self::Yes,
            false => Self::No,
        }
    }
}
