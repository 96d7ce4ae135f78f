//! What may change while the relay runs is read again: on SIGHUP, and when it has changed.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::tls::Tls;
use crate::tokens::Tokens;

/// What has files behind it.
#[derive(Clone, Default)]
pub(super) struct Files {
    pub(super) tokens: Option<Arc<Tokens>>,
    pub(super) tls: Option<Arc<Tls>>,
}

/// Reads the files again whenever the system says SIGHUP, and those that changed every `period`,
/// and says how that went. Where there is no such signal, or it can't be heard, the clock does
/// it alone. The signal is heard from the call on, before the future is polled: until then it
/// would end the process.
pub(super) fn watch(files: Files, period: Duration) -> impl Future<Output = ()> {
    let mut hangups = Hangups::listen();
    async move {
        let mut clock = interval(period);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = hangups.next() => files.reload(),
                _ = clock.tick() => files.reload_if_changed(),
            }
        }
    }
}

impl Files {
    fn reload(&self) {
        if self.tokens.is_none() && self.tls.is_none() {
            info!("SIGHUP: there is nothing to read again");
        }
        if let Some(tokens) = &self.tokens {
            say_tokens(tokens.reload());
        }
        if let Some(tls) = &self.tls {
            say_tls(tls.reload());
        }
    }

    fn reload_if_changed(&self) {
        if let Some(result) = self.tokens.as_ref().and_then(|one| one.reload_if_changed()) {
            say_tokens(result);
        }
        if let Some(result) = self.tls.as_ref().and_then(|one| one.reload_if_changed()) {
            say_tls(result);
        }
    }
}

fn say_tokens(result: Result<usize, impl Display>) {
    match result {
        Ok(count) => info!("the file of tokens was read again: {count} tokens"),
        Err(error) => warn!("{error}; the tokens stay as they were"),
    }
}

fn say_tls(result: Result<(), impl Display>) {
    match result {
        Ok(()) => info!("the files for TLS were read again; they count for new connections"),
        Err(error) => warn!("{error}; TLS stays as it was"),
    }
}

/// SIGHUP, where there is one.
struct Hangups {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    fn listen() -> Self {
        Self {
            #[cfg(unix)]
            signal: {
                use tokio::signal::unix::{SignalKind, signal};
                signal(SignalKind::hangup())
                    .inspect_err(|error| warn!("SIGHUP can't be heard: {error}"))
                    .ok()
            },
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}
