//! Who has sent a call, where a trusted proxy stands between.

use std::net::IpAddr;
use std::sync::Arc;

use ingest::grpc::{Peer, TurnedAway, refused};
use ingest::{IngestError, Refused, RequestId};
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::service::{Interceptor, InterceptorLayer};
use tonic::{Request, Status};
use tracing::debug;

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
/// that address; marks it if that has too many.
pub(super) fn identified(
    connections: Connections,
) -> InterceptorLayer<impl Interceptor + Clone + Send + 'static> {
    InterceptorLayer::new(move |mut request: Request<()>| {
        let Some(Peer(Some(peer))) = request.extensions().get().copied() else {
            return Ok(request);
        };
        match client(&connections, peer, request.metadata()) {
            Ok(None) => {}
            Ok(Some((client, seat))) => {
                request.extensions_mut().insert(Peer(Some(client)));
                let _seat = Arc::new(seat);
                request.extensions_mut().insert(Held { _seat });
            }
            Err(Crowded(client)) => {
                request.extensions_mut().insert(Peer(Some(client)));
                let turned_away = TurnedAway(Refused::crowded(RETRY_AFTER));
                request.extensions_mut().insert(turned_away);
            }
        }
        Ok(request)
    })
}

/// Refuses a call that is marked, UNAVAILABLE, where the receiver doesn't.
pub(super) fn refuse_marked(request: Request<()>) -> Result<Request<()>, Status> {
    let Some(TurnedAway(why)) = request.extensions().get().copied() else {
        return Ok(request);
    };
    let id = RequestId::next();
    debug!(request = %id, "refused a call: {why}");
    Err(refused(&IngestError::Refused(why), id))
}

fn client(
    connections: &Connections,
    peer: IpAddr,
    metadata: &MetadataMap,
) -> Result<Option<(IpAddr, Seat)>, Crowded> {
    let lines = |name| metadata.get_all(name).into_iter();
    let way = Way {
        forwarded: lines("forwarded").map(AsciiMetadataValue::as_encoded_bytes),
        x_forwarded_for: lines("x-forwarded-for").map(AsciiMetadataValue::as_encoded_bytes),
    };
    connections.client(peer, way)
}
