//! The rules, request by request.

use actix_web::http::header::HOST;
use actix_web::test::TestRequest;

use super::*;

fn cors(origins: &[&str], headers: &[&str], max_age: Option<Duration>) -> Cors {
    let config = CorsConfig {
        allowed_origins: origins.iter().map(|text| text.parse().unwrap()).collect(),
        allowed_headers: headers.iter().map(|text| text.parse().unwrap()).collect(),
        max_age,
    };
    Cors::new(&config, Arc::new(Counters::default()))
}

/// A preflight from a page of these origins, and what the rules say and add to the answer.
fn preflight(cors: &Cors, path: &str, origins: &[&str]) -> (Option<u16>, HeaderMap) {
    let mut request = TestRequest::with_uri(path)
        .method(Method::OPTIONS)
        .insert_header((HOST, "localhost"))
        .insert_header((ACCESS_CONTROL_REQUEST_METHOD, "POST"))
        .insert_header((ACCESS_CONTROL_REQUEST_HEADERS, "content-type,x-one"));
    for origin in origins {
        request = request.append_header((ORIGIN, *origin));
    }
    let request = request.to_http_request();
    let verdict = cors.judge(request.head());
    let answer = cors.preflight(request.head(), &verdict);
    let status = answer.as_ref().map(|answer| answer.status().as_u16());
    let mut headers = answer.map_or(HeaderMap::new(), |answer| answer.headers().clone());
    Cors::mark(verdict, &mut headers);
    (status, headers)
}

/// Scenario: a page on the list, one below a host on it, and those that are like them; no Origin,
/// two, `null`.
/// Guarantees: 204 with the very origin for those on the list; 403 and nothing that lets it read
/// for the others; without an Origin it is no preflight.
#[test]
fn listed_origins() {
    let cors = cors(
        &["https://app.example", "https://*.pages.example"],
        &[],
        None,
    );
    for origin in ["https://app.example", "https://a.pages.example"] {
        let (status, headers) = preflight(&cors, "/v1/metrics", &[origin]);
        assert_eq!(status, Some(204), "{origin}");
        assert_eq!(headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(), origin);
        assert_eq!(headers.get(ACCESS_CONTROL_ALLOW_METHODS).unwrap(), "POST");
        let credentials = headers.get(ACCESS_CONTROL_ALLOW_CREDENTIALS).unwrap();
        assert_eq!(credentials, "true");
        assert_eq!(headers.get(VARY).unwrap(), "origin");
        assert!(!headers.contains_key(ACCESS_CONTROL_MAX_AGE));
    }
    for (origins, status) in [
        (&["http://app.example"][..], Some(403)),
        (&["https://app.example.evil.example"], Some(403)),
        (&["https://pages.example"], Some(403)),
        (&["null"], Some(403)),
        (&["https://app.example", "https://evil.example"], Some(403)),
        (&["https://app.example", "https://app.example"], Some(403)),
        (&[], None),
    ] {
        let (answered, headers) = preflight(&cors, "/v1/metrics", origins);
        assert_eq!(answered, status, "{origins:?}");
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        assert_eq!(headers.get(VARY).unwrap(), "origin", "{origins:?}");
    }
}

/// Scenario: every origin is allowed, and one of them comes.
/// Guarantees: a star, and no credentials.
#[test]
fn all_origins() {
    let cors = cors(&["*", "https://app.example"], &[], None);
    for origin in ["https://app.example", "null"] {
        let (status, headers) = preflight(&cors, "/v1/logs", &[origin]);
        assert_eq!(status, Some(204));
        assert_eq!(headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(), "*");
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
}

/// Scenario: no headers are named, two are, and all; a maximal age.
/// Guarantees: those that OTLP needs are always allowed; with `*`, those that are asked for.
#[test]
fn headers_and_age() {
    let always = "accept, content-type, content-encoding, x-requested-with";
    let age = Some(Duration::from_millis(7_200_900));
    for (named, allowed) in [
        (&[][..], always.to_owned()),
        (
            &["X-One", "authorization"],
            format!("{always}, x-one, authorization"),
        ),
        (&["X-Two", "*"], "content-type,x-one".to_owned()),
    ] {
        let cors = cors(&["https://app.example"], named, age);
        let (_, headers) = preflight(&cors, "/v1/traces", &["https://app.example"]);
        let got = headers.get(ACCESS_CONTROL_ALLOW_HEADERS).unwrap();
        assert_eq!(got.to_str().unwrap(), allowed);
        assert_eq!(headers.get(ACCESS_CONTROL_MAX_AGE).unwrap(), "7200");
    }
}

/// Scenario: no origins; other paths than the receiver's; another method, and OPTIONS that no
/// browser sent.
/// Guarantees: the rules have no say.
#[test]
fn off_by_default_and_elsewhere() {
    let origin = "https://app.example";
    let on = cors(&[origin], &[], None);
    for (cors, path) in [
        (&cors(&[], &[], None), "/v1/metrics"),
        (&on, "/ws/metrics"),
        (&on, "/"),
        (&on, "/v1"),
        (&on, "/v1metrics"),
    ] {
        let (status, headers) = preflight(cors, path, &[origin]);
        assert!(status.is_none() && headers.is_empty(), "{path}");
    }
    for (method, asks) in [(Method::POST, true), (Method::OPTIONS, false)] {
        let mut request = TestRequest::with_uri("/v1/metrics")
            .method(method)
            .insert_header((ORIGIN, origin));
        if asks {
            request = request.insert_header((ACCESS_CONTROL_REQUEST_METHOD, "POST"));
        }
        let request = request.to_http_request();
        let verdict = on.judge(request.head());
        assert!(on.preflight(request.head(), &verdict).is_none());
    }
}
