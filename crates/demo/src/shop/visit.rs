//! One visit: a request to the shop, its spans in several services, and what they log.

use fastrand::Rng;
use otlp_codec::proto::common::v1::KeyValue;
use otlp_codec::proto::logs::v1::{LogRecord, SeverityNumber};
use otlp_codec::proto::trace::v1::span::{Event, SpanKind};
use otlp_codec::proto::trace::v1::status::StatusCode;
use otlp_codec::proto::trace::v1::{Span, Status};

use super::service::Service;
use crate::messages::{Moment, body, integer, text};

/// What visitors ask for: method, route, how often of a hundred, and about how long it takes, in
/// seconds.
const ROUTES: [(&str, &str, u8, f64); 4] = [
    ("GET", "/", 40, 0.018),
    ("GET", "/products/{id}", 30, 0.035),
    ("GET", "/cart", 15, 0.024),
    ("POST", "/checkout", 15, 0.120),
];
/// Of a hundred cards, how many the bank turns away, usually and in times of trouble.
const DECLINED: u8 = 4;
const DECLINED_IN_TROUBLE: u8 = 45;
/// A visit that takes longer, in seconds, is worth a warning.
const SLOW: f64 = 0.4;

/// A visit that is over.
pub(super) struct Visit {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) status: i64,
    /// In seconds.
    pub(super) duration: f64,
    /// What the payment took, in seconds, if there was one, and whether it succeeded.
    pub(super) payment: Option<(f64, bool)>,
    pub(super) spans: Vec<(Service, Span)>,
    pub(super) records: Vec<(Service, LogRecord)>,
    trace: Vec<u8>,
}

/// A piece of work in a service.
struct Work {
    service: Service,
    kind: SpanKind,
    name: &'static str,
    from: f64,
    lasts: f64,
    attributes: Vec<KeyValue>,
    error: Option<&'static str>,
}

impl Visit {
    pub(super) fn make(rng: &mut Rng, begin: Moment, trouble: bool) -> Self {
        let (method, route, usual) = choose(rng);
        let mut visit = Self {
            method,
            route,
            status: 200,
            duration: usual * spread(rng),
            payment: None,
            spans: Vec::new(),
            records: Vec::new(),
            trace: id(rng, 16),
        };
        let root = id(rng, 8);
        match route {
            "/" | "/products/{id}" => visit.browse(rng, begin, &root),
            "/cart" => visit.look_into_cart(rng, begin, &root),
            _ => visit.check_out(rng, begin, &root, trouble),
        }
        visit.finish(rng, begin, root);
        visit
    }

    fn browse(&mut self, rng: &mut Rng, begin: Moment, root: &[u8]) {
        let lasts = self.duration * 0.7;
        let list = self.work(
            rng,
            begin,
            root,
            Work {
                service: Service::Catalog,
                kind: SpanKind::Server,
                name: "list products",
                from: self.duration * 0.15,
                lasts,
                attributes: vec![text("rpc.method", "ListProducts")],
                error: None,
            },
        );
        let from = self.duration * 0.25;
        self.query(
            rng,
            begin,
            &list,
            Service::Catalog,
            "SELECT products",
            (from, lasts * 0.6),
        );
    }

    fn look_into_cart(&mut self, rng: &mut Rng, begin: Moment, root: &[u8]) {
        let lasts = self.duration * 0.6;
        let cart = self.work(
            rng,
            begin,
            root,
            Work {
                service: Service::Cart,
                kind: SpanKind::Server,
                name: "get cart",
                from: self.duration * 0.2,
                lasts,
                attributes: vec![text("rpc.method", "GetCart")],
                error: None,
            },
        );
        let from = self.duration * 0.3;
        self.query(
            rng,
            begin,
            &cart,
            Service::Cart,
            "HGETALL cart",
            (from, lasts * 0.4),
        );
    }

    fn check_out(&mut self, rng: &mut Rng, begin: Moment, root: &[u8], trouble: bool) {
        let bank = 0.08 * spread(rng) * if trouble { 5.0 } else { 1.0 };
        let declined = rng.u8(0..100)
            < if trouble {
                DECLINED_IN_TROUBLE
            } else {
                DECLINED
            };
        let before = self.duration * 0.35;
        self.duration += bank;
        self.payment = Some((bank, !declined));
        self.query(
            rng,
            begin,
            root,
            Service::Cart,
            "HGETALL cart",
            (before * 0.2, before * 0.5),
        );
        let error = declined.then_some("card declined by the bank");
        let charge = self.work(
            rng,
            begin,
            root,
            Work {
                service: Service::Payment,
                kind: SpanKind::Server,
                name: "charge card",
                from: before,
                lasts: bank * 1.1,
                attributes: vec![text("rpc.method", "ChargeCard")],
                error,
            },
        );
        self.work(
            rng,
            begin,
            &charge,
            Work {
                service: Service::Payment,
                kind: SpanKind::Client,
                name: "POST",
                from: before + bank * 0.05,
                lasts: bank,
                attributes: vec![
                    text("http.request.method", "POST"),
                    text("server.address", "bank.example"),
                    integer(
                        "http.response.status_code",
                        if declined { 402 } else { 200 },
                    ),
                ],
                error,
            },
        );
        if declined {
            self.status = 402;
            self.log(
                begin.after(before + bank),
                Service::Payment,
                &charge,
                SeverityNumber::Error,
                "payment failed: card declined by the bank",
                vec![
                    text("error.type", "CardDeclined"),
                    text("payment.provider", "bank.example"),
                ],
            );
        } else {
            let from = before + bank * 1.12;
            self.query(
                rng,
                begin,
                root,
                Service::Cart,
                "DEL cart",
                (from, self.duration * 0.04),
            );
        }
    }

