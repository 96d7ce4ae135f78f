//! What may change while the relay runs is read again: on SIGHUP, and when it has changed.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use fanout::{Hub, Pass};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::counters::Counters;
use crate::counters::labels::{Reload, Reloadable};
use crate::tls::Tls;
use crate::tokens::{Asked, Reloaded};

/// What has files behind it.
#[derive(Clone)]
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
            self.take_tokens(SENDERS, tokens.reload());
        }
        if let Some(tokens) = watchers {
            hub.revoke(self.take_tokens(WATCHERS, tokens.reload()));
        }
        if let Some(tls) = &self.tls {
            self.take_tls(tls.reload());
        }
    }

    fn reload_if_changed(&self, hub: &Hub) {
        let Asked { senders, watchers } = &self.tokens;
        if let Some(result) = senders.as_ref().and_then(|one| one.reload_if_changed()) {
            self.take_tokens(SENDERS, result);
        }
        if let Some(result) = watchers.as_ref().and_then(|one| one.reload_if_changed()) {
            hub.revoke(self.take_tokens(WATCHERS, result));
        }
        if let Some(result) = self.tls.as_ref().and_then(|one| one.reload_if_changed()) {
            self.take_tls(result);
        }
    }

    /// The passes that are gone.
    fn take_tokens(
        &self,
        (whose, what): (&str, Reloadable),
        result: Result<Reloaded, impl Display>,
    ) -> Vec<Pass> {
        self.counters.reloaded(what, outcome(&result));
        match result {
            Ok(Reloaded { count, gone }) => {
                let left = gone.len();
                info!("the tokens of {whose} were read again: {count} tokens, {left} gone");
                gone
            }
            Err(error) => {
                warn!("{error}; the tokens stay as they were");
                Vec::new()
            }
        }
    }

    fn take_tls(&self, result: Result<(), impl Display>) {
        self.counters.reloaded(Reloadable::Tls, outcome(&result));
        match result {
            Ok(()) => info!("the files for TLS were read again; they count for new connections"),
            Err(error) => warn!("{error}; TLS stays as it was"),
        }
    }
}

/// Whose tokens were read, for the log and for the counters.
const SENDERS: (&str, Reloadable) = ("senders", Reloadable::IngestTokens);
const WATCHERS: (&str, Reloadable) = ("watchers", Reloadable::WatchTokens);

fn outcome<T, E>(result: &Result<T, E>) -> Reload {
    match result {
        Ok(_) => Reload::Success,
        Err(_) => Reload::Failure,
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
