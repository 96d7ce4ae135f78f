//! Which web pages may send: CORS on the receiver's paths (Fetch standard, "CORS protocol").
//!
//! Off unless origins are named. The settings are those of the Collector (`confighttp`, `cors`).
//! What differs from it is on the safe or the plain side: headers that are named come on top of
//! those that OTLP needs, `*` doesn't invite a browser's credentials, and a preflight that is
//! refused says why.
//!
//! This guards no data by itself: it tells browsers which pages may send what only a preflight
//! lets them send, and read the answer. A page that asks no preflight can't be kept from sending,
//! but only bodies without a type of OTLP, which the receiver refuses.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::dev::RequestHead;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, InvalidHeaderName, ORIGIN, VARY,
};
use actix_web::http::{Method, StatusCode};
use ingest::{Code, RequestId, X_REQUEST_ID, status};

use crate::counters::Counters;
use crate::counters::labels::Rule;
use crate::gate::{OriginPattern, shorten, text};
use crate::throttle::Throttle;

/// What a page of an allowed origin may always send: the Collector's defaults, and the header
/// without which nothing can be compressed.
const ALWAYS_ALLOWED: [&str; 4] = [
    "accept",
    "content-type",
    "content-encoding",
    "x-requested-with",
];

/// What a page may read of an answer besides its body: when to come again.
const EXPOSED: &str = "retry-after";

/// The rules that can be set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsConfig {
    /// Origins whose pages may send. Default: none, and no answer to a preflight.
    pub allowed_origins: Vec<OriginPattern>,
    /// Request headers that they may set besides those that OTLP needs. Default: none.
    pub allowed_headers: Vec<AllowedHeader>,
    /// How long a browser may remember the answer to a preflight, in whole seconds. Default:
    /// not said, which browsers take for 5 s.
    pub max_age: Option<Duration>,
}

/// A request header that a page may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedHeader {
    /// Every one.
    Any,
    /// The one of this name.
    Named(HeaderName),
}

impl fmt::Display for AllowedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Named(name) => f.write_str(name.as_str()),
        }
    }
}

impl FromStr for AllowedHeader {
    type Err = InvalidHeaderName;

    fn from_str(text: &str) -> Result<Self, InvalidHeaderName> {
        match text {
            "*" => Ok(Self::Any),
            name => name.parse().map(Self::Named),
        }
    }
}

/// The rules in force.
pub(crate) struct Cors {
    lists: RwLock<Lists>,
    counters: Arc<Counters>,
    warnings: Throttle,
}

/// The part of them that can change.
struct Lists {
    origins: Vec<OriginPattern>,
    /// The value of `Access-Control-Allow-Headers`; `None` for whatever is asked for.
    headers: Option<HeaderValue>,
    max_age: Option<u64>,
}

impl Lists {
    fn new(config: &CorsConfig) -> Self {
        Self {
            origins: config.allowed_origins.clone(),
            headers: header_list(&config.allowed_headers),
            max_age: config.max_age.map(|age| age.as_secs()),
        }
    }
}

/// What the rules say of a request.
pub(crate) enum Verdict {
    /// They have no say: they are off, or the path is not the receiver's.
    NoSay,
    /// No page sent it, or none that is allowed.
    NotAllowed,
    /// A page sent it that is allowed by its name, which is here.
    Allowed(HeaderValue),
    /// A page sent it, and all are allowed.
    AllAllowed,
}

impl Cors {
    /// The rules that `config` asks for.
    pub(crate) fn new(config: &CorsConfig, counters: Arc<Counters>) -> Self {
        Self {
            lists: RwLock::new(Lists::new(config)),
            counters,
            warnings: Throttle::default(),
        }
    }

    /// Goes by other rules from the next request on.
    pub(crate) fn change(&self, config: &CorsConfig) {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        *lists = Lists::new(config);
    }

