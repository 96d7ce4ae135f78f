//! Queries: which are equal, what they ask for, and what is refused.

use super::*;

fn parse(signals: impl Into<Signals>, query: &str) -> Result<Query, Refusal> {
    Query::parse(signals, query, &FanoutConfig::default())
}

/// The view of a query that is fine.
fn view(signals: impl Into<Signals>, query: &str) -> ViewKey {
    parse(signals, query).unwrap().view
}

/// Scenario: the same view written in several ways: order, duplicates, encoding, defaults,
/// clauses about other signals, a limit over the relay's own.
/// Guarantees: equal views are one key.
#[test]
fn equal_views_are_one_key() {
    for queries in [
        &[
            "",
            "format=otlp",
            "format=%6ftlp",
            "&format=otlp&",
            "format=otlp&format=otlp",
            "envelope=false",
            "span=a&severity=9",
            "access_token=a&access%5Ftoken=%zz&access_token",
        ][..],
        &[
            "metric=a&metric=b",
            "metric=b&metric=a&metric=a",
            "m%65tric=%61&metric=b",
        ],
        &["attr.k=a%20b", "attr.k=a+b", "attr%2Ek=a b"],
        &["attr.k%3Dv=x%26y", "attr.k%3dv=%78%26y&attr.k%3Dv=x%26y"],
        &["metric=*", "metric=**&metric=a"],
        &["max_frame=16777216", "max_frame=99999999999"],
        &["envelope=true&format=points", "format=points&envelope=true"],
    ] {
        for query in queries {
            let (first, other) = (queries[0], query);
            assert_eq!(
                view(Signal::Metrics, first),
                view(Signal::Metrics, other),
                "{query}"
            );
        }
    }
    assert_eq!(
        view(Signal::Logs, "severity=WARN&severity=error"),
        view(Signal::Logs, "severity=13")
    );
}

/// Scenario: queries that ask for something of their own each.
/// Guarantees: no two are one key.
#[test]
fn different_views_are_different_keys() {
    let queries = [
        "",
        "format=protojson",
        "format=points",
        "format=protobuf",
        "envelope=true",
        "max_frame=1024",
        "max_frame=1025",
        "metric=a",
        "metric=A",
        "metric=",
        "metric=a%00",
        "scope=a",
        "resource.k=a",
        "attr.k=a",
        "attr.K=a",
        "attr.k=a&metric=a",
    ];
    let mut views: Vec<_> = queries.map(|query| view(Signals::ALL, query)).into();
    views.push(view(Signal::Logs, ""));
    views.push(view(Signals::ALL, "severity=1"));
    views.push(view(Signals::ALL, "span=a"));
    for (at, one) in views.iter().enumerate() {
        assert!(views[..at].iter().all(|other| other != one), "{one:?}");
    }
}

/// Scenario: where to begin, in every way that there is.
/// Guarantees: as it was said; it is no part of the view.
#[test]
fn a_query_says_where_to_begin() {
    let since = Start::Since {
        epoch: "00ff".to_owned(),
        seq: u64::MAX,
    };
    for (query, start) in [
        ("envelope=true", Start::Live),
        ("envelope=true&replay=0", Start::Newest(0)),
        ("envelope=true&replay=7", Start::Newest(7)),
        ("envelope=true&replay=all", Start::Newest(usize::MAX)),
        (
            "envelope=true&since=00ff:18446744073709551615",
            since.clone(),
        ),
        ("envelope=true&since=00ff%3A18446744073709551615", since),
    ] {
        let asked = parse(Signal::Metrics, query).unwrap();
        assert_eq!(asked.start, start, "{query}");
        assert_eq!(asked.view, view(Signal::Metrics, "envelope=true"));
    }
    let plain = parse(Signal::Metrics, "replay=1").unwrap();
    assert_eq!((plain.start, plain.slow), (Start::Newest(1), None));
    for slow in Slow::ALL {
        let asked = parse(Signal::Metrics, &format!("slow={}", slow.as_str())).unwrap();
        assert_eq!(asked.slow, Some(slow));
        assert_eq!(asked.view, view(Signal::Metrics, ""));
    }
}

/// Scenario: keys with dots, values with what separates parameters, characters of several bytes.
/// Guarantees: they arrive as they were meant.
#[test]
fn names_and_values_are_decoded() {
    let asked = view(
        Signals::ALL,
        "resource.service.name=sh%C3%B6p&attr.http.route=%2F%3Fa%3Db%26c%2B%25&scope=a=b",
    );
    assert_eq!(
        asked.filter.to_string(),
        r#"resource.service.name="shöp", scope="a=b", attr.http.route="/?a=b&c+%""#
    );
    assert_eq!(view(Signals::ALL, "max_frame=5000").max_frame, Some(5000));
}

/// Scenario: unknown parameters, bad values, two values, contradictions, what cannot be decoded,
/// filters over their limits.
/// Guarantees: 400, and the text names the culprit and what is allowed; it doesn't repeat more
/// than a little.
#[test]
fn anything_else_is_refused_with_a_helpful_text() {
    let long = format!("metric={}", "x".repeat(300));
    let many = (0..65).map(|n| format!("metric={n}")).collect::<Vec<_>>();
    for (query, culprit) in [
        ("format=xml", "format does not take \"xml\""),
        ("format=", "\"\""),
        ("format", "\"\""),
        ("Format=otlp", "unknown query parameter \"Format\""),
        ("foo=3", "\"foo\""),
        ("metric.a=3", "\"metric.a\""),
        ("=3", "\"\""),
        ("format=otlp&format=points", "two values"),
        ("envelope=1", "envelope does not take \"1\""),
        ("envelope", "envelope"),
        ("severity=loud", "from 1 to 24"),
        ("max_frame=1023", "max_frame"),
        ("max_frame=-1", "max_frame"),
        ("max_frame=1e6", "max_frame"),
        ("format=protobuf&envelope=true", "no envelope"),
        ("slow=never", "slow does not take"),
        ("replay=", "replay does not take"),
        ("replay=some", "replay does not take"),
        ("replay=-1", "replay does not take"),
        ("since=e:1", "since needs envelope=true"),
        ("since=e&envelope=true", "since does not take"),
        ("since=e:&envelope=true", "since does not take"),
        ("since=e:-1&envelope=true", "since does not take"),
        ("since=e:1&envelope=true&replay=1", "one of both"),
        ("metric=100%", "%25"),
        ("metric=%zz", "%25"),
        ("metric=%2", "%25"),
        ("metric=%ff", "UTF-8"),
        ("%ff=a", "UTF-8"),
        (&long, "256 bytes"),
        (&many.join("&"), "64 values"),
    ] {
        let refusal = parse(Signal::Metrics, query).unwrap_err();
        assert_eq!(refusal.status().as_u16(), 400);
        assert_eq!(refusal.code(), 3);
        assert!(refusal.message().contains(culprit), "{refusal}");
        assert!(refusal.message().contains("format=otlp|"), "{refusal}");
        assert!(refusal.message().len() < 800, "{refusal}");
    }
    let refusal = parse(Signal::Profiles, "format=points").unwrap_err();
    assert!(refusal.message().contains("profiles"), "{refusal}");
    assert!(parse(Signals::ALL, "format=points").is_ok());
}
