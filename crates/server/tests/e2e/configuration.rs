//! Layers of settings, and `otlp-relay config`.

use crate::support::{Folder, Relay, TokenFile, run_to_end};

/// Scenario: a file that says where to listen, by flag and by variable; a variable above it.
/// Guarantees: the relay listens where it was told; the variable counts more.
#[test]
fn a_file_says_where_to_listen() {
    let folder = Folder::new("layers");
    let two = "listen = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n";
    let file = folder.write("relay.toml", two);
    let named = ("OTLP_RELAY_CONFIG", file.as_str());
    let one = ("OTLP_RELAY_LISTEN", "127.0.0.1:0");
    let relay = Relay::run(&["--config", &file], &[], 2);
    assert_ne!(relay.addresses[0], relay.addresses[1]);
    drop(relay);
    drop(Relay::run(&["serve"], &[named], 2));
    let mut relay = Relay::run(&[], &[named, one], 1);
    relay.signal("TERM");
    let (status, log) = relay.end();
    assert!(status.success(), "{log}");
    assert!(!log.contains("listening on"), "{log}");
}

/// Scenario: a file and flags with mistakes, for the relay and for `config check`, `config show`.
/// Guarantees: exit code 2, and every mistake with its place, without anything being bound.
#[test]
fn every_mistake_is_told_at_once() {
    let folder = Folder::new("mistakes");
    let file = folder.write("relay.toml", "max-boddy = \"1MiB\"\n\nping-interval = 20\n");
    for command in [
        &[][..],
        &["serve"],
        &["config", "check"],
        &["config", "show"],
    ] {
        let flags = [
            "--config",
            &file,
            "--max-body",
            "64",
            "--tls-key",
            "key.pem",
        ];
        let (status, told) = run_to_end(&[command, &flags].concat());
        assert_eq!(status.code(), Some(2), "{told}");
        for part in [
            format!("{file}:1: max-boddy is no setting; did you mean max-body?"),
            format!("{file}:3: ping-interval can't be \"20\": a time needs a unit"),
            "--max-body can't be \"64\": a size needs a unit".to_owned(),
            "--tls-key needs tls-cert beside it".to_owned(),
        ] {
            assert!(told.contains(&part), "{part} is not in {told}");
        }
    }
}

/// Scenario: `config check` of a good configuration, and of one whose files of tokens and of TLS
/// can't be used.
/// Guarantees: exit code 0, and 1 with all of them told.
#[test]
fn files_are_checked_too() {
    let tokens = TokenFile::new("checked", "a-token-that-is-long-enough\n");
    let check = |flags: &[&str]| run_to_end(&[&["config", "check"], flags].concat());
    let (status, told) = check(&["--ingest-token-file", tokens.path()]);
    assert!(status.success(), "{told}");
    let (status, told) = check(&[
        "--ingest-token-file",
        "/nonexistent/senders",
        "--watch-token-file",
        "/nonexistent/watchers",
        "--tls-cert",
        tokens.path(),
        "--tls-key",
        tokens.path(),
    ]);
    assert_eq!(status.code(), Some(1), "{told}");
    for part in [
        "/nonexistent/senders",
        "/nonexistent/watchers",
        "holds no certificate",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}
