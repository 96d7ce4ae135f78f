//! Points: one JSON object for each data point, span or log record, on a line of its own, as
//! `docs/points.md` has it.
//!
//! The request was checked before, parts that points leave out too. The fields of a message are
//! collected, then written in the order of the schema. What lines have in common (the resource,
//! the scope, what a metric says of all its points) is written out once; the next line copies it
//! from the one before.

mod data_point;
mod log;
mod members;
mod metric;
mod parts;
mod span;
mod value;

use std::ops::Range;

use super::out::{Cx, Out, copy, end, put};
use crate::Signal;
use crate::proto::fields::{
    collector_logs_v1_export_logs_service_request as logs_request,
    collector_metrics_v1_export_metrics_service_request as metrics_request,
    collector_trace_v1_export_trace_service_request as traces_request,
    common_v1_instrumentation_scope as scope_fields, logs_v1_resource_logs as resource_logs,
    logs_v1_scope_logs as scope_logs, metrics_v1_resource_metrics as resource_metrics,
    metrics_v1_scope_metrics as scope_metrics, resource_v1_resource as resource_fields,
    trace_v1_resource_spans as resource_spans, trace_v1_scope_spans as scope_spans,
};
use crate::walk::{In, Stop, bytes, deeper, next_tag, pass};
use members::{attributes, text};
use parts::{once, run, take};

/// Writes the items of a request.
pub(super) fn request<'o>(
    signal: Signal,
    wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<Out<'o>, Stop> {
    let envelopes = match signal {
        Signal::Metrics => &METRICS,
        Signal::Traces => &TRACES,
        Signal::Logs => &LOGS,
        // Refused before.
        Signal::Profiles => return Err(Stop),
    };
    let mut lines = Lines::new(out);
    envelopes.request(wire, &mut lines, cx, depth)?;
    let Lines { out, len, .. } = lines;
    Ok(&mut out[len..])
}

/// The tags in the envelopes of a signal, and what writes their contents.
struct Envelopes {
    /// In a request, those of a resource.
    resources: u32,
    /// In these, the resource and those of a scope.
    resource: u32,
    scopes: u32,
    /// In these, the scope and the items, or metrics.
    scope: u32,
    items: u32,
    item: Item,
}

/// Writes an item, or the points of a metric.
type Item = fn(In<'_>, &mut Lines<'_, '_>, &mut Cx<'_>, u32) -> Result<(), Stop>;

static METRICS: Envelopes = Envelopes {
    resources: metrics_request::RESOURCE_METRICS,
    resource: resource_metrics::RESOURCE,
    scopes: resource_metrics::SCOPE_METRICS,
    scope: scope_metrics::SCOPE,
    items: scope_metrics::METRICS,
    item: metric::metric,
};
static TRACES: Envelopes = Envelopes {
    resources: traces_request::RESOURCE_SPANS,
    resource: resource_spans::RESOURCE,
    scopes: resource_spans::SCOPE_SPANS,
    scope: scope_spans::SCOPE,
    items: scope_spans::SPANS,
    item: span::span,
};
static LOGS: Envelopes = Envelopes {
    resources: logs_request::RESOURCE_LOGS,
    resource: resource_logs::RESOURCE,
    scopes: resource_logs::SCOPE_LOGS,
    scope: scope_logs::SCOPE,
    items: scope_logs::LOG_RECORDS,
    item: log::log_record,
};

impl Envelopes {
    fn request<'w>(
        &self,
        wire: In<'w>,
        lines: &mut Lines<'_, 'w>,
        cx: &mut Cx<'_>,
        depth: u32,
    ) -> Result<(), Stop> {
        each(wire, self.resources, |envelope| {
            let depth = deeper(depth)?;
            lines.begin_resource(one(envelope, self.resource)?, depth);
            each(envelope, self.scopes, |envelope| {
                let depth = deeper(depth)?;
                lines.begin_scope(one(envelope, self.scope)?);
                each(envelope, self.items, |item| {
                    (self.item)(item, lines, cx, deeper(depth)?)
                })
            })
        })
    }
}

/// The lines that are being written.
struct Lines<'o, 'w> {
    out: Out<'o>,
    /// How much of it is written.
    len: usize,
    resource: Option<In<'w>>,
    scope: Option<In<'w>>,
    /// How many levels may lie inside what holds the resource.
    depth: u32,
    /// Where the resource was written, and where that and all behind it.
    resource_at: Option<Range<usize>>,
    tail_at: Option<Range<usize>>,
}

