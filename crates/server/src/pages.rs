//! What the relay says about itself, and what it answers to everything else.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType, HOST, HeaderValue,
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

/// Whether WebSocket clients are served at this path.
pub(crate) fn is_watched(path: &str) -> bool {
    path == "/ws" || path.starts_with("/ws/")
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, http::header::HOST};

    use super::configure;
    use crate::shutdown::Draining;

    /// Scenario: a probe comes before the shutdown has begun, and one after.
    /// Guarantees: the second learns that there is nothing to be sent here any more.
    #[actix_web::test]
    async fn readiness_ends_with_the_shutdown() {
        let draining = Draining::new();
        let pages = App::new().configure(|cfg| configure(cfg, draining.clone()));
        let pages = init_service(pages).await;
        let ready = || TestRequest::get().uri("/readyz").to_request();
        assert_eq!(call_service(&pages, ready()).await.status(), StatusCode::OK);
        draining.set();
        let status = call_service(&pages, ready()).await.status();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }

    /// Scenario: the page, asked for under a name that holds markup.
    /// Guarantees: nothing of it gets into the page.
    #[actix_web::test]
    async fn the_page_repeats_only_hosts() {
        let pages = App::new().configure(|cfg| configure(cfg, Draining::new()));
        let pages = init_service(pages).await;
        for (host, shown) in [
            ("relay.lan:4444", true),
            ("[::1]:4444", true),
            ("<script>", false),
            ("[<b>]", false),
            ("a\"b", false),
        ] {
            let request = TestRequest::get().insert_header((HOST, host)).to_request();
            let page = actix_web::test::call_and_read_body(&pages, request).await;
            let page = String::from_utf8(page.to_vec()).unwrap();
            assert_eq!(page.contains(host), shown, "{host}");
            assert!(!page.contains(super::ADDRESS));
        }
    }
}
