//! A load generator for servers that take OTLP and send JSON over WebSocket.
//!
//! `cargo xtask load` builds it optimised and runs it; `docs/performance.md` says what has been
//! measured with it. [`run`] is one run against one server: [`process`] starts it and reads from
//! outside what it uses, [`sender`] posts one [`payload`] at the [`pace`] that is asked for,
//! [`watchers`] count the frames that come ([`frames`]), [`latency`] keeps how long things took,
//! [`figures`] are what comes out. [`compare`] runs several servers in turns; [`receiver`] measures
//! the receiver alone, [`fanout`] deliveries beside their floor, [`idle`] the memory of subscribers,
//! [`sweep`] how cost grows, for which [`plot`] draws; [`options`] is the command line.
//!
//! Clients cost little, because they share the machine with the server: requests are made once,
//! and subscribers look at nothing but the heads of frames. Reading what servers use needs Linux.

pub mod compare;
pub mod fanout;
pub mod figures;
pub mod frames;
pub mod idle;
pub mod latency;
pub mod options;
pub mod pace;
pub mod payload;
pub mod plot;
pub mod process;
pub mod receiver;
pub mod run;
pub mod sender;
pub mod stream;
pub mod sweep;
pub mod tls;
pub mod watchers;

pub use figures::{Figures, median};
pub use options::Options;
pub use process::{Server, ServerCommand};
pub use sender::{Answer, Sender, Target, Transport};
pub use watchers::{Crowd, Door, Watchers};