impl<'o, 'w> Lines<'o, 'w> {
    fn new(out: Out<'o>) -> Self {
        Self {
            out,
            len: 0,
            resource: None,
            scope: None,
            depth: 0,
            resource_at: None,
            tail_at: None,
        }
    }

    fn begin_resource(&mut self, resource: Option<In<'w>>, depth: u32) {
        self.resource = resource;
        self.depth = depth;
        self.resource_at = None;
    }

    fn begin_scope(&mut self, scope: Option<In<'w>>) {
        self.scope = scope;
        self.tail_at = None;
    }

    /// Goes on in the line; gives where.
    #[inline(always)]
    fn write(
        &mut self,
        cx: &mut Cx<'_>,
        write: impl for<'a> FnOnce(Out<'a>, &mut Cx<'_>) -> Result<Out<'a>, Stop>,
    ) -> Result<Range<usize>, Stop> {
        let begin = self.len;
        let left = write(&mut self.out[begin..], cx)?.len();
        self.len = self.out.len() - left;
        Ok(begin..self.len)
    }

    /// Goes on with what stands somewhere already.
    #[inline(always)]
    fn again(&mut self, at: Range<usize>, cx: &mut Cx<'_>) -> Result<Range<usize>, Stop> {
        let begin = self.len;
        let (written, room) = self.out.split_at_mut(begin);
        let left = copy(room, &written[at], cx)?.len();
        self.len = self.out.len() - left;
        Ok(begin..self.len)
    }

    /// The end of a line: resource and scope.
    fn end_line(&mut self, cx: &mut Cx<'_>) -> Result<(), Stop> {
        if let Some(at) = self.tail_at.clone() {
            self.again(at, cx)?;
            return Ok(());
        }
        let (resource, scope, depth) = (self.resource, self.scope, self.depth);
        let resource_at = match self.resource_at.clone() {
            Some(at) => self.again(at, cx)?,
            None => self.write(cx, |out, cx| write_resource(resource, out, cx, depth))?,
        };
        let scope_at = self.write(cx, |out, cx| {
            let out = write_scope(scope, out, cx, deeper(depth)?)?;
            put(out, b"}\n", cx)
        })?;
        self.tail_at = Some(resource_at.start..scope_at.end);
        self.resource_at = Some(resource_at);
        Ok(())
    }
}

fn write_resource<'o>(
    resource: Option<In<'_>>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<Out<'o>, Stop> {
    let Some(mut wire) = resource else {
        return Ok(out);
    };
    let mut list: In<'_> = &[];
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            resource_fields::ATTRIBUTES => run(&mut list, wire, tag)?,
            _ => pass(tag, rest)?,
        };
    }
    attributes(out, b",\"resource\":", list, &mut b',', cx, deeper(depth)?)
}

fn write_scope<'o>(
    scope: Option<In<'_>>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<Out<'o>, Stop> {
    let (mut name, mut version, mut list): (In<'_>, In<'_>, In<'_>) = (&[], &[], &[]);
    let Some(mut wire) = scope else {
        return Ok(out);
    };
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            scope_fields::NAME => take(&mut name, rest)?,
            scope_fields::VERSION => take(&mut version, rest)?,
            scope_fields::ATTRIBUTES => run(&mut list, wire, tag)?,
            _ => pass(tag, rest)?,
        };
    }
    if name.is_empty() && version.is_empty() && list.is_empty() {
        return Ok(out);
    }
    let mut separator = b'{';
    let out = put(out, b",\"scope\":", cx)?;
    let out = text(out, b",\"name\":\"", name, &mut separator, cx)?;
    let out = text(out, b",\"version\":\"", version, &mut separator, cx)?;
    let depth = deeper(depth)?;
    let out = attributes(out, b",\"attributes\":", list, &mut separator, cx, depth)?;
    end(out, separator, cx)
}

/// A sub-message that comes at most once.
fn one(mut wire: In<'_>, tag: u32) -> Result<Option<In<'_>>, Stop> {
    let mut message = None;
    while let Some((next, rest)) = next_tag(wire)? {
        wire = match next == tag {
            true => once(&mut message, rest)?,
            false => pass(next, rest)?,
        };
    }
    Ok(message)
}

/// Goes through the sub-messages of a tag, wherever they stand.
#[inline(always)]
fn each<'w>(
    mut wire: In<'w>,
    tag: u32,
    mut visit: impl FnMut(In<'w>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    while let Some((next, rest)) = next_tag(wire)? {
        wire = if next == tag {
            let (message, rest) = bytes(rest)?;
            visit(message)?;
            rest
        } else {
            pass(next, rest)?
        };
    }
    Ok(())
}
