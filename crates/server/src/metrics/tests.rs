//! The names, the page that lists them, and who else uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use ingest::Reason;
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

/// A file of the workspace.
fn text_of(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// What each label of each metric can be, by the names that queries know it by.
fn known() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let mut known = BTreeMap::new();
    for family in everything() {
        let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for label in family.get_metric().iter().flat_map(|one| one.get_label()) {
            let values = labels.entry(label.name().to_owned()).or_default();
            values.insert(label.value().to_owned());
        }
        let name = family.name();
        if kind(&family) == "histogram" {
            let parts = ["bucket", "sum", "count"].map(|part| format!("{name}_{part}"));
            known.extend(parts.map(|part| (part, labels.clone())));
        }
        known.insert(name.to_owned(), labels);
    }
    known
}

/// What stands in braces behind metrics of the relay, as queries and series write it: the metric,
/// the label, how it is compared, and each value.
fn selected(text: &str) -> Vec<(String, String, String, Vec<String>)> {
    let selector = regex::Regex::new(r"(otlp_relay_\w+)\{([^}]*)\}").unwrap();
    let matcher = regex::Regex::new(r#"(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)""#).unwrap();
    let text = text.replace("\\\"", "\"");
    let mut selected = Vec::new();
    for found in selector.captures_iter(&text) {
        for one in matcher.captures_iter(&found[2]) {
            let values = match one[2].ends_with('~') {
                true => one[3].split('|').map(str::to_owned).collect(),
                false => vec![one[3].to_owned()],
            };
            let [metric, label, how] = [&found[1], &one[1], &one[2]].map(str::to_owned);
            selected.push((metric, label, how, values));
        }
    }
    selected
}

/// Scenario: the dashboard, the alerts and their tests.
/// Guarantees: every label that they ask for is one of its metric, and can have each of the
/// values; so no alert waits for what never comes.
#[test]
fn dashboards_and_alerts_name_labels_that_exist() {
    let known = known();
    for path in [
        "deploy/grafana/otlp-relay.json",
        "deploy/prometheus/alerts.yml",
        "deploy/prometheus/alerts.test.yml",
    ] {
        let mut seen = 0;
        for (metric, label, _, values) in selected(&text_of(path)) {
            // Prometheus adds these, and histograms have their buckets.
            if ["job", "instance", "version", "le"].contains(&label.as_str()) {
                continue;
            }
            let labels = &known[&metric];
            assert!(
                labels.contains_key(&label),
                "{path}: {metric} has no {label}"
            );
            for value in values {
                assert!(
                    labels[&label].contains(&value),
                    "{path}: {metric} {label}={value}"
                );
                seen += 1;
            }
        }
        // The dashboard asks for all of them.
        assert!(seen > 5 || path.ends_with(".json"), "{path}: {seen}");
    }
}

/// Scenario: the alerts of requests that are refused.
/// Guarantees: one counts what may succeed later, but for a relay that ends; the other all the
/// rest, but for clients that went away: as the table of errors has it.
#[test]
fn alerts_know_what_may_succeed_later() {
    let all = Reason::ALL.into_iter();
    let later: BTreeSet<_> = all.filter(|reason| reason.may_succeed_later()).collect();
    let names = |reasons: &BTreeSet<Reason>| -> BTreeSet<String> {
        reasons.iter().map(ToString::to_string).collect()
    };
    let mut left_out = later.clone();
    left_out.insert(Reason::IncompleteBody);
    let mut overloaded = later;
    overloaded.remove(&Reason::Draining);
    let mut seen = BTreeSet::new();
    for (metric, label, how, values) in selected(&text_of("deploy/prometheus/alerts.yml")) {
        if metric != "otlp_relay_refused_requests_total" || label != "reason" {
            continue;
        }
        let expected = match how.as_str() {
            "!~" => &left_out,
            _ => &overloaded,
        };
        assert_eq!(values.into_iter().collect::<BTreeSet<_>>(), names(expected));
        seen.insert(how);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["!~", "=~"]);
}

/// Scenario: the dashboard and the alerts in `deploy/`, and the docs that name metrics.
/// Guarantees: every metric that they name is there.
#[test]
fn dashboards_and_alerts_name_metrics_that_exist() {
    let known = known();
    for path in [
        "deploy/grafana/otlp-relay.json",
        "deploy/prometheus/alerts.yml",
        "deploy/prometheus/alerts.test.yml",
        "docs/architecture.md",
        "docs/metrics.md",
        "docs/operations.md",
        "docs/access.md",
    ] {
        let text = text_of(path);
        let mut named = 0;
        for word in text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_') {
            let ours = word.starts_with("otlp_relay_") && word != "otlp_relay_";
            if ours || (word.starts_with("process_") && !path.starts_with("docs")) {
                assert!(known.contains_key(word), "{path} names {word}");
                named += 1;
            }
        }
        let few = ["docs/operations.md", "docs/access.md"].contains(&path);
        let least = if few { 2 } else { 6 };
        assert!(named >= least, "{path} names {named} metrics");
    }
}
