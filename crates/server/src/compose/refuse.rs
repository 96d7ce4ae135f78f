//! The answer to a connection that is not served: there is no permit for it, or no TLS on it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::counters::labels::Listener;
use crate::tls::{Handshake, Tls};

/// How long one waits.
const LINGER: Duration = Duration::from_secs(1);

/// `google.rpc.Status` with the code UNAVAILABLE. The request's encoding is not known.
const TOO_MANY: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\n",
    "content-type: application/json\r\n",
    "content-length: 50\r\n",
    "retry-after: 1\r\n",
    "connection: close\r\n",
    "\r\n",
    r#"{"code":14,"message":"there are too many clients"}"#,
);

/// To a client that speaks plain HTTP where TLS is spoken.
const NO_TLS: &str = concat!(
    "HTTP/1.1 400 Bad Request\r\n",
    "content-type: text/plain; charset=utf-8\r\n",
    "content-length: 48\r\n",
    "connection: close\r\n",
    "\r\n",
    "this address speaks TLS: use https:// or wss://\n",
);

static LINGERING: AtomicUsize = AtomicUsize::new(0);

/// Says 503, over TLS if there is any, to at most `max` connections at a time; more are just
/// closed.
pub(super) fn too_many_connections(
    io: TcpStream,
    tls: Option<Arc<Tls>>,
    listener: Listener,
    max: usize,
) {
    let answer = async move {
        let Some(tls) = tls else {
            return answer(io, TOO_MANY).await;
        };
        match tls.accept(io, listener, LINGER).await? {
            Handshake::Done(stream) => answer(stream, TOO_MANY).await,
            Handshake::NotTls(io) => answer(io, NO_TLS).await,
        }
    };
    linger(answer, max);
}

/// Says 400, as above.
pub(super) fn without_tls(io: TcpStream, max: usize) {
    linger(answer(io, NO_TLS), max);
}

/// Gives an answer a moment, if not too many have theirs.
fn linger(answer: impl Future<Output = io::Result<()>> + 'static, max: usize) {
    let one_more = |lingering| (lingering < max).then_some(lingering + 1);
    if LINGERING
        .try_update(Ordering::AcqRel, Ordering::Acquire, one_more)
        .is_err()
    {
        return;
    }
    let guard = Guard;
    actix_rt::spawn(async move {
        let _guard = guard;
        drop(timeout(LINGER, answer).await);
    });
}

/// Writes the answer, and waits for the client to read it: closing with its request unread would
/// reset the connection and take the answer along.
async fn answer(mut io: impl AsyncRead + AsyncWrite + Unpin, text: &str) -> io::Result<()> {
    io.write_all(text.as_bytes()).await?;
    io.shutdown().await?;
    let mut unread = [0; 1024];
    while io.read(&mut unread).await? > 0 {}
    Ok(())
}

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        LINGERING.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    /// Scenario: an answer's text was changed.
    /// Guarantees: it says its own length.
    #[test]
    fn the_lengths_are_right() {
        for answer in [super::TOO_MANY, super::NO_TLS] {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(
                head.contains(&format!("content-length: {}\r\n", body.len())),
                "{}",
                body.len()
            );
        }
    }
}
