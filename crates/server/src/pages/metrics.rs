//! `/metrics`, for Prometheus.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use fanout::Gate;
use prometheus::TEXT_FORMAT;
use tracing::error;

use super::{page, plain};
use crate::gate::Rules;
use crate::metrics::Metrics;

/// Where the page is.
pub(crate) const PATH: &str = "/metrics";

/// The page and who may see it.
#[derive(Clone)]
pub(crate) struct MetricsPage {
    pub(crate) metrics: Metrics,
    /// Who may watch may see it; everybody, if there is nobody to ask.
    pub(crate) gate: Option<Arc<Rules>>,
}

/// Registers the page.
pub(super) fn configure(cfg: &mut web::ServiceConfig, shown: &MetricsPage) {
    let shown = shown.clone();
    cfg.service(page(PATH, move |request: HttpRequest| {
        let shown = shown.clone();
        async move { shown.answer(&request).await }
    }));
}

impl MetricsPage {
    async fn answer(self, request: &HttpRequest) -> HttpResponse {
        let peer = request.peer_addr().map(|peer| peer.ip());
        let admitted = match &self.gate {
            Some(gate) => gate.admit(request.head(), peer).map(drop),
            None => Ok(()),
        };
        if let Err(refusal) = admitted {
            return refusal.response();
        }
        // It asks the system for every open descriptor.
        match web::block(move || self.metrics.text()).await {
            Ok(Ok(text)) => HttpResponse::Ok()
                .content_type(TEXT_FORMAT)
                .insert_header((CACHE_CONTROL, "no-store"))
                .body(text),
            Ok(Err(fault)) => {
                error!("the metrics can't be written: {fault}");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n")
            }
            Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
        }
    }
}
