//! The second half of a call: what the stubs ask for, once the message is there.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use otlp_codec::Signal;
use tonic::{Request, Response, Status, async_trait};

use super::guard::Message;
use super::services::logs_service::LogsService;
use super::services::metrics_service::MetricsService;
use super::services::profiles_service::ProfilesService;
use super::services::trace_service::TraceService;
use super::{Peer, answer};
use crate::content::ContentType;
use crate::error::IngestError;
use crate::observer::Transport;
use crate::receiver::{Outcome, Receiver};
use crate::success;

/// The services of all signals.
pub(super) struct Exporter {
    receiver: Arc<Receiver>,
}

impl Exporter {
    pub(super) fn new(receiver: Arc<Receiver>) -> Self {
        Self { receiver }
    }

    /// Checks the message and gives it to the sink.
    async fn export(
        &self,
        signal: Signal,
        mut request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Status> {
        let receiver = self.receiver.as_ref();
        let message = request.extensions_mut().remove::<Message>();
        let began = message.as_ref().map_or_else(Instant::now, |it| it.began);
        let observer = receiver.observer.as_ref();
        let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
        let outcome = Outcome::new(observer, signal, Transport::Grpc, peer);
        let mut outcome = outcome.since(began);
        let taken = match message {
            Some(Message { bytes, .. }) => {
                let encoding = ContentType::Protobuf;
                receiver.take(signal, encoding, bytes, began).await
            }
            // The guard puts it there.
            None => Err(IngestError::Internal),
        };
        match taken {
            Ok(taken) => {
                outcome.accepted(&taken);
                let response =
                    success::response(ContentType::Protobuf, signal, taken.rejected.as_ref());
                Ok(Response::new(response.into()))
            }
            Err(error) => {
                let id = outcome.refused(&error);
                Err(answer::named(&error, id))
            }
        }
    }
}

#[async_trait]
impl MetricsService for Exporter {
    async fn export(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
        self.export(Signal::Metrics, request).await
    }
}

#[async_trait]
impl TraceService for Exporter {
    async fn export(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
        self.export(Signal::Traces, request).await
    }
}

#[async_trait]
impl LogsService for Exporter {
    async fn export(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
        self.export(Signal::Logs, request).await
    }
}

#[async_trait]
impl ProfilesService for Exporter {
    async fn export(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
        self.export(Signal::Profiles, request).await
    }
}