    /// The span that holds all others, and the line that every request leaves in the log.
    fn finish(&mut self, rng: &mut Rng, begin: Moment, root: Vec<u8>) {
        // One in two hundred fails for no reason that anybody could tell.
        if self.status == 200 && rng.u8(0..200) == 0 {
            self.status = 500;
        }
        let failed = self.status >= 500 || self.payment.is_some_and(|(_, paid)| !paid);
        let name = format!("{} {}", self.method, self.route);
        let attributes = vec![
            text("http.request.method", self.method),
            text("http.route", self.route),
            integer("http.response.status_code", self.status),
        ];
        let span = Span {
            trace_id: self.trace.clone(),
            span_id: root.clone(),
            name: name.clone(),
            kind: SpanKind::Server as i32,
            start_time_unix_nano: begin.0,
            end_time_unix_nano: begin.after(self.duration).0,
            attributes: attributes.clone(),
            status: failed.then(|| status("the request failed")),
            ..Span::default()
        };
        self.spans.push((Service::Frontend, span));
        let milliseconds = self.duration * 1000.0;
        let line = format!("{name} {} in {milliseconds:.0} ms", self.status);
        let severity = match self.status {
            500.. => SeverityNumber::Error,
            _ if self.duration > SLOW => SeverityNumber::Warn,
            _ => SeverityNumber::Info,
        };
        let end = begin.after(self.duration);
        self.log(end, Service::Frontend, &root, severity, &line, attributes);
    }

    fn query(
        &mut self,
        rng: &mut Rng,
        begin: Moment,
        parent: &[u8],
        service: Service,
        name: &'static str,
        (from, lasts): (f64, f64),
    ) {
        let system = match service {
            Service::Cart => "redis",
            _ => "postgresql",
        };
        self.work(
            rng,
            begin,
            parent,
            Work {
                service,
                kind: SpanKind::Client,
                name,
                from,
                lasts,
                attributes: vec![text("db.system.name", system)],
                error: None,
            },
        );
    }

    /// Adds a span; its id is for its children.
    fn work(&mut self, rng: &mut Rng, begin: Moment, parent: &[u8], work: Work) -> Vec<u8> {
        let span_id = id(rng, 8);
        let end = begin.after(work.from + work.lasts);
        let event = work.error.map(|message| Event {
            time_unix_nano: end.0,
            name: "exception".to_owned(),
            attributes: vec![
                text("exception.type", "CardDeclined"),
                text("exception.message", message),
            ],
            ..Event::default()
        });
        let span = Span {
            trace_id: self.trace.clone(),
            span_id: span_id.clone(),
            parent_span_id: parent.to_vec(),
            name: work.name.to_owned(),
            kind: work.kind as i32,
            start_time_unix_nano: begin.after(work.from).0,
            end_time_unix_nano: end.0,
            attributes: work.attributes,
            events: event.into_iter().collect(),
            status: work.error.map(status),
            ..Span::default()
        };
        self.spans.push((work.service, span));
        span_id
    }

    fn log(
        &mut self,
        time: Moment,
        service: Service,
        span: &[u8],
        severity: SeverityNumber,
        line: &str,
        attributes: Vec<KeyValue>,
    ) {
        let name = severity
            .as_str_name()
            .trim_start_matches("SEVERITY_NUMBER_");
        let record = LogRecord {
            time_unix_nano: time.0,
            observed_time_unix_nano: time.0,
            severity_number: severity as i32,
            severity_text: name.to_owned(),
            body: body(line),
            attributes,
            trace_id: self.trace.clone(),
            span_id: span.to_vec(),
            ..LogRecord::default()
        };
        self.records.push((service, record));
    }
}

fn choose(rng: &mut Rng) -> (&'static str, &'static str, f64) {
    let mut left = rng.u8(0..100);
    for (method, route, often, usual) in ROUTES {
        if left < often {
            return (method, route, usual);
        }
        left -= often;
    }
    let (method, route, _, usual) = ROUTES[0];
    (method, route, usual)
}

/// A factor with a long tail, about 1 in the middle.
fn spread(rng: &mut Rng) -> f64 {
    // The sum of a few is nearly normal.
    let normal: f64 = (0..6).map(|_| rng.f64() - 0.5).sum();
    (normal * 0.7).exp()
}

fn status(message: &str) -> Status {
    Status {
        message: message.to_owned(),
        code: StatusCode::Error as i32,
    }
}

/// An id, which must not be all zeros (W3C Trace Context, section 3.2.2.3).
fn id(rng: &mut Rng, length: usize) -> Vec<u8> {
    (0..length).map(|_| rng.u8(1..)).collect()
}
