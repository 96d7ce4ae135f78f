//! The services of the shop, and what each of them exports.

use otlp_codec::proto::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use otlp_codec::proto::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::visit::Visit;
use crate::messages::{resource, scope};

/// A service of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Frontend,
    Catalog,
    Cart,
    Payment,
}

impl Service {
    pub(super) const ALL: [Self; 4] = [Self::Frontend, Self::Catalog, Self::Cart, Self::Payment];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Frontend => "shop-frontend",
            Self::Catalog => "shop-catalog",
            Self::Cart => "shop-cart",
            Self::Payment => "shop-payment",
        }
    }

    /// Its spans of some visits.
    pub(super) fn spans(self, visits: &[Visit]) -> Option<ResourceSpans> {
        let spans = visits.iter().flat_map(|visit| &visit.spans);
        let spans: Vec<Span> = spans
            .filter(|(service, _)| *service == self)
            .map(|(_, span)| span.clone())
            .collect();
        (!spans.is_empty()).then(|| ResourceSpans {
            resource: resource(self.name(), Vec::new()),
            scope_spans: vec![ScopeSpans {
                scope: scope("otlp-relay/demo/shop"),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        })
    }

    /// Its log records of some visits.
    pub(super) fn records(self, visits: &[Visit]) -> Option<ResourceLogs> {
        let records = visits.iter().flat_map(|visit| &visit.records);
        let mut log_records: Vec<LogRecord> = records
            .filter(|(service, _)| *service == self)
            .map(|(_, record)| record.clone())
            .collect();
        log_records.sort_by_key(|record| record.time_unix_nano);
        (!log_records.is_empty()).then(|| ResourceLogs {
            resource: resource(self.name(), Vec::new()),
            scope_logs: vec![ScopeLogs {
                scope: scope("otlp-relay/demo/shop"),
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        })
    }
}
