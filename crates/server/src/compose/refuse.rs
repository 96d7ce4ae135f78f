//! The answer to a connection that there is no permit for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_rt::net::TcpStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// How many refused connections may wait for their answer to be read; more are just closed.
const MAX_LINGERING: usize = 256;
/// How long one waits.
const LINGER: Duration = Duration::from_secs(1);

/// `google.rpc.Status` with the code UNAVAILABLE. The request's encoding is not known.
const ANSWER: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\n",
    "content-type: application/json\r\n",
    "content-length: 50\r\n",
    "retry-after: 1\r\n",
    "connection: close\r\n",
    "\r\n",
    r#"{"code":14,"message":"there are too many clients"}"#,
);

static LINGERING: AtomicUsize = AtomicUsize::new(0);

/// Says 503, and waits a moment for the client to read it: closing with its request unread
/// would reset the connection and take the answer along.
pub(super) fn too_many_connections(io: TcpStream) {
    let one_more = |lingering| (lingering < MAX_LINGERING).then_some(lingering + 1);
    if LINGERING
        .try_update(Ordering::AcqRel, Ordering::Acquire, one_more)
        .is_err()
    {
        return;
    }
    actix_rt::spawn(async move {
        let _guard = Guard;
        drop(timeout(LINGER, answer(io)).await);
    });
}

async fn answer(mut io: TcpStream) -> std::io::Result<()> {
    io.write_all(ANSWER.as_bytes()).await?;
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
    /// Scenario: the answer's text was changed.
    /// Guarantees: it says its own length.
    #[test]
    fn the_length_is_right() {
        let (head, body) = super::ANSWER.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len())),
            "{}",
            body.len()
        );
    }
}
