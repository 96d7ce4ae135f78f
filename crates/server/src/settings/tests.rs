//! The model as a whole: every setting in every layer, and what is made of it.

mod documents;
mod problems;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use super::kind::{Form, Written};
use super::problem::Place;
use super::source::{Loaded, Names, Source};
use super::table::{Setting, find, groups, settings};
use super::values::{size, size_or_zero, time, write_size, write_time};
use super::{Variables, environment};

/// A file of settings that goes when it is dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str, contents: &str) -> Self {
        let name = format!("otlp-relay-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, contents).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn variables(all: &[(&str, &str)]) -> Variables {
    let all = all
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    all.collect()
}

fn from_file(file: &File) -> Source {
    Source::default().with_config(file.0.clone())
}

/// Values of each kind, written as the relay would write them, each unlike the one before it.
fn samples(form: Form) -> Vec<String> {
    let samples = match (form.name, form.written) {
        (_, Written::Switch) => vec!["true", "false", "true"],
        (_, Written::Word(words)) => vec![words[1], words[0], words[1]],
        (_, Written::Number(..)) => vec!["5", "6", "7"],
        (_, Written::Path) => vec!["/a", "/b", "/c"],
        ("SIZE", _) => vec!["5MiB", "6KiB", "7B"],
        ("TIME", _) => vec!["5s", "6ms", "1h7m"],
        ("ADDR:PORT", _) => vec!["127.0.0.1:5", "[::1]:6", "0.0.0.0:7"],
        ("PATH", _) => vec!["/a", "/b/c", "/d"],
        ("ORIGIN", _) => vec!["https://a.example", "https://*.b.example:7", "*"],
        ("HOST", _) => vec!["a.example", "127.0.0.2", "[::2]"],
        ("HEADER", _) => vec!["authorization", "x-two", "*"],
        ("NETWORK", _) => vec!["10.0.0.0/8", "fd00::/8", "10.0.0.7/32"],
        ("FILTER", _) => vec!["debug", "info,fanout=trace", "warn"],
        (name, _) => panic!("no samples of {name}"),
    };
    samples.into_iter().map(str::to_owned).collect()
}

/// What else has to be set for a setting to be allowed.
fn companions(name: &str) -> Vec<(&'static str, &'static str)> {
    match name {
        "tls-cert" => vec![("OTLP_RELAY_TLS_KEY", "/key")],
        "tls-key" => vec![("OTLP_RELAY_TLS_CERT", "/cert")],
        "tls-client-ca" => vec![
            ("OTLP_RELAY_TLS_KEY", "/key"),
            ("OTLP_RELAY_TLS_CERT", "/cert"),
        ],
        _ => Vec::new(),
    }
}

/// What a setting is set to, and whose word that was.
fn told(loaded: &Loaded, setting: &Setting) -> (Vec<String>, Place) {
    let value = loaded
        .values
        .iter()
        .find(|value| value.setting.name == setting.name);
    let value = value.unwrap();
    (value.texts.clone(), value.place.clone())
}

/// Scenario: every setting there is, set by a file alone, by a variable above it, and by a flag
/// above both.
/// Guarantees: each is known in every layer and the upper one counts; its value comes back as it
/// was written, with its place; it reaches the configuration, and no other setting is touched.
#[test]
fn every_setting_is_set_by_every_layer() {
    for setting in settings() {
        let name = setting.name;
        let form = setting.form();
        let [low, middle, high] = samples(form).try_into().unwrap();
        let line = format!(
            "# A comment.\n{name} = {}\n",
            form.toml(std::slice::from_ref(&low))
        );
        let file = File::new(name, &line);
        let (variable, others) = (setting.variable(), companions(name));
        let with = |more: &[(&str, &str)]| {
            let variables = variables(&[&others[..], more].concat());
            Source::new(variables).with_config(file.0.clone())
        };
        let layered = with(&[(&variable, &middle)]);
        let flagged = layered.clone().with_flag(setting, vec![high.clone()]);
        let in_file = Place::File {
            path: file.0.clone(),
            line: Some(2),
        };
        let mut before = format!("{:?}", Source::new(variables(&others)).load().ok());
        for (source, text, place) in [
            (with(&[]), low, in_file),
            (layered, middle, Place::Variable(variable.clone())),
            (flagged, high, Place::Flag(name.to_owned())),
        ] {
            let loaded = source
                .load()
                .unwrap_or_else(|problems| panic!("{problems}"));
            assert_eq!(told(&loaded, setting), (vec![text], place), "{name}");
            let now = format!("{:?}{:?}", loaded.config, loaded.log);
            assert_ne!(now, before, "{name} changes nothing");
            before = now;
            for other in settings().filter(|other| other.name != name) {
                if !others.iter().any(|(name, _)| *name == other.variable()) {
                    let default = (other.default_texts(), Place::Default);
                    assert_eq!(told(&loaded, other), default, "{name} sets {}", other.name);
                }
            }
        }
    }
}

