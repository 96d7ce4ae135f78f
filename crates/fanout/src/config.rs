//! The limits and waits of the fan-out.

use std::time::Duration;

use otlp_codec::Limits;

/// Every limit and wait of the fan-out. What each costs in memory is in the crate's README.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FanoutConfig {
    /// How many bytes the log of one view may hold: protobuf bytes of exports not yet rendered
    /// and the frames that not every session has taken. Beyond it the oldest go, and each
    /// session that had not taken them counts them as dropped. The newest publication stays
    /// whatever its size. Default: 16 MiB.
    pub lag_bytes: usize,
    /// How many publications the log of one view may hold, in the same way. Default: 1024.
    pub lag_frames: usize,
    /// How many bytes the logs of all views may hold together, in the same way. Beyond it the
    /// longest log loses its oldest. Default: 256 MiB.
    pub lag_total_bytes: usize,
    /// How many bytes of frames there may be in all, in logs, in the replay cache and in the
    /// hands of sessions. Beyond it, sessions whose client has taken nothing for
    /// [`PATIENCE`](crate::session::PATIENCE) are cut off if they hold
    /// [`HELD_BYTES`](crate::session::HELD_BYTES) or more, or
    /// [`gather_bytes`](Self::gather_bytes) if that is less. It should be well above
    /// [`lag_total_bytes`](Self::lag_total_bytes) and
    /// [`replay_cache_bytes`](Self::replay_cache_bytes) together. Default: 512 MiB.
    pub frames_total_bytes: usize,
    /// What becomes of a client that falls behind, unless it says itself. Default: it loses its
    /// oldest frames.
    pub slow: Slow,
    /// The longest message, in bytes. An export that renders longer is counted as dropped by
    /// each session, or comes in parts if the client asks for a limit of its own. Those together
    /// are at most [`lag_bytes`](Self::lag_bytes) long. Default: 16 MiB.
    pub frame_bytes: usize,
    /// How many different views may be watched at a time; one more is refused with 503. Each has
    /// a log of its own. Default: 64.
    pub max_views: usize,
    /// How many bytes of protobuf the history may hold of each signal, with what each export costs
    /// beside; 0 for no history. The oldest go, and an export that is longer alone empties it.
    /// Default: 8 MiB.
    pub history_bytes: usize,
    /// How long the history holds an export. Default: 5 min.
    pub history_age: Duration,
    /// How many bytes of frames that were replayed are held, in all views together, for others who
    /// are about to ask for the same. Default: 16 MiB.
    pub replay_cache_bytes: usize,
    /// From this length of an export's protobuf on, in bytes, it is rendered on a thread for
    /// blocking work, as many at a time as there are cores; below, in a task of the runtime
    /// that published it. Default: 1 MiB.
    pub offload_bytes: usize,
    /// How many bytes of frames one session takes out of the log for one vectored write; one
    /// frame at least, and at most [`GATHER_FRAMES`](crate::session::GATHER_FRAMES) frames.
    /// Default: 128 KiB.
    pub gather_bytes: usize,
    /// How many sessions there may be; one more is refused with 503. Default: 10,000.
    pub max_sessions: usize,
    /// How often a session sends a ping; every 10 ms at most. Default: 20 s.
    pub ping_interval: Duration,
    /// How long after a ping a session waits for any byte from its client before it closes
    /// with 3012. It runs from when the ping is due, and again from whenever the client takes
    /// bytes of a frame that is still in front of the ping: a client that has stopped reading
    /// cannot hold it off, one that reads slowly can. Default: 20 s.
    pub pong_timeout: Duration,
    /// How long after a Close frame, sent or received, a session waits for the rest of the
    /// closing handshake before it drops the connection. Default: 2 s.
    pub close_timeout: Duration,
    /// The longest message that a client may send, in bytes of payload over all its fragments;
    /// longer is answered with 1009. Messages of clients are checked and ignored, never kept.
    /// Default: 1 MiB.
    pub client_message_bytes: u64,
    /// Whether clients that offer permessage-deflate (RFC 7692) get compressed frames, and may
    /// compress what they send. Default: `true`.
    pub compression: bool,
    /// Whether there is `/ws/profiles`. Default: `false`.
    pub profiles: bool,
    /// What the codec may spend on one export. Its `output_bytes` is lowered to
    /// [`frame_bytes`](Self::frame_bytes) where that is smaller. Default: the codec's.
    pub codec: Limits,
}

/// What becomes of a client that falls behind further than the log of its view, or the history
/// that it replays, goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slow {
    /// It loses its oldest frames and goes on; they are counted, and in an envelope it is told.
    #[default]
    DropOldest,
    /// It is closed with 3008, to come again.
    Disconnect,
}

impl Slow {
    /// Both, in the order of their declaration.
    pub const ALL: [Self; 2] = [Self::DropOldest, Self::Disconnect];

    /// The value of the query parameter `slow`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DropOldest => "drop-oldest",
            Self::Disconnect => "disconnect",
        }
    }
}

impl Default for FanoutConfig {
    fn default() -> Self {
        Self {
            lag_bytes: 16 << 20,
            lag_frames: 1024,
            lag_total_bytes: 256 << 20,
            frames_total_bytes: 512 << 20,
            slow: Slow::DropOldest,
            frame_bytes: 16 << 20,
            max_views: 64,
            history_bytes: 8 << 20,
            history_age: Duration::from_secs(5 * 60),
            replay_cache_bytes: 16 << 20,
            offload_bytes: 1 << 20,
            gather_bytes: 128 << 10,
            max_sessions: 10_000,
            ping_interval: Duration::from_secs(20),
            pong_timeout: Duration::from_secs(20),
            close_timeout: Duration::from_secs(2),
            client_message_bytes: 1 << 20,
            compression: true,
            profiles: false,
            codec: Limits::default(),
        }
    }
}
