//! Who has sent a call, where a trusted proxy stands between.

use std::net::IpAddr;
use std::sync::Arc;

use ingest::grpc::{Peer, refused};
use ingest::{IngestError, Refused};
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::service::{Interceptor, InterceptorLayer};
use tonic::{Request, Status};

use crate::conn::{Connections, Crowded, Seat};
use crate::proxies::Way;

/// Seconds after which a client with too many calls in flight may try again.
const RETRY_AFTER: u32 = 1;

/// The seat of a call, given back when the call ends and with it its extensions.
#[derive(Clone)]
struct Held {
    _seat: Arc<Seat>,
}

/// Gives a call that a trusted proxy has passed on the address of its client, and counts it for
/// that address; UNAVAILABLE if that has too many.
pub(super) fn identified(
    connections: Connections,
) -> InterceptorLayer<impl Interceptor + Clone + Send + 'static> {
    InterceptorLayer::new(move |mut request: Request<()>| {
        let Some(Peer(Some(peer))) = request.extensions().get().copied() else {
            return Ok(request);
        };
        if let Some((client, seat)) = client(&connections, peer, request.metadata())? {
            request.extensions_mut().insert(Peer(Some(client)));
            let _seat = Arc::new(seat);
            request.extensions_mut().insert(Held { _seat });
        }
        Ok(request)
    })
}

fn client(
    connections: &Connections,
    peer: IpAddr,
    metadata: &MetadataMap,
) -> Result<Option<(IpAddr, Seat)>, Status> {
    let lines = |name| metadata.get_all(name).into_iter();
    let way = Way {
        forwarded: lines("forwarded").map(AsciiMetadataValue::as_encoded_bytes),
        x_forwarded_for: lines("x-forwarded-for").map(AsciiMetadataValue::as_encoded_bytes),
    };
    connections
        .client(peer, way)
        .map_err(|Crowded| refused(&IngestError::Refused(Refused::crowded(RETRY_AFTER))))
}
