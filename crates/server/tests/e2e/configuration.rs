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
        "--ingest-token-file: the file of tokens /nonexistent/senders can't be read",
        "--watch-token-file: the file of tokens /nonexistent/watchers can't be read",
        "--tls-cert: the file",
        "holds no certificate",
        "--tls-key: the file",
        "holds no private key",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}

/// Scenario: files and addresses that can't be used, named by a file, by a variable and by flags.
/// Guarantees: the relay doesn't start, and says all of it at once, each with where it was named.
#[test]
fn everything_that_keeps_it_from_starting_is_told() {
    let folder = Folder::new("places");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let senders = folder.write("senders", "no token");
    let text =
        format!("listen = [\"127.0.0.1:0\", \"{address}\"]\ningest-token-file = \"senders\"\n");
    let file = folder.write("relay.toml", &text);
    let cert = folder.write("cert", "nothing");
    let variables = [("OTLP_RELAY_WATCH_TOKEN_FILE", "/nonexistent/watchers")];
    let grpc = address.to_string();
    let args = [
        "--config",
        &file,
        "--grpc-listen",
        &grpc,
        "--tls-cert",
        &cert,
        "--tls-key",
        "/nonexistent/key",
    ];
    let (status, log) = Relay::run(&args, &variables, 0).end();
    assert_eq!(status.code(), Some(1), "{log}");
    for part in [
        format!("{file}:1: can't listen on {address}"),
        format!("--grpc-listen: can't listen on {address}"),
        format!("{file}:2: line 1 of the file of tokens {senders} is no token"),
        "OTLP_RELAY_WATCH_TOKEN_FILE: the file of tokens /nonexistent/watchers".to_owned(),
        format!("--tls-cert: the file {cert} for TLS holds no certificate"),
        "--tls-key: the file /nonexistent/key for TLS can't be read".to_owned(),
    ] {
        assert!(log.contains(&part), "{part} is not in {log}");
    }
}

/// Scenario: tokens, and a key, in the place of the names of their files, by flag, by variable and
/// in a file: of a relay, of `config check`, and on SIGHUP.
/// Guarantees: what is told names the setting and its place, and holds nothing of them.
#[test]
fn a_token_in_the_place_of_its_file_is_not_repeated() {
    const TOKEN: &str = "mLr0tw0Nn5zGq1LX4ZSwyI7Vh3vn0eQ2m0q1oS8iW0c=";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIEhidden";
    let folder = Folder::new("secrets");
    let file = folder.write("relay.toml", &format!("ingest-token-file = \"{TOKEN}\"\n"));
    // It begins with a dash, and so belongs to its flag in this form alone.
    let key = format!("--tls-key={KEY}");
    let args = ["--config", &file, "--tls-cert", "/nonexistent/cert", &key];
    let variables = [("OTLP_RELAY_WATCH_TOKEN_FILE", TOKEN)];
    for command in [&["serve"][..], &["config", "check"]] {
        let args = [command, &args].concat();
        let (status, told) = Relay::run(&args, &variables, 0).end();
        assert_eq!(status.code(), Some(1), "{told}");
        assert!(
            !told.contains(&TOKEN[..20]) && !told.contains("hidden"),
            "{told}"
        );
        for place in [
            &*format!("{file}:1"),
            "OTLP_RELAY_WATCH_TOKEN_FILE",
            "--tls-key",
        ] {
            let part = format!("{place}: ");
            assert!(told.contains(&part), "{part} is not in {told}");
        }
    }

    folder.write("relay.toml", "");
    let relay = Relay::with(&["--config", &file]);
    folder.write("relay.toml", &format!("watch-token-file = \"{TOKEN}\"\n"));
    relay.signal("HUP");
    let line = relay.wait_for_log("SIGHUP: watch-token-file");
    assert!(
        !line.contains(&TOKEN[..20]) && line.contains("needs a restart"),
        "{line}"
    );
}
