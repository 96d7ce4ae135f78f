//! The path prefix that a reverse proxy puts before all of the relay's paths.

use std::fmt;
use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::dev::{ServiceRequest, Url};
use actix_web::http::Uri;
use actix_web::http::header::LOCATION;
use actix_web::http::uri::PathAndQuery;
use thiserror::Error;

/// A prefix like `/otel`, of one or more segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasePath(String);

/// What is no prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a base path is like /otel or /tools/otel: segments of letters, digits and -._~, each behind \
     a slash"
)]
pub struct BasePathError;

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BasePath {
    type Err = BasePathError;

    /// A slash at the end is left out.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let segments = path.strip_prefix('/').ok_or(BasePathError)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let fine = segments
            .split('/')
            .all(|segment| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain));
        fine.then(|| Self(path.to_owned())).ok_or(BasePathError)
    }
}

impl BasePath {
    /// The target of a request without the prefix. `None` if it has none and goes on as it is:
    /// some proxies take it off themselves, and probes come past them.
    pub(crate) fn strip(&self, target: &Uri) -> Option<Uri> {
        let rest = target.path().strip_prefix(&self.0)?;
        if !rest.starts_with('/') {
            return None;
        }
        let mut parts = target.clone().into_parts();
        let path = with_query(rest, target.query());
        parts.path_and_query = Some(PathAndQuery::from_str(&path).ok()?);
        Uri::from_parts(parts).ok()
    }

    /// Takes the prefix off a request, before it is routed.
    ///
    /// Gives the answer to a request for the prefix alone: 308, with a slash behind it, for the
    /// page names its files by relative paths.
    pub(crate) fn route(&self, request: &mut ServiceRequest) -> Option<HttpResponse> {
        if let Some(uri) = self.strip(request.uri()) {
            *request.match_info_mut().get_mut() = Url::new(uri.clone());
            request.head_mut().uri = uri;
        }
        (request.path() == self.0).then(|| {
            // Relative to the path of the request, so it holds behind any proxy.
            let last = self.0.rsplit('/').next().unwrap_or_default();
            let target = with_query(&format!("{last}/"), request.uri().query());
            HttpResponse::PermanentRedirect()
                .insert_header((LOCATION, target))
                .finish()
        })
    }
}

fn with_query(path: &str, query: Option<&str>) -> String {
    match query {
        None => path.to_owned(),
        Some(query) => format!("{path}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// Scenario: prefixes in their forms, and what is none.
    /// Guarantees: a slash at the end makes no difference; nothing that has to be escaped, and no
    /// empty segment, gets in.
    #[test]
    fn prefixes_are_read() {
        for text in ["/otel", "/otel/", "/a/b-c_d.e~f", "/0"] {
            let path: BasePath = text.parse().unwrap();
            assert_eq!(path.0, text.trim_end_matches('/'), "{text}");
        }
        for text in [
            "", "/", "otel", "//", "/a//b", "/..", "/a/./b", "/a b", "/a?b", "/é", "/%61",
        ] {
            assert_eq!(text.parse::<BasePath>(), Err(BasePathError), "{text}");
        }
    }

    /// Scenario: requests with the prefix, without it, with one that only begins like it, and for
    /// the prefix itself.
    /// Guarantees: the routes see paths without it, with their query; the last is sent on.
    #[test]
    fn the_prefix_is_taken_off() {
        let base: BasePath = "/tools/otel".parse().unwrap();
        for (asked, seen) in [
            ("/tools/otel/", "/"),
            ("/tools/otel/ws?metric=a%2Fb", "/ws?metric=a%2Fb"),
            ("/tools/otel/tools/otel/x", "/tools/otel/x"),
            ("/ws/metrics", "/ws/metrics"),
            ("/tools/otelx", "/tools/otelx"),
        ] {
            let mut request = TestRequest::get().uri(asked).to_srv_request();
            assert!(base.route(&mut request).is_none(), "{asked}");
            assert_eq!(request.uri().to_string(), seen);
            assert_eq!(request.match_info().get_ref().path(), request.path());
        }
        let mut request = TestRequest::get().uri("/tools/otel?a=b").to_srv_request();
        let answer = base.route(&mut request).unwrap();
        assert_eq!(answer.status().as_u16(), 308);
        assert_eq!(answer.headers().get(LOCATION).unwrap(), "otel/?a=b");
    }
}
