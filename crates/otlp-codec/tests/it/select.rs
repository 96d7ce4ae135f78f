//! Filters: what clauses mean, and the walk over the bytes against the obvious way over the tree.

mod twin;

use otlp_codec::select::{
    Filter, FilterError, MAX_CLAUSES, MAX_FLOATING, MAX_GLOB_BYTES, MAX_LENGTH, Selected, Subject,
};
use otlp_codec::typed::Request;
use otlp_codec::{Limits, Signal};

use crate::roundtrip::same;

/// A filter of clauses that are written as query parameters are.
fn filter(clauses: &[&str]) -> Filter {
    let mut filter = Filter::new();
    for clause in clauses {
        let (name, value) = clause.split_once('=').unwrap();
        filter.add_clause(name, value).unwrap();
    }
    filter
}

/// What is left of OTLP JSON, both ways; nothing if nothing is.
fn left(signal: Signal, text: &str, clauses: &[&str]) -> Option<serde_json::Value> {
    let limits = Limits::default();
    let selector = filter(clauses).compile();
    let mut request = Request::decode_json(signal, text.as_bytes(), &limits).unwrap();
    let wire = request.encode_protobuf();
    let mut out = Vec::new();
    let selected = selector.select(signal, &wire, &limits, &mut out).unwrap();
    let rest = match selected {
        Selected::Whole => wire,
        Selected::Part => out,
        Selected::Nothing => {
            assert!(out.is_empty());
            assert!(!request.select(&selector), "{clauses:?}");
            return None;
        }
    };
    assert!(request.select(&selector), "{clauses:?}");
    let rest = Request::decode_protobuf(signal, &rest, &limits).unwrap();
    assert!(same(&rest, &request), "{clauses:?}: {rest:?}");
    let mut text = Vec::new();
    rest.encode_json(&limits, &mut text).unwrap();
    Some(serde_json::from_slice(&text).unwrap())
}

const METRICS: &str = r#"{"resourceMetrics":[
    {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
     "scopeMetrics":[
        {"scope":{"name":"http"},"metrics":[
            {"name":"http.duration","unit":"s","gauge":{"dataPoints":[
                {"asInt":"1","attributes":[{"key":"code","value":{"intValue":"200"}}]},
                {"asInt":"2","attributes":[{"key":"code","value":{"intValue":"500"}}]}]}},
            {"name":"http.size","sum":{"isMonotonic":true,"dataPoints":[
                {"asInt":"3","attributes":[{"key":"code","value":{"stringValue":"200"}}]}]}}]},
        {"metrics":[{"name":"cpu","histogram":{"dataPoints":[{"count":"1"}]}},{"name":"bare"}]}]},
    {"scopeMetrics":[{"scope":{"name":"db"},"metrics":[{"name":"db.size"}]}]}]}"#;

/// The names of the metrics that are left, with how many points each has.
fn metrics_left(clauses: &[&str]) -> Vec<(String, usize)> {
    let Some(rest) = left(Signal::Metrics, METRICS, clauses) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for resource in rest["resourceMetrics"].as_array().unwrap() {
        for scope in resource["scopeMetrics"].as_array().unwrap() {
            for metric in scope["metrics"].as_array().unwrap() {
                let data = metric.as_object().unwrap().values();
                let points = data.filter_map(|data| data["dataPoints"].as_array());
                found.push((
                    metric["name"].as_str().unwrap().to_owned(),
                    points.map(Vec::len).sum(),
                ));
            }
        }
    }
    found
}

/// Scenario: metrics of two resources and three scopes, and one filter after another.
/// Guarantees: alternatives of one subject, all subjects together; points are taken out one by
/// one; what is left has its envelope, what is empty has none.
#[test]
fn metrics_are_kept_by_what_clauses_say() {
    for (clauses, expected) in [
        (
            ["metric=http.*"].as_slice(),
            &[("http.duration", 2), ("http.size", 1)][..],
        ),
        (
            &["metric=cpu", "metric=db.*"],
            &[("cpu", 1), ("db.size", 0)],
        ),
        (&["metric=*.size", "scope=db"], &[("db.size", 0)]),
        (&["scope="], &[("cpu", 1), ("bare", 0)]),
        (&["scope=*", "metric=b?re"], &[("bare", 0)]),
        (
            &["resource.service.name=sh*", "metric=*e"],
            &[("http.duration", 0), ("http.size", 1), ("bare", 0)][1..],
        ),
        (&["resource.service.name=other"], &[]),
        (&["resource.missing=*"], &[]),
        (
            &["attr.code=200"],
            &[("http.duration", 1), ("http.size", 1)],
        ),
        (&["attr.code=*"], &[("http.duration", 2), ("http.size", 1)]),
        (&["attr.code=5*", "metric=*"], &[("http.duration", 1)]),
        (
            &["attr.code=200", "attr.code=500", "metric=http.d*"],
            &[("http.duration", 2)],
        ),
        (&["attr.code=200", "attr.other=*"], &[]),
    ] {
        let expected: Vec<_> = expected
            .iter()
            .map(|(n, p)| ((*n).to_owned(), *p))
            .collect();
        assert_eq!(metrics_left(clauses), expected, "{clauses:?}");
    }
    let rest = left(Signal::Metrics, METRICS, &["attr.code=500"]).unwrap();
    let expected = serde_json::json!({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeMetrics": [{"scope": {"name": "http"}, "metrics": [{
            "name": "http.duration", "unit": "s", "gauge": {"dataPoints": [
                {"asInt": "2", "attributes": [{"key": "code", "value": {"intValue": "500"}}]},
            ]},
        }]}],
    }]});
    assert_eq!(rest, expected);
}

