//! Log records as lines.

use super::Lines;
use super::members::{attributes, id, text, time, unless_zero};
use super::parts::{fixed, flags32, number, once, run, take};
use super::value::any;
use crate::proto::fields::logs_v1_log_record as fields;
use crate::transcode::int32;
use crate::transcode::out::{Cx, put};
use crate::walk::{In, Stop, deeper, next_tag, pass};

#[derive(Default)]
struct Record<'w> {
    time: u64,
    observed: u64,
    severity: u64,
    severity_text: In<'w>,
    body: Option<In<'w>>,
    attributes: In<'w>,
    flags: u32,
    trace_id: In<'w>,
    span_id: In<'w>,
    event_name: In<'w>,
}

/// Writes a `LogRecord`.
pub(super) fn log_record(
    mut wire: In<'_>,
    lines: &mut Lines<'_, '_>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<(), Stop> {
    let mut record = Record::default();
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            fields::TIME_UNIX_NANO => fixed(&mut record.time, rest)?,
            fields::OBSERVED_TIME_UNIX_NANO => fixed(&mut record.observed, rest)?,
            fields::SEVERITY_NUMBER => number(&mut record.severity, rest)?,
            fields::SEVERITY_TEXT => take(&mut record.severity_text, rest)?,
            fields::BODY => once(&mut record.body, rest)?,
            fields::ATTRIBUTES => run(&mut record.attributes, wire, tag)?,
            fields::FLAGS => flags32(&mut record.flags, rest)?,
            fields::TRACE_ID => take(&mut record.trace_id, rest)?,
            fields::SPAN_ID => take(&mut record.span_id, rest)?,
            fields::EVENT_NAME => take(&mut record.event_name, rest)?,
            _ => pass(tag, rest)?,
        };
    }
    let at = match record.time {
        0 => record.observed,
        known => known,
    };
    lines.write(cx, |out, cx| {
        let comma = &mut b',';
        let out = put(out, b"{\"signal\":\"logs\"", cx)?;
        let out = time(out, b",\"time\":", at, 1, comma, cx)?;
        let out = time(out, b",\"observed\":", record.observed, 0, comma, cx)?;
        let out = text(out, b",\"name\":\"", record.event_name, comma, cx)?;
        let out = text(out, b",\"severity\":\"", record.severity_text, comma, cx)?;
        let mut out = out;
        let severity = record.severity as i32;
        if severity != 0 {
            out = put(out, b",\"severityNumber\":", cx)?;
            out = int32(out, severity, cx)?;
        }
        if let Some(body) = record.body {
            out = put(out, b",\"body\":", cx)?;
            out = any(body, out, cx, deeper(depth)?)?;
        }
        let out = id(out, b",\"traceId\":\"", record.trace_id, comma, cx)?;
        let out = id(out, b",\"spanId\":\"", record.span_id, comma, cx)?;
        let out = unless_zero(out, b",\"flags\":", record.flags.into(), comma, cx)?;
        attributes(
            out,
            b",\"attributes\":",
            record.attributes,
            comma,
            cx,
            depth,
        )
    })?;
    lines.end_line(cx)
}
