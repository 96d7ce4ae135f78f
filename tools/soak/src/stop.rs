//! When to stop.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Says to all that have a [`Stop`] that it is time.
pub(crate) struct Stopper(watch::Sender<bool>);

/// Knows when it is time to stop.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stopper {
    pub(crate) fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    pub(crate) fn is_now(&self) -> bool {
        *self.0.borrow()
    }

    /// Ready when it is time.
    pub(crate) async fn comes(&self) {
        // An error means that nobody is left who could say so.
        drop(self.0.clone().wait_for(|stopped| *stopped).await);
    }

    /// Waits so long, or until it is time: whether there is time left.
    pub(crate) async fn pause(&self, time: Duration) -> bool {
        timeout(time, self.comes()).await.is_err()
    }
}
