//! What SIGHUP does: read again what may change while the relay runs.

use std::sync::Arc;

use tracing::{info, warn};

use crate::tokens::Tokens;

/// Reads the tokens again whenever the system says SIGHUP, and says how that went. Where there is
/// no such signal, or it can't be heard, nothing happens. The signal is heard from the call on,
/// before the future is polled: until then it would end the process.
pub(super) fn on_hangup(tokens: Option<Arc<Tokens>>) -> impl Future<Output = ()> {
    #[cfg(unix)]
    let hangups = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup()).inspect_err(|error| warn!("SIGHUP can't be heard: {error}"))
    };
    async move {
        #[cfg(unix)]
        if let Ok(mut hangups) = hangups {
            while hangups.recv().await.is_some() {
                reload(tokens.as_deref());
            }
        }
        #[cfg(not(unix))]
        drop(tokens);
    }
}

fn reload(tokens: Option<&Tokens>) {
    match tokens.map(Tokens::reload) {
        Some(Ok(count)) => info!("the file of tokens was read again: {count} tokens"),
        Some(Err(error)) => warn!("{error}; the tokens stay as they were"),
        None => info!("SIGHUP: there is nothing to read again"),
    }
}
