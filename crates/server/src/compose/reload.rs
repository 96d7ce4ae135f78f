//! What may change while the relay runs is read again: all of it on SIGHUP, all or nothing; and
//! the files of tokens and of TLS when they have changed.

mod files;
mod hangups;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use fanout::Hub;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::aside::aside;
use crate::cors::Cors;
use crate::counters::labels::{Reload, Reloadable};
use crate::gate::Rules;
use crate::logging::Log;
use crate::settings::{Loaded, Names, Problems, Source, Value, Written};

pub(super) use files::Files;
use files::Prepared;
pub(crate) use files::errors as errors_of_files;
use hangups::Hangups;

/// Where the configuration came from, what it is, and the log that it began.
pub(super) struct Origin {
    pub(super) source: Source,
    pub(super) loaded: Loaded,
    pub(super) log: Log,
}

/// Everything that may change.
pub(super) struct Reloading {
    pub(super) files: Files,
    /// Those at the addresses of HTTP, and at those for metrics alone.
    pub(super) rules: [Arc<Rules>; 2],
    pub(super) cors: Arc<Cors>,
    pub(super) hub: Hub,
    /// `None` for a relay inside another program, which has made its configuration itself.
    pub(super) origin: Option<Origin>,
}

impl Reloading {
    /// Reads everything again whenever the system says SIGHUP, and the files that changed every
    /// `period`, and says how that went. Where there is no such signal, or it can't be heard, the
    /// clock does its part alone. The signal is heard from the call on, before the future is
    /// polled: until then it would end the process.
    pub(super) fn watch(mut self, period: Duration) -> impl Future<Output = ()> {
        let mut hangups = Hangups::listen();
        async move {
            let mut clock = interval(period);
            clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = hangups.next() => self.reload().await,
                    _ = clock.tick() => self.look().await,
                }
            }
        }
    }

    /// Reads the files that changed.
    async fn look(&self) {
        let (files, hub) = (self.files.clone(), self.hub.clone());
        let looked = aside("looking at files", move || files.reload_if_changed(&hub)).await;
        if let Err(error) = looked {
            warn!("{error}; the files are looked at again");
        }
    }

    /// All or nothing: what can't be used leaves everything as it was.
    async fn reload(&mut self) {
        let source = self.origin.as_ref().map(|origin| {
            let names = origin.loaded.names.clone();
            (origin.source.clone(), names)
        });
        let files = self.files.clone();
        let read = aside("reading everything again", move || read(source, &files));
        let (loaded, prepared) = match read.await {
            Ok(Ok(read)) => read,
            Ok(Err(errors)) => return self.refuse(&errors),
            Err(error) => return self.refuse(&[error]),
        };
        prepared.put_into_force(&self.files, &self.hub);
        self.files.count(Reloadable::Settings, Reload::Success);
        let Some((loaded, origin)) = loaded.zip(self.origin.as_mut()) else {
            return;
        };
        if self.files.are_none() && origin.source.file().is_none() {
            info!("SIGHUP: there is nothing to read again");
        }
        for rules in &self.rules {
            rules.change(&loaded.config.gate);
        }
        self.cors.change(&loaded.config.cors);
        let filter = loaded.log.filter.clone();
        origin.tell(loaded);
        origin.log.refilter(&filter);
    }

    fn refuse(&self, errors: &[impl Display]) {
        self.files.count(Reloadable::Settings, Reload::Failure);
        for error in errors {
            warn!("SIGHUP: {error}; everything stays as it was");
        }
    }
}

/// The configuration as it is now, if it is known where it comes from, and its files, or what is
/// wrong with either.
fn read(
    source: Option<(Source, Names)>,
    files: &Files,
) -> Result<(Option<Loaded>, Prepared), Vec<String>> {
    let loaded = source.map(|(source, names)| source.load_again(&names));
    let loaded = loaded.transpose();
    let loaded = loaded.map_err(|Problems(problems)| texts(&problems))?;
    let config = loaded.as_ref().map(|loaded| &loaded.config);
    match files.prepare(config) {
        Ok(prepared) => Ok((loaded, prepared)),
        Err(errors) => Err(match loaded {
            Some(loaded) => errors.iter().map(|error| loaded.told_one(error)).collect(),
            None => texts(&errors),
        }),
    }
}

fn texts(errors: &[impl Display]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

impl Origin {
    /// Says what has changed, and keeps it. What needs a restart is said each time.
    fn tell(&mut self, loaded: Loaded) {
        let mut changes = 0;
        self.loaded.names = loaded.names;
        for (running, new) in self.loaded.values.iter_mut().zip(loaded.values) {
            if running.texts == new.texts {
                continue;
            }
            changes += 1;
            let (name, place) = (new.setting.name, &new.place);
            let value = match new.texts.is_empty() {
                true => "none".to_owned(),
                // What looks like a secret has no place in a log.
                false => new.shown().unwrap_or_else(|| "…".to_owned()),
            };
            if is_settled(running, &new) {
                warn!("SIGHUP: {name} = {value} ({place}) needs a restart; it stays as it was");
            } else {
                info!("SIGHUP: {name} = {value} ({place}) is in force");
                *running = new;
            }
        }
        if changes == 0 && self.source.file().is_some() {
            info!("SIGHUP: no setting has changed");
        }
    }
}

/// Whether a change needs a restart: most settings do, and whether there are tokens and TLS at all
/// is settled at the start, for those who are here already came in without.
fn is_settled(running: &Value, new: &Value) -> bool {
    let appears_or_goes = running.texts.is_empty() != new.texts.is_empty();
    let is_path = matches!(new.setting.form().written, Written::Path);
    let is_optional = new.setting.name == "tls-client-ca";
    !new.setting.reloads || (is_path && !is_optional && appears_or_goes)
}
