//! The names, the page that lists them, and who else uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use prometheus::proto::MetricType;

use super::*;

/// Everything that a relay could tell.
fn everything() -> Vec<MetricFamily> {
    let nothing = || Use::new(0, 0);
    let state = State {
        hub: Snapshot::default(),
        fanout: FanoutConfig::default(),
        requests: nothing(),
        request_bytes: nothing(),
        decoders: nothing(),
        decoder_waits: 0,
        connections: Listener::ALL.map(|_| nothing()),
        certificate_expires: Some(0),
        log_lines_lost: 0,
        ready: true,
        process: Some(Process {
            descriptors: Some((0, 0)),
            ..Process::default()
        }),
    };
    families(&Counters::default(), &state)
}

fn kind(family: &MetricFamily) -> &'static str {
    match family.get_field_type() {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::HISTOGRAM => "histogram",
        other => panic!("{other:?}"),
    }
}

/// Lines of the text, without comments: what a server of Prometheus holds as series.
fn series(families: &[MetricFamily]) -> usize {
    let text = TextEncoder::new().encode_to_string(families).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).count()
}

/// Scenario: everything that a relay could tell.
/// Guarantees: names and units are as Prometheus wants them (Prometheus, "Metric and label
/// naming"); each name stands there once.
#[test]
fn names_follow_the_conventions() {
    let families = everything();
    let names: BTreeSet<_> = families.iter().map(|family| family.name()).collect();
    assert_eq!(names.len(), families.len());
    for family in &families {
        let (name, kind) = (family.name(), kind(family));
        assert!(!family.help().is_empty(), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
        assert!(kind != "histogram" || name.ends_with("_seconds"), "{name}");
        assert!(!name.contains("milli") && !name.contains("_kib"), "{name}");
        for metric in family.get_metric() {
            let labels: Vec<_> = metric.get_label().iter().map(|one| one.name()).collect();
            let distinct: BTreeSet<_> = labels.iter().collect();
            assert_eq!(distinct.len(), labels.len(), "{name}");
        }
    }
}

/// Scenario: the page of the docs, and everything that a relay could tell.
/// Guarantees: the page lists exactly that, with all values of all labels. A page that is out of
/// date is written anew.
#[test]
fn the_page_lists_every_metric() {
    let families = everything();
    let mut table = String::from("| metric | type | labels | what it is |\n|---|---|---|---|\n");
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for family in &families {
        let mut names = Vec::new();
        for label in family.get_metric()[0].get_label() {
            names.push(format!("`{}`", label.name()));
        }
        for label in family.get_metric().iter().flat_map(|one| one.get_label()) {
            let name = format!("`{}` of `{}`", label.name(), family.name());
            values
                .entry(name)
                .or_default()
                .insert(label.value().to_owned());
        }
        let (name, kind, help) = (family.name(), kind(family), family.help());
        writeln!(
            table,
            "| `{name}` | {kind} | {} | {help} |",
            names.join(", ")
        )
        .unwrap();
    }
    values.retain(|name, _| !name.starts_with("`version`"));
    // Most labels have the same values wherever they are.
    let mut by_values: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (name, values) in values {
        let (label, of) = name.split_once(" of ").unwrap();
        let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
        let key = (label.to_owned(), values.join(", "));
        by_values.entry(key).or_default().push(of.to_owned());
    }
    table.push_str("\n| label | values | of |\n|---|---|---|\n");
    for ((label, values), of) in by_values {
        let of = match of.len() {
            0..4 => of.join(", "),
            many => format!("{many} metrics"),
        };
        writeln!(table, "| {label} | {values} | {of} |").unwrap();
    }
    let series = series(&families);
    writeln!(table, "\nThat makes {series} series, whatever clients do.").unwrap();
    replace("docs/metrics.md", &table);
}

/// Holds what stands between the marks of a file to `expected`.
fn replace(path: &str, expected: &str) {
    const BEGIN: &str = "<!-- begin of what the test writes -->\n";
    const END: &str = "<!-- end of what the test writes -->\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if written.trim() != expected.trim() {
        let anew = format!("{before}{BEGIN}\n{expected}\n{END}{after}");
        std::fs::write(&path, anew).unwrap();
        panic!("{} was out of date; it is written anew", path.display());
    }
}

/// Scenario: the labels that the dashboard and the alerts in `deploy/` choose by.
/// Guarantees: each of the values is one that there can be.
#[test]
fn dashboards_and_alerts_choose_by_values_that_exist() {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for family in everything() {
        for label in family.get_metric().iter().flat_map(|one| one.get_label()) {
            let values = known.entry(label.name().to_owned()).or_default();
            values.insert(label.value().to_owned());
        }
    }
    // There will be others.
    known.remove("version");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    for path in [
        "deploy/grafana/otlp-relay.json",
        "deploy/prometheus/alerts.yml",
        "deploy/prometheus/alerts.test.yml",
    ] {
        let text = std::fs::read_to_string(root.join(path)).unwrap();
        let text = text.replace('\\', "");
        let mut chosen = 0;
        for (label, values) in &known {
            for operator in ["=\"", "=~\"", "!=\"", "!~\""] {
                let marks = ['{', ','].map(|before| format!("{before}{label}{operator}"));
                let rests = marks
                    .iter()
                    .flat_map(|mark| text.split(mark.as_str()).skip(1));
                for rest in rests {
                    let (named, _) = rest.split_once('"').unwrap();
                    chosen += 1;
                    for value in named.split('|') {
                        assert!(values.contains(value), "{path}: {label} is never {value}");
                    }
                }
            }
        }
        assert!(chosen > 0, "{path}");
    }
}

/// Scenario: the dashboard and the alerts in `deploy/`, and the docs that name metrics.
/// Guarantees: every metric that they name is there.
#[test]
fn dashboards_and_alerts_name_metrics_that_exist() {
    let mut known = BTreeSet::new();
    for family in everything() {
        let name = family.name();
        known.insert(name.to_owned());
        if kind(&family) == "histogram" {
            known.extend(["bucket", "sum", "count"].map(|part| format!("{name}_{part}")));
        }
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    for path in [
        "deploy/grafana/otlp-relay.json",
        "deploy/prometheus/alerts.yml",
        "deploy/prometheus/alerts.test.yml",
        "docs/architecture.md",
        "docs/metrics.md",
    ] {
        let text = std::fs::read_to_string(root.join(path)).unwrap();
        let mut named = 0;
        for word in text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_') {
            let ours = word.starts_with("otlp_relay_") && word != "otlp_relay_";
            if ours || (word.starts_with("process_") && !path.starts_with("docs")) {
                assert!(known.contains(word), "{path} names {word}");
                named += 1;
            }
        }
        assert!(named > 5, "{path} names {named} metrics");
    }
}
