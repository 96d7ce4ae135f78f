//! Spans as lines.

use super::Lines;
use super::members::{attributes, id, list, name, text, time, unless_zero};
use super::parts::{fixed, flags32, number, once, run, take};
use crate::proto::fields::{
    trace_v1_span as fields, trace_v1_span_event as event_fields,
    trace_v1_span_link as link_fields, trace_v1_status as status_fields,
};
use crate::transcode::out::{Cx, Out, end, put};
use crate::walk::{In, Stop, next_tag, pass};

/// From 1 on.
const KINDS: [&[u8]; 5] = [
    b"\"internal\"",
    b"\"server\"",
    b"\"client\"",
    b"\"producer\"",
    b"\"consumer\"",
];
/// From 1 on.
const STATUSES: [&[u8]; 2] = [b"\"ok\"", b"\"error\""];

#[derive(Default)]
struct Span<'w> {
    trace_id: In<'w>,
    span_id: In<'w>,
    trace_state: In<'w>,
    parent_span_id: In<'w>,
    flags: u32,
    name: In<'w>,
    kind: u64,
    start: u64,
    end: u64,
    attributes: In<'w>,
    events: In<'w>,
    links: In<'w>,
    status: Option<In<'w>>,
}

impl<'w> Span<'w> {
    fn of(mut wire: In<'w>) -> Result<Self, Stop> {
        let mut span = Self::default();
        while let Some((tag, rest)) = next_tag(wire)? {
            wire = match tag {
                fields::TRACE_ID => take(&mut span.trace_id, rest)?,
                fields::SPAN_ID => take(&mut span.span_id, rest)?,
                fields::TRACE_STATE => take(&mut span.trace_state, rest)?,
                fields::PARENT_SPAN_ID => take(&mut span.parent_span_id, rest)?,
                fields::FLAGS => flags32(&mut span.flags, rest)?,
                fields::NAME => take(&mut span.name, rest)?,
                fields::KIND => number(&mut span.kind, rest)?,
                fields::START_TIME_UNIX_NANO => fixed(&mut span.start, rest)?,
                fields::END_TIME_UNIX_NANO => fixed(&mut span.end, rest)?,
                fields::ATTRIBUTES => run(&mut span.attributes, wire, tag)?,
                fields::EVENTS => run(&mut span.events, wire, tag)?,
                fields::LINKS => run(&mut span.links, wire, tag)?,
                fields::STATUS => once(&mut span.status, rest)?,
                _ => pass(tag, rest)?,
            };
        }
        Ok(span)
    }
}

/// Writes a `Span`.
pub(super) fn span(
    wire: In<'_>,
    lines: &mut Lines<'_, '_>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<(), Stop> {
    let span = Span::of(wire)?;
    lines.write(cx, |out, cx| {
        let comma = &mut b',';
        let out = put(out, b"{\"signal\":\"traces\"", cx)?;
        let out = time(out, b",\"time\":", span.start, 1, comma, cx)?;
        let mut out = time(out, b",\"end\":", span.end, 0, comma, cx)?;
        if span.start != 0
            && let Some(duration) = span.end.checked_sub(span.start)
        {
            out = put(out, b",\"duration\":", cx)?;
            out = crate::transcode::uint64(out, duration, cx)?;
        }
        let out = text(out, b",\"name\":\"", span.name, comma, cx)?;
        let out = name(out, b",\"kind\":", span.kind as i32, &KINDS, cx)?;
        let out = id(out, b",\"traceId\":\"", span.trace_id, comma, cx)?;
        let out = id(out, b",\"spanId\":\"", span.span_id, comma, cx)?;
        let out = id(out, b",\"parentSpanId\":\"", span.parent_span_id, comma, cx)?;
        let out = text(out, b",\"traceState\":\"", span.trace_state, comma, cx)?;
        let out = unless_zero(out, b",\"flags\":", span.flags.into(), comma, cx)?;
        let out = status(span.status.unwrap_or_default(), out, cx)?;
        let out = list(out, b",\"events\":", span.events, cx, depth, event)?;
        let out = list(out, b",\"links\":", span.links, cx, depth, link)?;
        attributes(out, b",\"attributes\":", span.attributes, comma, cx, depth)
    })?;
    lines.end_line(cx)
}

/// The members that tell of the `Status`.
fn status<'o>(mut wire: In<'_>, out: Out<'o>, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
    let (mut message, mut code): (In<'_>, _) = (&[], 0);
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            status_fields::MESSAGE => take(&mut message, rest)?,
            status_fields::CODE => number(&mut code, rest)?,
            _ => pass(tag, rest)?,
        };
    }
    let out = name(out, b",\"status\":", code as i32, &STATUSES, cx)?;
    text(out, b",\"message\":\"", message, &mut b',', cx)
}

/// Writes a `Span.Event`.
fn event<'o>(mut wire: In<'_>, out: Out<'o>, cx: &mut Cx<'_>, depth: u32) -> Result<Out<'o>, Stop> {
    let (mut at, mut name, mut list): (_, In<'_>, In<'_>) = (0, &[], &[]);
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            event_fields::TIME_UNIX_NANO => fixed(&mut at, rest)?,
            event_fields::NAME => take(&mut name, rest)?,
            event_fields::ATTRIBUTES => run(&mut list, wire, tag)?,
            _ => pass(tag, rest)?,
        };
    }
    let mut separator = b'{';
    let out = time(out, b",\"time\":", at, 1, &mut separator, cx)?;
    let out = text(out, b",\"name\":\"", name, &mut separator, cx)?;
    let out = attributes(out, b",\"attributes\":", list, &mut separator, cx, depth)?;
    end(out, separator, cx)
}

/// Writes a `Span.Link`.
fn link<'o>(mut wire: In<'_>, out: Out<'o>, cx: &mut Cx<'_>, depth: u32) -> Result<Out<'o>, Stop> {
    let (mut trace_id, mut span_id): (In<'_>, In<'_>) = (&[], &[]);
    let (mut trace_state, mut list): (In<'_>, In<'_>) = (&[], &[]);
    let mut flags = 0;
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            link_fields::TRACE_ID => take(&mut trace_id, rest)?,
            link_fields::SPAN_ID => take(&mut span_id, rest)?,
            link_fields::TRACE_STATE => take(&mut trace_state, rest)?,
            link_fields::ATTRIBUTES => run(&mut list, wire, tag)?,
            link_fields::FLAGS => flags32(&mut flags, rest)?,
            _ => pass(tag, rest)?,
        };
    }
    let mut separator = b'{';
    let out = id(out, b",\"traceId\":\"", trace_id, &mut separator, cx)?;
    let out = id(out, b",\"spanId\":\"", span_id, &mut separator, cx)?;
    let out = text(out, b",\"traceState\":\"", trace_state, &mut separator, cx)?;
    let out = unless_zero(out, b",\"flags\":", flags.into(), &mut separator, cx)?;
    let out = attributes(out, b",\"attributes\":", list, &mut separator, cx, depth)?;
    end(out, separator, cx)
}
