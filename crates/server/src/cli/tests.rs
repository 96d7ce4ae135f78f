//! The command line as clap sees it: what it takes, what it shows.

use super::{Question, Task, command, parse};
use crate::ServerConfig;
use crate::settings::{Loaded, Problems, Source, Variables, settings};

fn source(args: &[&str]) -> Source {
    let args = [&["otlp-relay"], args].concat();
    match parse(args, Variables::default()).unwrap() {
        Task::Serve(source) | Task::Config(_, source) => source,
        Task::Convert(job, _) => panic!("{job:?}"),
    }
}

fn load(args: &[&str]) -> Result<Loaded, Problems> {
    source(args).load()
}

fn config(args: &[&str]) -> ServerConfig {
    load(args).unwrap().config
}

/// Scenario: clap's own check of the declarations.
/// Guarantees: no two flags clash.
#[test]
fn declarations_are_sound() {
    command().debug_assert();
}

/// Scenario: `--help` on a terminal of 80 columns, of the relay, of `serve` and of `config show`.
/// Guarantees: it fits a screen of 40 lines, and groups flags; `--help-all` shows every setting.
#[test]
fn help_fits_a_screen() {
    for args in [
        &["--help"][..],
        &["-h"],
        &["serve", "-h"],
        &["config", "show", "--help"],
    ] {
        let help = help(args);
        let lines = help.lines().count();
        assert!(lines <= 40, "{lines} lines:\n{help}");
        assert!(
            help.lines().all(|line| line.chars().count() <= 80),
            "{help}"
        );
        assert!(help.contains("\nWho may talk to the relay:\n"), "{help}");
        assert!(!help.contains("--grpc-age-grace"), "{help}");
    }
    let all = help(&["--help-all"]);
    for setting in settings() {
        assert!(
            all.contains(&format!("--{}", setting.name)),
            "{}",
            setting.name
        );
    }
}

fn help(args: &[&str]) -> String {
    let command = command().term_width(80);
    let args = [&["otlp-relay"], args].concat();
    command.try_get_matches_from(args).unwrap_err().to_string()
}

/// Scenario: `--help` of every command.
/// Guarantees: each has it.
#[test]
fn every_command_explains_itself() {
    for args in [
        &["convert"][..],
        &["config"],
        &["config", "check"],
        &["config", "schema"],
    ] {
        let help = help(&[args, &["--help"]].concat());
        assert!(help.contains("Usage: otlp-relay"), "{help}");
    }
}

/// Scenario: no arguments, `serve`, flags with and without `serve`.
/// Guarantees: the subcommand may be left out; what is not said keeps its default.
#[test]
fn serve_is_the_default() {
    let default = format!("{:?}", ServerConfig::default());
    for args in [&[][..], &["serve"]] {
        assert_eq!(format!("{:?}", config(args)), default);
    }
    let flags = [
        &[
            "--listen",
            "127.0.0.1:0",
            "--listen",
            "[::1]:0",
            "--max-body",
            "1MiB",
        ][..],
        &[
            "serve",
            "--listen",
            "127.0.0.1:0,[::1]:0",
            "--max-body",
            "1024KiB",
        ],
    ];
    for args in flags {
        let config = config(args);
        assert_eq!(config.listen.len(), 2);
        assert_eq!(config.ingest.max_body_bytes, 1 << 20);
    }
}

/// Scenario: settings that others follow from.
/// Guarantees: they follow.
#[test]
fn consequences_are_drawn() {
    let fanout = config(&["--history-bytes", "0", "--slow", "disconnect"]).fanout;
    assert_eq!(
        (fanout.history_bytes, fanout.slow),
        (0, fanout::Slow::Disconnect)
    );
    let fanout = config(&["--max-lag-total", "1GiB", "--ping-interval=3s"]).fanout;
    assert_eq!(fanout.lag_total_bytes, 1 << 30);
    assert_eq!(fanout.frames_total_bytes, 2 << 30);
    assert_eq!(fanout.pong_timeout, fanout.ping_interval);
    let fanout = config(&["--max-lag-total", "16MiB"]).fanout;
    assert_eq!(fanout.lag_total_bytes, 16 << 20);
    // As far as one frame and the replayed ones leave room.
    assert_eq!(fanout.frames_total_bytes, (16 + 16 + 2 * 16) << 20);
    let config = config(&["--max-body", "1GiB", "--profiles"]);
    assert_eq!(config.ingest.max_requests_bytes, 2 << 30);
    assert_eq!(config.fanout.codec.input_bytes, 1 << 30);
    assert!(config.fanout.profiles && config.ingest.profiles);
}

