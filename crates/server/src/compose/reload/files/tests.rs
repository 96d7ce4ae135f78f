//! Files of which some can be used and some can't.

use std::fs;

use fanout::FanoutConfig;
use rcgen::generate_simple_self_signed;

use super::*;

const OLD: &str = "the-old-token-of-this-test";
const NEW: &str = "the-new-token-of-this-test";
const GARBAGE: &str = "garbage, garbage";

/// A folder of files that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("otlp-relay-reload-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, contents: &str) {
        fs::write(self.path(name), contents).unwrap();
    }

    /// A certificate with its key that was not there before.
    fn write_pair(&self) {
        let made = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        self.write("cert", &made.cert.pem());
        self.write("key", &made.signing_key.serialize_pem());
    }

    /// Files for senders, for watchers and for TLS, as they are now.
    fn files(&self) -> Files {
        let tokens = |name| Arc::new(Tokens::read(self.path(name)).unwrap());
        let counters = Arc::<Counters>::default();
        let config = TlsConfig {
            cert: self.path("cert"),
            key: self.path("key"),
            client_ca: None,
        };
        Files {
            tokens: Asked {
                senders: Some(tokens("senders")),
                watchers: Some(tokens("watchers")),
            },
            tls: Some(Arc::new(Tls::read(config, counters.clone()).unwrap())),
            counters,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn lets_in(tokens: &Option<Arc<Tokens>>, token: &str) -> bool {
    let tokens = tokens.as_ref().unwrap();
    tokens.find(token.as_bytes()).is_some()
}

fn hub() -> Hub {
    Hub::new(FanoutConfig::default(), Arc::new(fanout::NoObserver))
}

/// How often files of a kind were put into force, and how often they could not be.
fn reloads(files: &Files, what: Reloadable) -> [u64; 2] {
    [Reload::Success, Reload::Failure].map(|how| files.counters.connecting.reloads.get((what, how)))
}

/// Scenario: new tokens for senders and a new certificate beside garbage for watchers, and SIGHUP;
/// then the clock, twice. The same with garbage for senders, and new tokens for watchers.
/// Guarantees: SIGHUP puts nothing into force, and the clock all that is good, once: a token that
/// was taken out of its file lets nobody in any longer. Of the garbage the clock says nothing more.
#[test]
fn a_refusal_leaves_good_files_to_the_clock() {
    let hub = hub();
    for (good, bad) in [("senders", "watchers"), ("watchers", "senders")] {
        let folder = Folder::new(good);
        folder.write("senders", OLD);
        folder.write("watchers", OLD);
        folder.write_pair();
        let files = folder.files();
        let Asked { senders, watchers } = &files.tokens;
        let (good_tokens, bad_tokens) = match good {
            "senders" => ((senders, SENDERS.1), (watchers, WATCHERS.1)),
            _ => ((watchers, WATCHERS.1), (senders, SENDERS.1)),
        };
        folder.write(good, NEW);
        folder.write(bad, GARBAGE);
        folder.write_pair();
        assert_eq!(files.prepare(None).err().unwrap().len(), 1);
        assert!(lets_in(good_tokens.0, OLD) && !lets_in(good_tokens.0, NEW));
        for _ in 0..2 {
            files.reload_if_changed(&hub);
            assert!(lets_in(good_tokens.0, NEW) && !lets_in(good_tokens.0, OLD));
            assert!(lets_in(bad_tokens.0, OLD));
            assert_eq!(reloads(&files, good_tokens.1), [1, 0]);
            assert_eq!(reloads(&files, bad_tokens.1), [0, 0]);
            assert_eq!(reloads(&files, Reloadable::Tls), [1, 0]);
        }
    }
}

/// Scenario: new tokens beside a certificate without its key, and SIGHUP; then the clock, then
/// the key comes, then the clock again.
/// Guarantees: the tokens count by the clock, and so does the certificate once it can be used.
#[test]
fn a_bad_certificate_leaves_tokens_to_the_clock() {
    let (hub, folder) = (hub(), Folder::new("tls"));
    folder.write("senders", OLD);
    folder.write("watchers", OLD);
    folder.write_pair();
    let files = folder.files();
    folder.write("watchers", NEW);
    folder.write("key", GARBAGE);
    assert!(files.prepare(None).is_err());
    files.reload_if_changed(&hub);
    assert!(lets_in(&files.tokens.watchers, NEW) && !lets_in(&files.tokens.watchers, OLD));
    assert_eq!(reloads(&files, Reloadable::Tls), [0, 0]);
    folder.write_pair();
    files.reload_if_changed(&hub);
    assert_eq!(reloads(&files, Reloadable::Tls), [1, 0]);
    assert_eq!(reloads(&files, SENDERS.1), [0, 0]);
}
