//! The viewer, whether the relay is well, and what it answers to everything else.

mod metrics;
mod viewer;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, ContentType, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, guard, web};
use ingest::{Code, status};

use crate::shutdown::Draining;

pub(crate) use self::metrics::MetricsPage;
pub(crate) use self::viewer::About;

/// Whether the relay is alive, and whether it may be sent anything.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Registers the viewer.
pub(crate) fn configure_viewer(cfg: &mut web::ServiceConfig, about: &About) {
    viewer::configure(cfg, about);
}

/// Registers what tells how the relay is, and answers for what nobody else serves.
pub(crate) fn configure(
    cfg: &mut web::ServiceConfig,
    metrics: Option<&MetricsPage>,
    draining: Draining,
) {
    if let Some(metrics) = metrics {
        metrics::configure(cfg, metrics);
    }
    let [health, readiness] = PROBES;
    cfg.service(page(health, || async { plain(StatusCode::OK, "ok\n") }))
        .service(page(readiness, move || {
            let ready = draining.is_ready();
            async move {
                match ready {
                    true => plain(StatusCode::OK, "ready\n"),
                    false => plain(StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
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
    let text = "there is nothing at this path";
    status::answer_with(
        request.headers(),
        StatusCode::NOT_FOUND,
        Code::NotFound,
        text,
    )
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

/// Whether the page at this path holds nothing but whether the relay is well.
pub(crate) fn is_probe(path: &str) -> bool {
    PROBES.contains(&path)
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

    use super::configure;
    use crate::shutdown::Draining;

    /// Scenario: a probe comes before the shutdown has begun, and one after.
    /// Guarantees: the second learns that there is nothing to be sent here any more.
    #[actix_web::test]
    async fn readiness_ends_with_the_shutdown() {
        let draining = Draining::new();
        let pages = App::new().configure(|cfg| configure(cfg, None, draining.clone()));
        let pages = init_service(pages).await;
        let ready = || TestRequest::get().uri("/readyz").to_request();
        assert_eq!(call_service(&pages, ready()).await.status(), StatusCode::OK);
        for stage in [Draining::leave, Draining::set] {
            stage(&draining);
            let status = call_service(&pages, ready()).await.status();
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        }
    }
}