/// Scenario: spans and log records, and one filter after another; clauses of other signals.
/// Guarantees: names, attributes and severity decide; a clause about another signal says nothing.
#[test]
fn spans_and_records_are_kept_by_what_clauses_say() {
    let traces = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[
        {"name":"GET /","attributes":[{"key":"ok","value":{"boolValue":true}}]},
        {"name":"POST /","attributes":[{"key":"ms","value":{"doubleValue":1}},
                                       {"key":"list","value":{"arrayValue":{}}}]}]}]}]}"#;
    let spans = |clauses: &[&str]| {
        left(Signal::Traces, traces, clauses).map_or(0, |rest| {
            let spans = &rest["resourceSpans"][0]["scopeSpans"][0]["spans"];
            spans.as_array().unwrap().len()
        })
    };
    for (clauses, expected) in [
        (["span=GET*"].as_slice(), 1),
        (&["span=*"], 2),
        (&["span=get*"], 0),
        (&["attr.ok=true"], 1),
        (&["attr.ok=false"], 0),
        (&["attr.ms=1.0"], 1),
        (&["attr.ms=1"], 0),
        (&["attr.list=*"], 1),
        (&["attr.list=?*"], 0),
        (&["metric=no", "severity=9"], 2),
        (&["span=POST*", "attr.ok=*"], 0),
    ] {
        assert_eq!(spans(clauses), expected, "{clauses:?}");
    }
    let logs = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[
        {"severityNumber":9},{"severityNumber":17,"body":{"stringValue":"x"}},{}]}]}]}"#;
    let records = |clauses: &[&str]| {
        left(Signal::Logs, logs, clauses).map_or(0, |rest| {
            let records = &rest["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
            records.as_array().unwrap().len()
        })
    };
    for (clauses, expected) in [
        (["severity=1"].as_slice(), 2),
        (&["severity=10"], 1),
        (&["severity=17", "severity=9"], 2),
        (&["severity=ERROR"], 1),
        (&["severity=18"], 0),
        (&["span=no"], 3),
        (&["attr.a=*"], 0),
    ] {
        assert_eq!(records(clauses), expected, "{clauses:?}");
    }
}

/// Scenario: profiles, whose resources may refer to strings of the dictionary by index.
/// Guarantees: the strings count; a dictionary alone is nothing.
#[test]
fn profiles_refer_to_their_dictionary() {
    let profiles = r#"{"resourceProfiles":[
        {"resource":{"attributes":[{"keyStrindex":1,"value":{"stringValueStrindex":2}}]},
         "scopeProfiles":[{"profiles":[{}]}]},
        {"scopeProfiles":[{"scope":{"name":"s"},"profiles":[{}]}]}],
        "dictionary":{"stringTable":["","service.name","shop"]}}"#;
    let count = |clauses: &[&str]| {
        left(Signal::Profiles, profiles, clauses).map(|rest| {
            assert!(rest["dictionary"].is_object());
            rest["resourceProfiles"].as_array().unwrap().len()
        })
    };
    assert_eq!(count(&["resource.service.name=shop"]), Some(1));
    assert_eq!(count(&["resource.service.name=s"]), None);
    assert_eq!(count(&["scope=s"]), Some(1));
    assert_eq!(count(&["attr.x=y"]), Some(2));
}

