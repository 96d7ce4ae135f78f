//! What the relay says about itself, and what it answers to everything else.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, HOST, HeaderValue, UPGRADE,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, guard, web};
use ingest::{Code, IngestError, status};

use crate::gate::Authority;
use crate::shutdown::Draining;

const INDEX: &str = include_str!("pages/index.html");
/// Stands in the page for the address that it was asked for under.
const ADDRESS: &str = "{{address}}";
/// Nothing but the page's own style, which is written into it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
                      base-uri 'none'; form-action 'none'";

/// Registers the pages, and answers for what nobody else serves.
pub(crate) fn configure(cfg: &mut web::ServiceConfig, draining: Draining) {
    cfg.service(page("/", index))
        .service(page("/healthz", || async { plain(StatusCode::OK, "ok\n") }))
        .service(page("/readyz", move || {
            let draining = draining.is_set();
            async move {
                if draining {
                    plain(StatusCode::SERVICE_UNAVAILABLE, "shutting down\n")
                } else {
                    plain(StatusCode::OK, "ready\n")
                }
            }
        }))
        .default_service(web::to(not_found));
}

/// A resource for GET and HEAD; other methods get 405 (RFC 9110, section 15.5.6).
fn page<F, Args>(path: &str, handler: F) -> actix_web::Resource
where
    F: actix_web::Handler<Args, Output = HttpResponse>,
    Args: actix_web::FromRequest + 'static,
{
    web::resource(path)
        .route(
            web::route()
                .guard(guard::Any(guard::Get()).or(guard::Head()))
                .to(handler),
        )
        .default_service(web::to(only_read))
}

async fn index(request: HttpRequest) -> HttpResponse {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    // The rule for Host has let it pass, so it parses; a name holds nothing that HTML minds.
    let address = host
        .filter(|host| Authority::parse(host).is_some())
        .unwrap_or("HOST:4444");
    HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(INDEX.replace(ADDRESS, address))
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header(ContentType::plaintext())
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(text)
}

async fn not_found(request: HttpRequest) -> HttpResponse {
    status::answer(request.headers(), &IngestError::NotFound)
}

async fn only_read(request: HttpRequest) -> HttpResponse {
    let text = "only GET and HEAD are served here";
    let mut response = status::answer_with(
        request.headers(),
        StatusCode::METHOD_NOT_ALLOWED,
        Code::Unimplemented,
        text,
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// Whether a request asks for a protocol that its path doesn't have. actix would treat what
/// follows such a head as a body without an end.
pub(crate) fn is_stray_upgrade(request: &actix_web::dev::ServiceRequest) -> bool {
    let upgrade = request.headers().get_all(UPGRADE).any(|value| {
        value
            .to_str()
            .is_ok_and(|value| value.to_ascii_lowercase().contains("websocket"))
    });
    upgrade && !is_watched(request.path())
}

/// Whether a path is served, or refused, here, where nobody reads a request's body.
pub(crate) fn serves(path: &str) -> bool {
    !path.starts_with("/v1/") && !is_watched(path)
}

/// Whether WebSocket clients are served at this path.
fn is_watched(path: &str) -> bool {
    path == "/ws" || path.starts_with("/ws/")
}