/// Scenario: lists of several elements in every layer, and an empty one.
/// Guarantees: a list takes the place of the one below; commas divide it but in the file.
#[test]
fn lists_take_the_place_of_lists() {
    let setting = find("allowed-hosts").unwrap();
    let file = File::new(
        "lists",
        "allowed-hosts = [\"a\", \"b\"]\ngrpc-listen = []\n",
    );
    let hosts = |source: &Source| told(&source.load().unwrap(), setting).0;
    assert_eq!(hosts(&from_file(&file)), ["a", "b"]);
    let variables = variables(&[("OTLP_RELAY_ALLOWED_HOSTS", "c, d")]);
    let source = Source::new(variables).with_config(file.0.clone());
    assert_eq!(hosts(&source), ["c", "d"]);
    let flags = vec!["e".to_owned(), "f,g".to_owned()];
    assert_eq!(hosts(&source.with_flag(setting, flags)), ["e", "f", "g"]);
}

/// Scenario: the file named by the variable, by the flag, by both; a variable set to nothing;
/// RUST_LOG beside the relay's own filter, and one that can't be read.
/// Guarantees: the flag counts; nothing is nothing; RUST_LOG counts more than a file and less
/// than what is meant for the relay alone, and is left aside with a warning.
#[test]
fn variables_that_are_special() {
    let one = File::new("one", "max-views = 1\nlog-filter = \"error\"\n");
    let two = File::new("two", "max-views = 2\n");
    let of_one = |more: &[(&str, &str)]| {
        let named = [("OTLP_RELAY_CONFIG", one.0.to_str().unwrap())];
        Source::new(variables(&[&named[..], more].concat()))
    };
    let views = |source: &Source| source.load().unwrap().config.fanout.max_views;
    assert_eq!(views(&of_one(&[])), 1);
    assert_eq!(views(&of_one(&[("OTLP_RELAY_MAX_VIEWS", "")])), 1);
    assert_eq!(views(&of_one(&[]).with_config(two.0.clone())), 2);

    let filter = |source: &Source| source.load().unwrap().log.filter;
    assert_eq!(filter(&of_one(&[])), "error");
    let rust_log = ("RUST_LOG", "debug");
    assert_eq!(filter(&of_one(&[rust_log])), "debug");
    let own = ("OTLP_RELAY_LOG_FILTER", "trace");
    assert_eq!(filter(&of_one(&[rust_log, own])), "trace");
    let bad = of_one(&[("RUST_LOG", "a=b=c")]).load().unwrap();
    assert_eq!(bad.log.filter, "error");
    assert!(bad.warnings[0].contains("RUST_LOG"), "{:?}", bad.warnings);
}

/// Scenario: the paths of a file, relative and absolute, and of a variable.
/// Guarantees: those of the file are beside it.
#[test]
fn paths_are_relative_to_their_file() {
    let file = File::new(
        "paths",
        "ingest-token-file = \"a/b\"\nwatch-token-file = \"/c\"\n",
    );
    let config = from_file(&file).load().unwrap().config;
    let beside = file.0.parent().unwrap().join("a/b");
    assert_eq!(config.ingest_token_file, Some(beside));
    assert_eq!(config.watch_token_file, Some("/c".into()));
    let variables = variables(&[("OTLP_RELAY_WATCH_TOKEN_FILE", "a/b")]);
    let config = Source::new(variables).load().unwrap().config;
    assert_eq!(config.watch_token_file, Some("a/b".into()));
}

