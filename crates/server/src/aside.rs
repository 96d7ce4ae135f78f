//! Work on files that may take for ever, on a thread of its own.
//!
//! A file may lie on a mount that hangs. Who reads it must hold up neither the thread that hears of
//! signals, nor the end of the process, which would wait for a thread of the runtime.

use std::io;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::warn;

/// After so long it is said that something takes long.
const LONG: Duration = Duration::from_secs(10);

/// Does `work`, which is called `what` where it takes long or fails.
///
/// # Errors
///
/// If there is no thread for it, or if it panics.
pub(crate) async fn aside<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, mut result) = oneshot::channel();
    // Nobody may wait for it any more.
    let work = move || drop(done.send(work()));
    thread::Builder::new()
        .name("files".to_owned())
        .spawn(work)?;
    let ended = match timeout(LONG, &mut result).await {
        Ok(ended) => ended,
        Err(_) => {
            warn!("{what} takes longer than {LONG:?}; does a mount hang?");
            result.await
        }
    };
    ended.map_err(|_| io::Error::other(format!("{what} has panicked")))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Scenario: work that is done, work that panics, and work that takes for longer than is usual.
    /// Guarantees: what came of it; an error that names it; and it is waited for.
    #[tokio::test(start_paused = true)]
    async fn what_became_of_it_is_known() {
        assert_eq!(aside("adding", || 1 + 1).await.unwrap(), 2);
        let panics = || -> u8 { panic!("as it should") };
        let error = aside("reading", panics).await.unwrap_err().to_string();
        assert_eq!(error, "reading has panicked");
        let (go_on, hears) = channel();
        let slow = aside("waiting", move || hears.recv());
        let other = async {
            tokio::time::sleep(2 * LONG).await;
            go_on.send(7).unwrap();
        };
        let (slow, ()) = tokio::join!(slow, other);
        assert_eq!(slow.unwrap(), Ok(7));
    }
}
