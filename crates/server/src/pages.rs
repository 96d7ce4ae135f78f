//! The viewer, whether the relay is well, and what it answers to everything else.

mod viewer;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, ContentType, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, guard, web};
use ingest::{Code, IngestError, status};

use crate::shutdown::Draining;

pub(crate) use self::viewer::About;

/// Registers the pages, and answers for what nobody else serves.
pub(crate) fn configure(cfg: &mut web::ServiceConfig, about: &About, draining: Draining) {
    viewer::configure(cfg, about);
    cfg.service(page("/healthz", || async { plain(StatusCode::OK, "ok\n") }))
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
    use actix_web::App;
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service};

    use super::{About, configure};
    use crate::shutdown::Draining;

    /// Scenario: a probe comes before the shutdown has begun, and one after.
    /// Guarantees: the second learns that there is nothing to be sent here any more.
    #[actix_web::test]
    async fn readiness_ends_with_the_shutdown() {
        let draining = Draining::new();
        let about = About {
            grpc_ports: Vec::new(),
        };
        let pages = App::new().configure(|cfg| configure(cfg, &about, draining.clone()));
        let pages = init_service(pages).await;
        let ready = || TestRequest::get().uri("/readyz").to_request();
        assert_eq!(call_service(&pages, ready()).await.status(), StatusCode::OK);
        draining.set();
        let status = call_service(&pages, ready()).await.status();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
}
