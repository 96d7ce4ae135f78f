//! The files of tokens and of TLS.

use std::path::PathBuf;
use std::sync::Arc;

use fanout::Hub;
use tracing::{info, warn};

use crate::RunError;
use crate::config::{ServerConfig, TlsConfig};
use crate::counters::Counters;
use crate::counters::labels::{Reload, Reloadable};
use crate::tls::{self, Tls};
use crate::tokens::{self, Asked, Reloaded, Tokens};

/// Whose tokens were read, for the log and for the counters.
const SENDERS: (&str, Reloadable) = ("senders", Reloadable::IngestTokens);
const WATCHERS: (&str, Reloadable) = ("watchers", Reloadable::WatchTokens);

/// What has files behind it.
#[derive(Clone, Default)]
pub(in crate::compose) struct Files {
    pub(in crate::compose) tokens: Asked,
    pub(in crate::compose) tls: Option<Arc<Tls>>,
    pub(in crate::compose) counters: Arc<Counters>,
}

/// Files that were read again and are not in force yet.
pub(super) struct Prepared {
    senders: Option<tokens::Prepared>,
    watchers: Option<tokens::Prepared>,
    tls: Option<tls::Prepared>,
}

impl Files {
    /// Whether there are no files.
    pub(super) fn are_none(&self) -> bool {
        let Asked { senders, watchers } = &self.tokens;
        senders.is_none() && watchers.is_none() && self.tls.is_none()
    }

    /// Reads those that `config` names, or the same as before where it names none: whether there
    /// are any is settled.
    ///
    /// # Errors
    ///
    /// All that can't be used.
    pub(super) fn prepare(&self, config: Option<&ServerConfig>) -> Result<Prepared, Vec<RunError>> {
        let mut errors = Vec::new();
        let senders = config.and_then(|config| config.ingest_token_file.clone());
        let watchers = config.and_then(|config| config.watch_token_file.clone());
        let prepared = Prepared {
            senders: tokens(self.tokens.senders.as_deref(), senders, &mut errors),
            watchers: tokens(self.tokens.watchers.as_deref(), watchers, &mut errors),
            tls: self.tls.as_ref().and_then(|tls| {
                let named = config.and_then(|config| config.tls.clone());
                let prepared = tls.prepare(named.unwrap_or_else(|| tls.config()));
                kept(prepared, &mut errors)
            }),
        };
        match errors.is_empty() {
            true => Ok(prepared),
            false => Err(errors),
        }
    }

    /// Counts how reading again went.
    pub(super) fn count(&self, what: Reloadable, how: Reload) {
        self.counters.reloaded(what, how);
    }

    /// Reads those that changed. Sessions whose token is gone are closed.
    pub(super) fn reload_if_changed(&self, hub: &Hub) {
        let Asked { senders, watchers } = &self.tokens;
        for ((whose, what), tokens) in [(SENDERS, senders), (WATCHERS, watchers)] {
            match tokens.as_ref().and_then(|one| one.reload_if_changed()) {
                Some(Ok(reloaded)) => {
                    self.count(what, Reload::Success);
                    tell_tokens(whose, &reloaded);
                    // The hub knows no passes of senders.
                    hub.revoke(reloaded.gone);
                }
                Some(Err(error)) => {
                    self.count(what, Reload::Failure);
                    warn!("{error}; the tokens stay as they were");
                }
                None => {}
            }
        }
        match self.tls.as_ref().and_then(|one| one.reload_if_changed()) {
            Some(Ok(())) => {
                self.count(Reloadable::Tls, Reload::Success);
                tell_tls();
            }
            Some(Err(error)) => {
                self.count(Reloadable::Tls, Reload::Failure);
                warn!("{error}; TLS stays as it was");
            }
            None => {}
        }
    }
}

impl Prepared {
    /// From now on these count. Sessions whose token is gone are closed.
    pub(super) fn put_into_force(self, files: &Files, hub: &Hub) {
        let Asked { senders, watchers } = &files.tokens;
        if let (Some(tokens), Some(new)) = (senders, self.senders) {
            files.count(SENDERS.1, Reload::Success);
            tell_tokens(SENDERS.0, &tokens.put_into_force(new));
        }
        if let (Some(tokens), Some(new)) = (watchers, self.watchers) {
            let reloaded = tokens.put_into_force(new);
            files.count(WATCHERS.1, Reload::Success);
            tell_tokens(WATCHERS.0, &reloaded);
            hub.revoke(reloaded.gone);
        }
        if let (Some(tls), Some(new)) = (&files.tls, self.tls) {
            tls.put_into_force(new);
            files.count(Reloadable::Tls, Reload::Success);
            tell_tls();
        }
    }
}

/// Every error of the files that a configuration names.
pub(crate) fn errors(config: &ServerConfig) -> Vec<RunError> {
    let mut errors = Vec::new();
    let files = [&config.ingest_token_file, &config.watch_token_file];
    for path in files.into_iter().flatten() {
        kept(Tokens::read(path.clone()), &mut errors);
    }
    if let Some(config) = &config.tls {
        let config: TlsConfig = config.clone();
        kept(
            Tls::read(config, Arc::new(Counters::default())),
            &mut errors,
        );
    }
    errors
}

fn tokens(
    tokens: Option<&Tokens>,
    path: Option<PathBuf>,
    errors: &mut Vec<RunError>,
) -> Option<tokens::Prepared> {
    let tokens = tokens?;
    let prepared = tokens.prepare(path.unwrap_or_else(|| tokens.path()));
    kept(prepared, errors)
}

/// What went well; what didn't goes to `errors`.
fn kept<T, E: Into<RunError>>(result: Result<T, E>, errors: &mut Vec<RunError>) -> Option<T> {
    result.map_err(|error| errors.push(error.into())).ok()
}

fn tell_tokens(whose: &str, Reloaded { count, gone }: &Reloaded) {
    let left = gone.len();
    info!("the tokens of {whose} were read again: {count} tokens, {left} gone");
}

fn tell_tls() {
    info!("the files for TLS were read again; they count for new connections");
}

#[cfg(test)]
mod tests;
