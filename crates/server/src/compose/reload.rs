//! What may change while the relay runs is read again: on SIGHUP, and when it has changed.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use fanout::{Hub, Pass};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::counters::Counters;
use crate::tls::Tls;
use crate::tokens::{Asked, Reloaded};

/// What has files behind it.
#[derive(Clone, Default)]
pub(super) struct Files {
    pub(super) tokens: Asked,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) counters: Arc<Counters>,
}

/// Reads the files again whenever the system says SIGHUP, and those that changed every `period`,
/// and says how that went. Sessions whose token is gone are closed. Where there is no such signal, or it can't be heard, the clock does
/// it alone. The signal is heard from the call on, before the future is polled: until then it
/// would end the process.
pub(super) fn watch(files: Files, period: Duration, hub: Hub) -> impl Future<Output = ()> {
    let mut hangups = Hangups::listen();
    async move {
        let mut clock = interval(period);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = hangups.next() => files.reload(&hub),
                _ = clock.tick() => files.reload_if_changed(&hub),
            }
        }
    }
}

impl Files {
    fn reload(&self, hub: &Hub) {
        let Asked { senders, watchers } = &self.tokens;
        if senders.is_none() && watchers.is_none() && self.tls.is_none() {
            info!("SIGHUP: there is nothing to read again");
        }
        if let Some(tokens) = senders {
            self.say_tokens("senders", tokens.reload());
        }
        if let Some(tokens) = watchers {
            hub.revoke(self.say_tokens("watchers", tokens.reload()));
        }
        if let Some(tls) = &self.tls {
            self.say_tls(tls.reload());
        }
    }

    fn reload_if_changed(&self, hub: &Hub) {
        let Asked { senders, watchers } = &self.tokens;
        if let Some(result) = senders.as_ref().and_then(|one| one.reload_if_changed()) {
            self.say_tokens("senders", result);
        }
        if let Some(result) = watchers.as_ref().and_then(|one| one.reload_if_changed()) {
            hub.revoke(self.say_tokens("watchers", result));
        }
        if let Some(result) = self.tls.as_ref().and_then(|one| one.reload_if_changed()) {
            self.say_tls(result);
        }
    }

    /// The passes that are gone.
    fn say_tokens(&self, whose: &str, result: Result<Reloaded, impl Display>) -> Vec<Pass> {
        match result {
            Ok(Reloaded { count, gone }) => {
                let left = gone.len();
                info!("the tokens of {whose} were read again: {count} tokens, {left} gone");
                gone
            }
            Err(error) => {
                self.counters.reload_failed();
                warn!("{error}; the tokens stay as they were");
                Vec::new()
            }
        }
    }

    fn say_tls(&self, result: Result<(), impl Display>) {
        match result {
            Ok(()) => info!("the files for TLS were read again; they count for new connections"),
            Err(error) => {
                self.counters.reload_failed();
                warn!("{error}; TLS stays as it was");
            }
        }
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
