//! What is said of configurations that can't be used.

use super::*;
use crate::settings::layer::nearest;

/// What is wrong with a source, one line each.
fn problems(source: &Source) -> Vec<String> {
    let problems = source.load().unwrap_err();
    problems.0.iter().map(ToString::to_string).collect()
}

/// Scenario: mistakes of every sort, in a file, in variables and in flags at once.
/// Guarantees: all are told, each with its place, in the order of the layers and of the lines.
#[test]
fn everything_is_told_at_once() {
    let file = File::new(
        "wrong",
        "max-boddy = \"1MiB\"\n\
         max-requests = \"12\"\n\
         ping-interval = 20\n\
         max-lag = 64\n\
         listen = \"127.0.0.1:1\"\n\
         allowed-hosts = [\"fine\", \"not fine\"]\n\
         slow = \"never\"\n\
         workers = 1.5\n\
         profiles = \"yes\"\n\
         color = \"red\"\n\
         [grpc]\n\
         listen = [\"127.0.0.1:2\"]\n\
         [cors]\n\
         allowed-origin = 1\n",
    );
    let variables = variables(&[
        ("OTLP_RELAY_MAX_LAG_TOTAL", "5"),
        ("OTLP_RELAY_WATCH_TOKENS", "not to be repeated"),
    ]);
    let source = Source::new(variables)
        .with_config(file.0.clone())
        .with_flag(find("tls-cert").unwrap(), vec!["cert.pem".to_owned()])
        .with_flag(find("max-views").unwrap(), vec!["none".to_owned()]);
    let path = file.0.display();
    assert_eq!(
        problems(&source),
        [
            format!("{path}:1: max-boddy is no setting; did you mean max-body?"),
            format!("{path}:2: max-requests should be a whole number, 1 or more: max-requests = 100"),
            format!("{path}:3: ping-interval can't be \"20\": a time needs a unit, like 20s, 20ms or 20m"),
            format!("{path}:4: max-lag can't be \"64\": a size needs a unit, like 64MiB, 64KB or 64B"),
            format!("{path}:5: listen should be an address and a port, like 127.0.0.1:4444, [::1]:4444 or 0.0.0.0:0: listen = [\"127.0.0.1:4317\"]"),
            format!("{path}:6: allowed-hosts can't be \"not fine\": expected the name or address of a host, like `relay.example.com`"),
            format!("{path}:7: slow can't be \"never\": expected drop-oldest or disconnect"),
            format!("{path}:8: workers should be a whole number from 1 to 512: workers = 4"),
            format!("{path}:9: profiles should be true or false: profiles = true"),
            format!("{path}:10: color is no setting"),
            format!("{path}:12: there are no tables: write grpc-listen = … above all of them"),
            format!("{path}:14: there are no tables: write cors-allowed-origins = … above all of them"),
            "OTLP_RELAY_MAX_LAG_TOTAL can't be \"5\": a size needs a unit, like 5MiB, 5KB or 5B".to_owned(),
            "OTLP_RELAY_WATCH_TOKENS is no variable of the relay; did you mean OTLP_RELAY_WATCH_TOKEN_FILE?".to_owned(),
            "--max-views can't be \"none\": expected a whole number".to_owned(),
            "--tls-cert needs tls-key beside it".to_owned(),
        ]
    );
    let told = source.load().unwrap_err().to_string();
    assert!(
        told.starts_with("the configuration can't be used, for 16 reasons:\n"),
        "{told}"
    );
    assert!(!told.contains("not to be repeated"), "{told}");
}

/// Scenario: a value that can't be read below one that can.
/// Guarantees: it is told all the same: a file doesn't get right by what stands above it.
#[test]
fn what_does_not_count_is_told_too() {
    let file = File::new("covered", "max-views = 0\n");
    let source = from_file(&file).with_flag(find("max-views").unwrap(), vec!["7".to_owned()]);
    assert_eq!(problems(&source).len(), 1);
}

/// Scenario: files that aren't there, are no text, are no TOML, say a thing twice.
/// Guarantees: each is told with its name, and its line where there is one; no line is quoted.
#[test]
fn files_that_are_none() {
    let gone = Source::default().with_config("/nonexistent/relay.toml".into());
    let told = problems(&gone).concat();
    assert!(
        told.contains("/nonexistent/relay.toml: can't be read"),
        "{told}"
    );
    assert!(told.contains("is the path right?"), "{told}");

    let binary = File::new("binary", "");
    std::fs::write(&binary.0, b"\xff\xfe").unwrap();
    assert!(problems(&from_file(&binary))[0].ends_with("is not UTF-8"));

    for (name, text, line) in [
        ("syntax", "max-views = 1\nbase-path = \"hidden\nx = 1\n", 2),
        ("twice", "max-views = 1\nmax-views = 2 # hidden\n", 2),
        ("value", "max-views =\n", 1),
    ] {
        let file = File::new(name, text);
        let told = problems(&from_file(&file));
        let place = format!("{}:{line}: ", file.0.display());
        assert!(told[0].starts_with(&place), "{told:?}");
        assert!(!told.concat().contains("hidden"), "{told:?}");
    }
    let long = File::new("long", &"#".repeat((256 << 10) + 1));
    assert!(problems(&from_file(&long))[0].contains("longer than"));
}

