//! The viewer: the files of [`::viewer`] over HTTP, and what it asks of the relay.

use std::sync::Arc;

use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    Encoding, EntityTag, Header, IfNoneMatch, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use viewer::Asset;

use super::{not_found, page};

/// What the page can't know of the relay that serves it.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// The ports of OTLP/gRPC.
    pub(crate) grpc_ports: Vec<u16>,
}

/// Registers `/`, its files below `/viewer/`, and `/viewer/about.json`.
pub(super) fn configure(cfg: &mut web::ServiceConfig, about: &About) {
    let about: Arc<str> = about.json().into();
    let about = move || {
        let about = about.to_string();
        async move { told(about) }
    };
    cfg.service(page("/", async |request: HttpRequest| {
        answer(&request, ::viewer::index())
    }))
    .service(page("/viewer/about.json", about))
    .service(page("/viewer/{path:.+}", file));
}

impl About {
    fn json(&self) -> String {
        let (version, ports) = (env!("CARGO_PKG_VERSION"), &self.grpc_ports);
        // Nothing in it has to be escaped.
        format!("{{\"version\":\"{version}\",\"grpcPorts\":{ports:?}}}\n")
    }
}

async fn file(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    match ::viewer::find(&path) {
        Some(asset) => answer(&request, asset),
        None => not_found(request).await,
    }
}

fn told(about: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(about)
}

/// The file, or 304 to a browser that has it (RFC 9110, section 13.1.2).
fn answer(request: &HttpRequest, asset: &'static Asset) -> HttpResponse {
    // Weak: the same for both encodings.
    let tag = EntityTag::new_weak(asset.tag.clone());
    if knows(request, &tag) {
        return protected(HttpResponse::NotModified(), &tag).finish();
    }
    let mut response = protected(HttpResponse::Ok(), &tag);
    response.insert_header((CONTENT_TYPE, asset.content_type));
    match &asset.gzip {
        Some(gzip) if takes_gzip(request) => response
            .insert_header((CONTENT_ENCODING, "gzip"))
            .body(&gzip[..]),
        _ => response.body(asset.body),
    }
}

/// An answer with all that keeps the page to itself. It is asked for anew each time, and answered
/// 304 as long as it is the same: there are no versions in paths.
fn protected(mut response: HttpResponseBuilder, tag: &EntityTag) -> HttpResponseBuilder {
    const POLICIES: [(HeaderName, HeaderValue); 5] = [
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(::viewer::CONTENT_SECURITY_POLICY),
        ),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (VARY, HeaderValue::from_static("Accept-Encoding")),
    ];
    for policy in POLICIES {
        response.insert_header(policy);
    }
    response.insert_header((ETAG, tag.to_string()));
    response
}

fn knows(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let offered = [Encoding::gzip(), Encoding::identity()];
    AcceptEncoding::parse(request)
        .ok()
        .and_then(|accepted| accepted.negotiate(offered.iter()))
        .is_some_and(|chosen| chosen == Encoding::gzip())
}

#[cfg(test)]
mod tests {
    use actix_web::App;
    use actix_web::http::StatusCode;
    use actix_web::http::header::{ACCEPT_ENCODING, ContentEncoding, IF_NONE_MATCH};
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    use super::*;

    const ABOUT: About = About {
        grpc_ports: Vec::new(),
    };

    /// Scenario: the page as gzip and plain, then asked for again with its tag.
    /// Guarantees: the same bytes under one tag, 304 to who has it, and the policies on each.
    #[actix_web::test]
    async fn files_are_sent_once() {
        let app = init_service(App::new().configure(|cfg| configure(cfg, &ABOUT))).await;
        let get = || TestRequest::get().uri("/viewer/main.js");
        let plain = call_service(&app, get().to_request()).await;
        let tag = plain.headers().get(ETAG).unwrap().clone();
        assert!(!plain.headers().contains_key(CONTENT_ENCODING));
        let asset = ::viewer::find("main.js").unwrap();
        assert_eq!(read_body(plain).await, asset.body);

        let gzip = get().insert_header((ACCEPT_ENCODING, "br, gzip;q=0.8"));
        let gzip = call_service(&app, gzip.to_request()).await;
        let coding = gzip
            .headers()
            .get(CONTENT_ENCODING)
            .unwrap()
            .to_str()
            .unwrap();
        assert_eq!(coding, ContentEncoding::Gzip.as_str());
        assert_eq!(gzip.headers().get(ETAG), Some(&tag));
        assert_eq!(read_body(gzip).await, asset.gzip.as_deref().unwrap());

        for known in [
            tag.to_str().unwrap(),
            "*",
            &format!("\"x\", {}", tag.to_str().unwrap()),
        ] {
            let again = get().insert_header((IF_NONE_MATCH, known)).to_request();
            let again = call_service(&app, again).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert!(again.headers().contains_key(CONTENT_SECURITY_POLICY));
            assert!(read_body(again).await.is_empty());
        }
        let other = get().insert_header((IF_NONE_MATCH, "\"x\"")).to_request();
        assert_eq!(call_service(&app, other).await.status(), StatusCode::OK);
    }

    /// Scenario: paths that leave the folder, and what is not there.
    /// Guarantees: 404.
    #[actix_web::test]
    async fn nothing_else_is_served() {
        let app = init_service(App::new().configure(|cfg| configure(cfg, &ABOUT))).await;
        for path in [
            "/viewer/",
            "/viewer/../Cargo.toml",
            "/viewer/%2e%2e/src/lib.rs",
            "/viewer/x",
        ] {
            let request = TestRequest::get().uri(path).to_request();
            let status = call_service(&app, request).await.status();
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
    }

    /// Scenario: what the page asks of the relay.
    /// Guarantees: JSON that it can read.
    #[test]
    fn about_is_json() {
        let about = About {
            grpc_ports: vec![4317, 14317],
        };
        let about: serde_json::Value = serde_json::from_str(&about.json()).unwrap();
        assert_eq!(about["grpcPorts"], serde_json::json!([4317, 14317]));
        assert_eq!(about["version"], env!("CARGO_PKG_VERSION"));
    }
}
