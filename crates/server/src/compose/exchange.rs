//! One request and its answer on a connection: what the connection is told of it, and what
//! becomes of a body that nobody reads.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

use super::Handle;
use crate::conn::Seat;

/// Follows a request to the end of its answer.
///
/// It keeps the request's payload alive until then. actix-http 3.20 reads and discards the rest of
/// a chunked body without limit if the payload is dropped before the answer is out; while it is
/// alive, actix closes the connection within its `client_disconnect_timeout`. Handlers get a
/// payload that reads from the one kept here, so that no route has to think of it; the receiver,
/// which can be served without this, sees to its own as well.
pub(super) struct Exchange {
    connection: Option<Handle>,
    /// Only held, and given up with the answer.
    _payload: Option<Rc<RefCell<Payload>>>,
}

impl Exchange {
    /// Takes note of a request whose head has come.
    pub(super) fn begin(request: &mut ServiceRequest) -> Self {
        let connection = request.conn_data::<Handle>().cloned();
        let payload = match request.take_payload() {
            Payload::None => None,
            payload => Some(Rc::new(RefCell::new(payload))),
        };
        if let Some(connection) = &connection {
            connection.request_begins();
            if payload.is_none() {
                connection.no_body();
            }
        }
        if let Some(payload) = &payload {
            let payload = Body {
                payload: Rc::clone(payload),
                connection: connection.clone(),
            };
            request.set_payload(Payload::Stream {
                payload: Box::pin(payload),
            });
        }
        Self {
            connection,
            _payload: payload,
        }
    }

    /// The request is from a client of a proxy, which has `seat` as long as this or, if it becomes
    /// a session, as that.
    pub(super) fn serve(&self, seat: Seat) {
        if let Some(connection) = &self.connection {
            connection.serve(seat);
        }
    }

    /// Takes note of the answer, and stays with it until it is written.
    pub(super) fn answer(self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        if let Some(connection) = &self.connection {
            connection.answer_begins();
        }
        response.map_body(|_, body| ingest::http::hold(body, self))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.answer_ended();
        }
    }
}

/// The body of a request, for its handler.
struct Body {
    payload: Rc<RefCell<Payload>>,
    connection: Option<Handle>,
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut *self.payload.borrow_mut()).poll_next(cx);
        if let (Poll::Ready(None), Some(connection)) = (&next, &self.connection) {
            connection.body_ended();
        }
        next
    }
}