/// Scenario: variables that the relay doesn't know: slips of a finger, in the name of the file of
/// settings too, another case, dashes; those of Kubernetes for
/// services called `otlp-relay` and `otlp-relay-headless`, and those of others.
/// Guarantees: the first are refused with the name that was meant, the second are passed over,
/// the third are warned of; no value is repeated.
#[test]
fn unknown_variables() {
    for (name, meant) in [
        (
            "OTLP_RELAY_INGEST_TOKEN_FILES",
            "OTLP_RELAY_INGEST_TOKEN_FILE",
        ),
        ("OTLP_RELAY_MAXBODY", "OTLP_RELAY_MAX_BODY"),
        ("OTLP_RELAY_TLS_CERTIFICATE", "OTLP_RELAY_TLS_CERT"),
        ("OTLP_RELAY_LISTEN_", "OTLP_RELAY_LISTEN"),
        ("OTLP_RELAY_watch_token_file", "OTLP_RELAY_WATCH_TOKEN_FILE"),
        ("OTLP_RELAY_WATCH-TOKEN-FILE", "OTLP_RELAY_WATCH_TOKEN_FILE"),
        ("otlp_relay_watch_token_file", "OTLP_RELAY_WATCH_TOKEN_FILE"),
        ("OTLP-RELAY-TLS-CERT", "OTLP_RELAY_TLS_CERT"),
        ("OTLP_RELAY_CONFG", "OTLP_RELAY_CONFIG"),
        ("OTLP_RELAY_CONFIG_FILE", "OTLP_RELAY_CONFIG"),
        ("OTLP_RELAY_config", "OTLP_RELAY_CONFIG"),
    ] {
        let told = problems(&Source::new(variables(&[(name, "hidden")]))).concat();
        let expected = format!("{name} is no variable of the relay; did you mean {meant}?");
        assert_eq!(told, expected);
    }
    let linked = variables(&[
        ("OTLP_RELAY_SERVICE_HOST", "10.0.0.1"),
        ("OTLP_RELAY_SERVICE_PORT", "4444"),
        ("OTLP_RELAY_SERVICE_PORT_GRPC", "4317"),
        ("OTLP_RELAY_PORT", "tcp://10.0.0.1:4444"),
        ("OTLP_RELAY_PORT_4444_TCP_ADDR", "10.0.0.1"),
        ("OTLP_RELAY_HEADLESS_SERVICE_HOST", "None"),
        ("OTLP_RELAY_HEADLESS_PORT_4317_TCP", "tcp://10.0.0.1:4317"),
    ]);
    assert_eq!(
        Source::new(linked).load().unwrap().warnings,
        Vec::<String>::new()
    );
    for name in ["IMAGE", "VERSION", "TAG", "REPLICAS", "HOME", "IMPORT"] {
        let name = format!("OTLP_RELAY_{name}");
        let source = Source::new(variables(&[(&name, "hidden")]));
        let warnings = source.load().unwrap().warnings;
        assert_eq!(warnings, [format!("{name} is no variable of the relay")]);
    }
}

/// Scenario: names that are nearly settings, and some that aren't.
/// Guarantees: the nearest is found; what is like nothing has none.
#[test]
fn nearest_names() {
    for (name, near) in [
        ("max_body", Some("max-body")),
        ("Max-Body", Some("max-body")),
        ("grpc-lisen", Some("grpc-listen")),
        // A file can't name itself.
        ("config", None),
        ("log-level", None),
        ("zipkin", None),
        ("", None),
    ] {
        let found = nearest(name);
        match near {
            Some(near) => assert_eq!(found, Some(near), "{name}"),
            None => assert!(
                found.is_none_or(|found| found.starts_with("log")),
                "{name} {found:?}"
            ),
        }
    }
}

/// Scenario: an URL with a password in the place of an origin.
/// Guarantees: the message doesn't repeat it.
#[test]
fn passwords_are_not_repeated() {
    let origin = "https://someone:hidden@app.example.com".to_owned();
    let source = Source::default().with_flag(find("allowed-origins").unwrap(), vec![origin]);
    let told = problems(&source).concat();
    assert!(
        told.contains("https://…@app.example.com") && !told.contains("hidden"),
        "{told}"
    );
}
