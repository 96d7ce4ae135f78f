//! The fan-out: one rendering of an export, shared by every client that watches it, over
//! WebSocket or as lines over plain HTTP.
//!
//! # The life of a frame
//! 1. [`Hub::publish`] takes an export (a signal and its protobuf bytes), gives it a number and
//!    puts an empty slot into the log of each view that matches. One short lock; it never waits.
//! 2. Each view renders the export once, outside every lock: what its filter leaves, in its
//!    format, into complete RFC 6455 frames, mostly one, and fills its slot. An export that nobody
//!    watches is not rendered.
//! 3. Each session ([`serve`], [`serve_lines`]) reads its view's log at a cursor of its own and
//!    writes the shared frames with vectored writes. Nothing is pushed to sessions, so publishing
//!    costs the same whoever is slow.
//! 4. What every session has passed is freed at once. A log over its limits loses its oldest
//!    frames; a session whose cursor stood before them counts them as dropped and goes on.
//!
//! The hub also keeps the newest exports of each signal, as protobuf. Who asks for them reads
//! there first ([`Start`]), each rendered once for all who come to it, and then in the log. The
//! step over is under the hub's lock, so nothing is missed and nothing comes twice.
//!
//! # What is not here
//! Sockets, TLS, tokens and exporters of statistics: a binary brings them through [`Gate`],
//! [`Detach`] and [`Observer`]. How exports arrive is not known here either.
//!
//! # Lock order
//! The hub's state, then a view's log. Nothing is rendered, written or awaited under a lock.

pub mod client;
pub mod config;
mod deflate;
pub mod frame;
pub mod gate;
mod held;
mod history;
pub mod http;
pub mod hub;
mod log;
mod notice;
pub mod observer;
mod publication;
pub mod query;
pub mod refusal;
mod render;
pub mod session;
mod slot;
pub mod view;

pub use config::{FanoutConfig, Slow};
pub use gate::{Gate, OpenGate, Pass};
pub use http::{Detach, Detaching, Fanout, configure};
pub use hub::{FormatSnapshot, HistorySnapshot, Hub, Snapshot, SubscribeError, Subscription};
pub use observer::{CloseReason, Loss, NoObserver, Observer, Rendering, TurnedAway};
pub use query::{Query, Start};
pub use refusal::Refusal;
pub use session::{serve, serve_lines};
pub use view::{Format, Signals, ViewKey};