/// Scenario: the names of all settings.
/// Guarantees: no two are the same; none could be mistaken for a flag that is no setting, or its
/// variable for one that Kubernetes sets; what sounds like a secret is the path of a file;
/// the texts can be put together.
#[test]
fn names_are_sound() {
    let mut names = BTreeSet::from(["config", "help", "help-all", "version"]);
    for setting in settings() {
        let name = setting.name;
        assert!(names.insert(name), "{name}");
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(
            plain && !name.starts_with('-') && !name.ends_with('-'),
            "{name}"
        );
        let rest = &setting.variable()["OTLP_RELAY_".len()..];
        assert!(!environment::is_service_link(rest), "{name}");
        let sounds = ["token", "key", "secret", "password", "credential"];
        let secret = sounds.iter().any(|sound| name.contains(sound));
        assert!(
            !secret || matches!(setting.form().written, Written::Path),
            "{name}"
        );
        assert!(
            !setting.help.ends_with('.') && !setting.more.ends_with('.'),
            "{name}"
        );
    }
    assert!(groups().iter().all(|group| !group.settings.is_empty()));
}

/// Scenario: sizes and times, as people write them and as the relay does.
/// Guarantees: units of both families; what is written is read again; no unit, no value, but for
/// nothing at all.
#[test]
fn units_are_typed() {
    for (text, bytes) in [
        ("64MiB", 64 << 20),
        ("64 mib", 64 << 20),
        ("500KB", 500_000),
        ("1.5k", 1500),
        ("1000B", 1000),
    ] {
        assert_eq!(size(text), Ok(bytes), "{text}");
    }
    for bytes in [1, 1000, 1024, 1536, 3 << 30, 1 << 40, usize::MAX] {
        assert_eq!(size(&write_size(bytes as u64)), Ok(bytes));
    }
    assert_eq!((size_or_zero("0"), write_size(0).as_str()), (Ok(0), "0"));
    assert!(size("64").unwrap_err().contains("64MiB"));
    for bad in ["", "MiB", "-1MiB", "64Xi", "64 MiB now", "0", "0B"] {
        assert!(size(bad).is_err(), "{bad}");
    }
    for text in ["30s", "500ms", "1h30m", "1m 15s"] {
        let read = time(text).unwrap();
        assert_eq!(time(&write_time(read)), Ok(read), "{text}");
    }
    assert!(time("30").unwrap_err().contains("30s"));
    for bad in ["", "s", "-1s", "0s", "1 fortnight", "11years"] {
        assert!(time(bad).is_err(), "{bad}");
    }
}

/// Scenario: a name in the place of an address is read, and everything again; then when nobody can
/// say any more what it stands for.
/// Guarantees: it stays what it was; another name is looked up.
#[test]
fn names_are_looked_up_once() {
    let listen = find("listen").unwrap();
    let listening = |text: &str| Source::default().with_flag(listen, vec![text.to_owned()]);
    let source = listening("localhost:4444");
    let first = source.load().unwrap();
    let again = source.load_again(&first.names).unwrap();
    assert_eq!(told(&first, listen), told(&again, listen));

    // No name that ends so stands for anything (RFC 6761, section 6.4).
    let gone = listening("relay.invalid:4444");
    assert!(gone.load().is_err());
    let known = Names::of("listen", "relay.invalid:4444", "127.0.0.1:4444");
    for _ in 0..2 {
        let loaded = gone.load_again(&known).unwrap();
        assert_eq!(loaded.config.listen, ["127.0.0.1:4444".parse().unwrap()]);
        assert!(gone.load_again(&loaded.names).is_ok());
    }
    assert!(listening("other.invalid:4444").load_again(&known).is_err());
}