    fn lists(&self) -> RwLockReadGuard<'_, Lists> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges the page that sent a request, if one did.
    pub(crate) fn judge(&self, head: &RequestHead) -> Verdict {
        let allowed = &self.lists().origins;
        if allowed.is_empty() || !is_receivers(head.uri.path()) {
            return Verdict::NoSay;
        }
        let mut origins = head.headers().get_all(ORIGIN);
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return Verdict::NotAllowed;
        };
        if allowed.iter().any(OriginPattern::is_any) {
            return Verdict::AllAllowed;
        }
        let matches = |pattern: &OriginPattern| pattern.matches(text(origin));
        match allowed.iter().any(matches) {
            true => Verdict::Allowed(origin.clone()),
            false => Verdict::NotAllowed,
        }
    }

    /// The answer to a preflight, whoever may send: a browser shows no token with it. `None` for
    /// every other request.
    pub(crate) fn preflight(&self, head: &RequestHead, verdict: &Verdict) -> Option<HttpResponse> {
        let headers = head.headers();
        let is_preflight = head.method == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        match verdict {
            _ if !is_preflight => None,
            Verdict::NoSay => None,
            Verdict::NotAllowed => Some(self.refuse(headers)),
            Verdict::Allowed(_) | Verdict::AllAllowed => Some(self.allow(headers)),
        }
    }

    /// Adds to an answer what lets the page read it. Every answer on the receiver's paths says
    /// that it depends on the origin, for caches.
    pub(crate) fn mark(verdict: Verdict, answer: &mut HeaderMap) {
        let origin = match verdict {
            Verdict::NoSay => return,
            Verdict::NotAllowed => None,
            Verdict::Allowed(origin) => {
                let yes = HeaderValue::from_static("true");
                answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
                Some(origin)
            }
            Verdict::AllAllowed => Some(HeaderValue::from_static("*")),
        };
        if let Some(origin) = origin {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let exposed = HeaderValue::from_static(EXPOSED);
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        answer.append(VARY, HeaderValue::from_static("origin"));
    }

    fn allow(&self, request: &HeaderMap) -> HttpResponse {
        let mut response = HttpResponse::NoContent();
        response.insert_header((ACCESS_CONTROL_ALLOW_METHODS, "POST"));
        let asked = || request.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let lists = self.lists();
        if let Some(headers) = lists.headers.clone().or_else(asked) {
            response.insert_header((ACCESS_CONTROL_ALLOW_HEADERS, headers));
        }
        if let Some(seconds) = lists.max_age {
            response.insert_header((ACCESS_CONTROL_MAX_AGE, seconds));
        }
        response.finish()
    }

    fn refuse(&self, request: &HeaderMap) -> HttpResponse {
        self.counters.rule_broken(Rule::Origin);
        let id = RequestId::next();
        if let Some(more) = self.warnings.pass() {
            tracing::warn!(
                request = %id,
                origin = %shorten(request.get(ORIGIN).map_or("", text)),
                not_said_before = more,
                "a page of another origin may not send; --cors-allowed-origins adds origins"
            );
        }
        let text = "pages of this Origin may not send; --cors-allowed-origins adds origins";
        let (status, code) = (StatusCode::FORBIDDEN, Code::PermissionDenied);
        let mut response = status::answer_with(request, status, code, text);
        let name = HeaderName::from_static(X_REQUEST_ID);
        response.headers_mut().insert(name, id.header());
        response
    }
}

/// Whether a path is one of the receiver's, served or not.
fn is_receivers(path: &str) -> bool {
    path.starts_with("/v1/") || path.starts_with("/v1development/")
}

/// What is always allowed, and `more`; `None` if that is everything.
fn header_list(more: &[AllowedHeader]) -> Option<HeaderValue> {
    let mut names: Vec<&str> = ALWAYS_ALLOWED.to_vec();
    for header in more {
        match header {
            AllowedHeader::Any => return None,
            AllowedHeader::Named(name) => names.push(name.as_str()),
        }
    }
    let list = HeaderValue::from_str(&names.join(", "));
    // Names of headers are always a value; if not, nothing is allowed besides.
    Some(list.unwrap_or(HeaderValue::from_name(CONTENT_TYPE)))
}

#[cfg(test)]
mod tests;
