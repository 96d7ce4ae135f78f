//! The OTLP receiver: bytes from the network to checked exports.
//!
//! The life of a request: the head is judged ([`Authorize`], media type, content coding), the
//! body is read and inflated within limits ([`body`]), the bytes become an [`Export`]
//! ([`accept`]), the export goes to the [`ExportSink`], the client is answered ([`success`],
//! [`status`]).
//!
//! [`content`], [`body`], [`budget`], [`decoders`], [`accept`], [`error`] and the three traits know
//! no transport; [`http`] is OTLP/HTTP over actix-web, [`grpc`] OTLP/gRPC over tonic. Nobody here
//! knows who listens: an export is handed on and forgotten, and handing it on never waits.

pub mod accept;
pub mod authorize;
pub mod body;
pub mod budget;
pub mod config;
pub mod content;
pub mod decoders;
pub mod error;
pub mod grpc;
pub mod http;
pub mod observer;
pub mod receiver;
pub mod request_id;
pub mod sink;
pub mod status;
pub mod success;

pub use authorize::{AllowAll, AuthError, Authorize, Credentials};
pub use budget::{Budget, Permit};
pub use config::IngestConfig;
pub use content::{ContentEncoding, ContentType};
pub use decoders::Decoders;
pub use error::{Code, IngestError, Reason};
pub use http::{asks_for_websocket, configure, count_refusal, hold_unread, refuse_by_head};
pub use observer::{Accepted, NoObserver, Observer, Refusal, Transport};
pub use receiver::Receiver;
pub use request_id::{RequestId, X_REQUEST_ID};
pub use sink::{Export, ExportSink, Refused};