/// Scenario: a name in the place of an address; the log's format everywhere; switches in their
/// forms.
/// Guarantees: a name is resolved; the format is said once for all commands; a switch that is off
/// needs no value to be on, and takes one.
#[test]
fn names_formats_and_switches() {
    let listen = config(&["--listen", "localhost:4444"]).listen;
    assert!(!listen.is_empty() && listen.iter().all(|address| address.ip().is_loopback()));
    for args in [
        &["--log-format", "json"][..],
        &["serve", "--log-format", "json"],
    ] {
        let log = source(args).log().unwrap();
        assert_eq!(log.format, crate::logging::LogFormat::Json);
        assert_eq!(load(args).unwrap().log, log);
    }
    assert!(config(&["--demo"]).demo && !config(&["--demo=false"]).demo);
    assert!(!config(&["--compression", "off"]).fanout.compression);
}

/// Scenario: values that can't be read, and flags that don't go together.
/// Guarantees: refused, and the message names the flag.
#[test]
fn bad_values_are_refused() {
    for args in [
        ["--listen", "localhost"],
        ["--listen", ":4444"],
        ["--listen", ""],
        ["--grpc-listen", "4317"],
        ["--grpc-max-streams", "0"],
        ["--grpc-max-headers", "5GiB"],
        ["--stall-timeout", "0s"],
        ["--head-timeout", "1000years"],
        ["--max-body", "lots"],
        ["--max-body", "0"],
        ["--max-body", "64"],
        ["--max-views", "0"],
        ["--history-bytes", "some"],
        ["--history-age", "0s"],
        ["--slow", "never"],
        ["--max-connections", "0"],
        ["--max-connections-per-address", "0"],
        ["--grpc-max-connections-per-address", "0"],
        ["--trusted-proxies", "10.0.0.0/33"],
        ["--trusted-proxies", "proxy.example"],
        ["--ping-interval", "0s"],
        ["--ping-interval", "20"],
        ["--workers", "0"],
        ["--workers", "513"],
        ["--allowed-origins", "example.com"],
        ["--allowed-hosts", "a/b"],
        ["--base-path", "otel"],
        ["--cors-allowed-origins", "example.com"],
        ["--cors-allowed-headers", "a b"],
        ["--compression", "maybe"],
        ["--log-format", "xml"],
        ["--log-filter", "info,=x"],
        ["--tls-cert", "cert.pem"],
        ["--tls-key", "key.pem"],
        ["--watch-token-file", ""],
    ] {
        let problems = load(&args).unwrap_err().to_string();
        assert!(problems.contains(args[0]), "{problems}");
    }
    let demo = ["--demo", "--tls-cert", "a", "--tls-key", "b"];
    assert!(load(&demo).unwrap_err().to_string().contains("--demo"));
}

/// Scenario: flags that there are not, and commands.
/// Guarantees: refused by clap, which repeats no value.
#[test]
fn unknown_flags_are_refused() {
    for args in [
        &["--watch-token=hidden-value"][..],
        &["serve", "--no-such-flag"],
        &["config", "tell"],
        &["config", "defaults", "--listen", "127.0.0.1:0"],
    ] {
        let args = [&["otlp-relay"], args].concat();
        let error = parse(args, Variables::default()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(!error.to_string().contains("hidden-value"), "{error}");
    }
}

/// Scenario: `config` with each of its commands, and flags of the relay.
/// Guarantees: those that ask of the configuration take them.
#[test]
fn questions_take_flags() {
    for (name, question) in [("check", Question::Check), ("show", Question::Show)] {
        let args = ["otlp-relay", "config", name, "--max-views", "7"];
        let Task::Config(asked, source) = parse(args, Variables::default()).unwrap() else {
            panic!("{name}");
        };
        assert_eq!(asked, question);
        assert_eq!(source.load().unwrap().config.fanout.max_views, 7);
    }
}