/// Scenario: clauses in another order, twice, too many, too long.
/// Guarantees: filters that want the same are equal; limits are typed errors; the text of a
/// filter names its clauses in a fixed order.
#[test]
fn filters_are_values() {
    let one = filter(&["metric=a", "scope=s", "metric=b", "severity=9"]);
    let other = filter(&["severity=9", "metric=b", "metric=a", "metric=a", "scope=s"]);
    assert_eq!(one, other);
    assert_eq!(one.to_string(), "scope=s, metric=a, metric=b, severity=9");
    assert_ne!(one, filter(&["metric=a", "scope=s", "metric=b"]));
    assert!(Filter::new().is_empty());
    assert!(!filter(&["severity=1"]).is_empty());

    let mut full = Filter::new();
    for at in 0..MAX_CLAUSES {
        full.add(Subject::Metric, &at.to_string()).unwrap();
    }
    full.add(Subject::Metric, "0").unwrap();
    assert_eq!(
        full.add(Subject::Scope, "s"),
        Err(FilterError::TooManyClauses)
    );
    let long = "x".repeat(MAX_LENGTH + 1);
    let mut filter = Filter::new();
    assert_eq!(
        filter.add(Subject::Metric, &long),
        Err(FilterError::TooLong)
    );
    let key = Subject::Attribute(long);
    assert_eq!(filter.add(key, "x"), Err(FilterError::TooLong));
    assert!(filter.is_empty());
    let long = "x".repeat(MAX_LENGTH - 1);
    let fits = MAX_GLOB_BYTES / MAX_LENGTH;
    for at in 0..fits {
        filter
            .add(Subject::Metric, &format!("{at:x}{long}"))
            .unwrap();
    }
    let one_more = filter.add(Subject::Scope, "s");
    assert_eq!(one_more, Err(FilterError::TooLongTogether));
    let mut filter = Filter::new();
    let many = "?".repeat(MAX_FLOATING);
    for fits in [
        format!(r"{many}?x"),
        format!(r"*a{many}"),
        r"*\?".to_owned(),
    ] {
        filter.add(Subject::Metric, &fits).unwrap();
    }
    assert_eq!(filter.floating(), MAX_FLOATING);
    let one_more = filter.add(Subject::Scope, "*?");
    assert_eq!(one_more, Err(FilterError::TooManyFloating));

    let mut any = Filter::new();
    any.add(Subject::Metric, "a").unwrap();
    any.add(Subject::Metric, "**").unwrap();
    any.add(Subject::Metric, "b").unwrap();
    let mut star = Filter::new();
    star.add(Subject::Metric, "*").unwrap();
    assert_eq!(any, star);
    star.add(Subject::Attribute("k=v".to_owned()), "a, b")
        .unwrap();
    star.min_severity(-5);
    assert_eq!(star.to_string(), r#"metric=*, attr."k=v"="a, b""#);
}

/// Scenario: names and values that are no clauses; filters with and without clauses about other
/// signals.
/// Guarantees: typed errors, and the filter as it was; narrowed to the signals that are watched,
/// filters that leave the same are equal.
#[test]
fn clauses_are_read_and_narrowed() {
    let mut none = Filter::new();
    for name in ["", "Metric", "metric.a", "resource", "attr", "attribute.a"] {
        let refused = none.add_clause(name, "x");
        assert_eq!(refused, Err(FilterError::UnknownName), "{name}");
    }
    let refused = none.add_clause("severity", "loud");
    assert_eq!(refused, Err(FilterError::BadSeverity));
    assert!(none.is_empty());

    let all = filter(&[
        "metric=m",
        "span=s",
        "severity=WARN",
        "attr.a.b=x",
        "resource.r=y",
        "scope=z",
    ]);
    for (signals, left) in [
        (
            &Signal::ALL[..],
            r"resource.r=y, scope=z, metric=m, span=s, attr.a.b=x, severity=13",
        ),
        (
            &[Signal::Metrics],
            "resource.r=y, scope=z, metric=m, attr.a.b=x",
        ),
        (
            &[Signal::Traces],
            "resource.r=y, scope=z, span=s, attr.a.b=x",
        ),
        (
            &[Signal::Logs],
            "resource.r=y, scope=z, attr.a.b=x, severity=13",
        ),
        (&[Signal::Profiles], "resource.r=y, scope=z"),
    ] {
        let mut narrowed = all.clone();
        narrowed.narrow(signals);
        assert_eq!(narrowed.to_string(), left);
    }
}

/// Scenario: a field of the JSON that only the tree knows, and fields that nobody knows.
/// Guarantees: what is kept keeps its unknown fields.
#[test]
fn the_unknown_is_kept_with_what_it_belongs_to() {
    let selector = filter(&["span=a"]).compile();
    // Field 15 holds 7 in both spans, and in everything around them.
    let field =
        |number: u8, contents: &[u8]| [&[number << 3 | 2, contents.len() as u8], contents].concat();
    let unknown = [0x78, 7];
    let span = |name: &[u8]| field(2, &[&field(5, name)[..], &unknown].concat());
    let wire = |spans: &[Vec<u8>]| {
        let scope = field(2, &[&spans.concat()[..], &unknown].concat());
        let resource = field(1, &[&scope[..], &unknown].concat());
        [&unknown[..], &resource].concat()
    };
    let mut out = b"kept".to_vec();
    let all = wire(&[span(b"b"), span(b"a"), span(b"c")]);
    let selected = selector.select(Signal::Traces, &all, &Limits::default(), &mut out);
    assert_eq!(selected, Ok(Selected::Part));
    assert_eq!(out, [b"kept", &wire(&[span(b"a")])[..]].concat());
}
