//! What is printed of the model: files, the schema, the reference.

use std::path::Path;

use super::*;
use crate::settings::draft::Draft;
use crate::settings::{defaults, reference, schema, show};

/// A configuration as it is told of.
fn told_all(loaded: &Loaded) -> Vec<Vec<String>> {
    loaded
        .values
        .iter()
        .map(|value| value.texts.clone())
        .collect()
}

/// Scenario: the file of defaults as it is printed, and with every setting uncommented.
/// Guarantees: both are the defaults, and nothing of it is left to be filled in but what has none.
#[test]
fn the_file_of_defaults_sets_the_defaults() {
    let printed = defaults();
    let default = Source::default().load().unwrap();
    let file = File::new("defaults", &printed);
    assert_eq!(
        told_all(&from_file(&file).load().unwrap()),
        told_all(&default)
    );
    let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
    let lines = printed.lines().filter(is_setting).map(|line| &line[1..]);
    let (unset, set): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.ends_with('='));
    assert_eq!(unset.len() + set.len(), settings().count());
    assert_eq!(
        unset.len(),
        settings()
            .filter(|setting| setting.default_value().is_none())
            .count()
    );
    let file = File::new("uncommented", &set.join("\n"));
    let loaded = from_file(&file).load().unwrap();
    assert_eq!(told_all(&loaded), told_all(&default));
    assert_eq!(
        format!("{:?}", loaded.config),
        format!("{:?}", default.config)
    );
    assert!(
        printed.lines().all(|line| line.chars().count() <= 100),
        "{printed}"
    );
}

/// Scenario: a configuration of three layers is shown.
/// Guarantees: each value stands with its place; what is shown, as a file, sets the same.
#[test]
fn what_is_shown_can_be_read() {
    let file = File::new("shown", "max-views = 5\nbase-path = \"/a\\u0062\"\n");
    let variables = variables(&[("OTLP_RELAY_ALLOWED_ORIGINS", "*,https://a.example")]);
    let source = Source::new(variables)
        .with_config(file.0.clone())
        .with_flag(find("max-lag").unwrap(), vec!["1024KiB".to_owned()]);
    let loaded = source.load().unwrap();
    let shown = show(&loaded);
    let line = |name: &str| {
        let line = shown
            .lines()
            .find(|line| line.trim_start_matches("# ").starts_with(name));
        line.unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        line("max-views"),
        format!("max-views = 5 # {}:1", file.0.display())
    );
    assert_eq!(
        line("base-path"),
        format!("base-path = \"/ab\" # {}:2", file.0.display())
    );
    assert_eq!(line("max-lag "), "max-lag = \"1MiB\" # --max-lag");
    assert_eq!(
        line("allowed-origins"),
        "allowed-origins = [\"*\", \"https://a.example\"] # OTLP_RELAY_ALLOWED_ORIGINS"
    );
    assert_eq!(line("max-body"), "max-body = \"64MiB\" # default");
    assert_eq!(line("tls-key"), "# tls-key = # default: none");
    assert_eq!(line("workers"), "# workers = # default: one for each core");
    let again = File::new("again", &shown);
    let again = from_file(&again).load().unwrap();
    assert_eq!(told_all(&again), told_all(&loaded));
}

/// Scenario: the committed reference and schema.
/// Guarantees: they are what the model gives; `cargo xtask config` renews them.
#[test]
fn committed_documents_are_fresh() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (name, text) in [
        ("configuration.md", reference()),
        ("otlp-relay.schema.json", schema()),
    ] {
        let committed = std::fs::read_to_string(docs.join(name)).unwrap_or_default();
        assert!(
            committed == text,
            "run `cargo xtask config`: {name} is not up to date"
        );
    }
}

/// Scenario: the schema beside the parsers: examples, defaults, sizes and times good and bad.
/// Guarantees: it lets through what they read, and of sizes and times nothing else.
#[test]
fn the_schema_agrees_with_the_parsers() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(
        schema["properties"].as_object().unwrap().len(),
        settings().count()
    );
    for setting in settings() {
        let property = &schema["properties"][setting.name];
        let one = if setting.form().many {
            &property["items"]
        } else {
            property
        };
        let mut texts = samples(setting.form());
        texts.push(setting.form().example.to_owned());
        texts.extend(setting.default_texts());
        for text in texts {
            let read = setting.set(&mut Draft::default(), std::slice::from_ref(&text));
            assert!(read.is_ok(), "{} {text}", setting.name);
            assert!(allows(one, &text), "{} {text} {one}", setting.name);
        }
    }
    let size_schema = &schema["properties"]["history-bytes"];
    for text in [
        "64", "64Xi", "MiB", "1KiBs", "", "0", "5B", "1.5 GB", "7Ki", "8E",
    ] {
        assert_eq!(
            allows(size_schema, text),
            size_or_zero(text).is_ok(),
            "{text}"
        );
    }
    for text in ["30", "s", "", "1s 2", "1h 30m", "5us", "2weeks"] {
        let allowed = allows(&schema["properties"]["body-timeout"], text);
        assert_eq!(allowed, time(text).is_ok(), "{text}");
    }
}

/// Whether a schema of one value lets a text through, as it would stand in a file.
fn allows(schema: &serde_json::Value, text: &str) -> bool {
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().any(|word| word == text);
    }
    match schema["type"].as_str().unwrap() {
        "boolean" => ["true", "false"].contains(&text),
        "integer" => {
            let number: u64 = text.parse().unwrap();
            let least = schema["minimum"].as_u64().unwrap();
            (least..=schema["maximum"].as_u64().unwrap_or(u64::MAX)).contains(&number)
        }
        _ => match schema["pattern"].as_str() {
            Some(pattern) => regex::Regex::new(pattern).unwrap().is_match(text),
            None => !text.is_empty(),
        },
    }
}

/// Scenario: tokens in the place of their files' names, in a file and in a variable, are shown; and
/// the path of a file that is not there.
/// Guarantees: nothing of the tokens stands there, but whose word they are; the path does.
#[test]
fn what_looks_like_a_secret_is_not_shown() {
    const TOKEN: &str = "mLr0tw0Nn5zGq1LX4ZSwyI7Vh3vn0eQ2m0q1oS8iW0c=";
    let lines = format!("ingest-token-file = \"{TOKEN}\"\ntls-client-ca = \"gone.pem\"\n");
    let file = File::new("secret", &lines);
    let variables = variables(&[
        ("OTLP_RELAY_WATCH_TOKEN_FILE", TOKEN),
        ("OTLP_RELAY_TLS_CERT", "/nonexistent/cert"),
        ("OTLP_RELAY_TLS_KEY", "/nonexistent/key"),
    ]);
    let source = Source::new(variables).with_config(file.0.clone());
    let shown = show(&source.load().unwrap());
    assert!(!shown.contains(&TOKEN[..20]), "{shown}");
    assert!(
        shown.contains("gone.pem") && shown.contains("/nonexistent/cert"),
        "{shown}"
    );
    for place in [
        &*format!("{}:1", file.0.display()),
        "OTLP_RELAY_WATCH_TOKEN_FILE",
    ] {
        let why = format!("{place}: no such file, and it looks like a secret");
        assert!(shown.contains(&why), "{shown}");
    }
}
