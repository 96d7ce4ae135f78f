//! The files of tokens and of TLS.

use std::path::PathBuf;
use std::sync::Arc;

use fanout::Hub;
use tracing::{info, warn};

use crate::StartError;
use crate::config::{ServerConfig, TlsConfig};
use crate::counters::Counters;
use crate::counters::labels::{Reload, Reloadable};
use crate::tls::{self, Tls, TlsError};
use crate::tokens::{self, Asked, Reloaded, TokenError, Tokens};

/// The settings that name files of tokens.
const OF_SENDERS: &str = "ingest-token-file";
const OF_WATCHERS: &str = "watch-token-file";
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
    /// Reads those that `config` names. What can't be used goes to `errors`.
    pub(in crate::compose) fn read(
        config: &ServerConfig,
        counters: &Arc<Counters>,
        errors: &mut Vec<StartError>,
    ) -> Self {
        let mut tokens = |setting, path: &Option<PathBuf>| {
            let read = Tokens::read(path.clone()?);
            kept(setting, read, errors).map(Arc::new)
        };
        let tokens = Asked {
            senders: tokens(OF_SENDERS, &config.ingest_token_file),
            watchers: tokens(OF_WATCHERS, &config.watch_token_file),
        };
        let tls = config.tls.as_ref().and_then(|named| {
            let read = Tls::read(named.clone(), Arc::clone(counters));
            kept_tls(named, read, errors).map(Arc::new)
        });
        let counters = Arc::clone(counters);
        Self {
            tokens,
            tls,
            counters,
        }
    }

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
    pub(super) fn prepare(
        &self,
        config: Option<&ServerConfig>,
    ) -> Result<Prepared, Vec<StartError>> {
        let mut errors = Vec::new();
        let mut tokens = |setting, tokens: &Option<Arc<Tokens>>, named: Option<&PathBuf>| {
            let tokens = tokens.as_ref()?;
            let path = named.map_or_else(|| tokens.path(), PathBuf::clone);
            kept(setting, tokens.prepare(path), &mut errors)
        };
        let senders = config.and_then(|config| config.ingest_token_file.as_ref());
        let watchers = config.and_then(|config| config.watch_token_file.as_ref());
        let prepared = Prepared {
            senders: tokens(OF_SENDERS, &self.tokens.senders, senders),
            watchers: tokens(OF_WATCHERS, &self.tokens.watchers, watchers),
            tls: self.tls.as_ref().and_then(|tls| {
                let named = config.and_then(|config| config.tls.clone());
                let named = named.unwrap_or_else(|| tls.config());
                kept_tls(&named, tls.prepare(named.clone()), &mut errors)
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
pub(crate) fn errors(config: &ServerConfig) -> Vec<StartError> {
    let mut errors = Vec::new();
    Files::read(config, &Arc::default(), &mut errors);
    errors
}

/// The tokens of the file that `setting` names; what is wrong with it goes to `errors`.
fn kept<T>(
    setting: &'static str,
    read: Result<T, TokenError>,
    errors: &mut Vec<StartError>,
) -> Option<T> {
    let wrong = |source| errors.push(StartError::Tokens { setting, source });
    read.map_err(wrong).ok()
}

/// What the files of TLS hold; what is wrong with each of them goes to `errors`.
fn kept_tls<T>(
    named: &TlsConfig,
    read: Result<T, TlsError>,
    errors: &mut Vec<StartError>,
) -> Option<T> {
    let first = match read {
        Ok(read) => return Some(read),
        Err(error) => error,
    };
    let mut all = tls::faults(named);
    if all.is_empty() {
        all.push(first);
    }
    errors.extend(all.into_iter().map(|source| {
        let setting = source.setting(named);
        StartError::Tls { setting, source }
    }));
    None
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
