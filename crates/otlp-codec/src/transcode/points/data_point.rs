//! Data points of each kind.

use super::Lines;
use super::members::{Number, attributes, count, id, list, numbers, optional, time, value};
use super::metric::Series;
use super::parts::{self, double, fixed, number as varint64, once, packed, run, take};
use crate::proto::fields::{
    metrics_v1_exemplar as exemplar_fields,
    metrics_v1_exponential_histogram_data_point as exponential_fields,
    metrics_v1_exponential_histogram_data_point_buckets as buckets_fields,
    metrics_v1_histogram_data_point as histogram_fields,
    metrics_v1_number_data_point as number_fields, metrics_v1_summary_data_point as summary_fields,
    metrics_v1_summary_data_point_value_at_quantile as quantile_fields,
};
use crate::transcode::out::{Cx, Out, end, put};
use crate::transcode::{self, bounds, int32, sint32};
use crate::walk::{In, Stop, fixed64, next_tag, pass, unknown, varint};

/// What all kinds of points have.
#[derive(Default)]
pub(super) struct Common<'w> {
    pub(super) start: u64,
    pub(super) time: u64,
    pub(super) flags: u64,
    pub(super) exemplars: In<'w>,
    pub(super) attributes: In<'w>,
}

/// Writes a `NumberDataPoint`.
pub(super) fn number(
    mut wire: In<'_>,
    series: &mut Series<'_>,
    lines: &mut Lines<'_, '_>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<(), Stop> {
    use number_fields as fields;
    let (mut point, mut found) = (Common::default(), None);
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            fields::ATTRIBUTES => run(&mut point.attributes, wire, tag)?,
            fields::START_TIME_UNIX_NANO => fixed(&mut point.start, rest)?,
            fields::TIME_UNIX_NANO => fixed(&mut point.time, rest)?,
            fields::AS_DOUBLE | fields::AS_INT => {
                number_of(&mut found, tag == fields::AS_DOUBLE, rest)?
            }
            fields::EXEMPLARS => run(&mut point.exemplars, wire, tag)?,
            fields::FLAGS => varint64(&mut point.flags, rest)?,
            _ => pass(tag, rest)?,
        };
    }
    series.line(&point, lines, cx, depth, |out, cx| {
        value(out, found, &mut b',', cx)
    })
}

/// Takes the value of a point or an exemplar.
#[inline(always)]
fn number_of<'w>(
    value: &mut Option<Number>,
    is_double: bool,
    rest: In<'w>,
) -> Result<In<'w>, Stop> {
    let (bits, rest) = fixed64(rest)?;
    *value = Some(match is_double {
        true => Number::Double(f64::from_bits(bits)),
        false => Number::Int(bits as i64),
    });
    Ok(rest)
}

/// Writes a `HistogramDataPoint`.
pub(super) fn histogram(
    mut wire: In<'_>,
    series: &mut Series<'_>,
    lines: &mut Lines<'_, '_>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<(), Stop> {
    use histogram_fields as fields;
    let (mut point, mut all) = (Common::default(), 0);
    let (mut sum, mut min, mut max) = (None, None, None);
    let (mut limits, mut buckets): (In<'_>, In<'_>) = (&[], &[]);
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            fields::ATTRIBUTES => run(&mut point.attributes, wire, tag)?,
            fields::START_TIME_UNIX_NANO => fixed(&mut point.start, rest)?,
            fields::TIME_UNIX_NANO => fixed(&mut point.time, rest)?,
            fields::COUNT => fixed(&mut all, rest)?,
            fields::SUM => parts::optional(&mut sum, rest)?,
            fields::BUCKET_COUNTS => packed(&mut buckets, rest)?,
            fields::EXPLICIT_BOUNDS => packed(&mut limits, rest)?,
            fields::EXEMPLARS => run(&mut point.exemplars, wire, tag)?,
            fields::FLAGS => varint64(&mut point.flags, rest)?,
            fields::MIN => parts::optional(&mut min, rest)?,
            fields::MAX => parts::optional(&mut max, rest)?,
            // A list that isn't packed is left to the usual form.
            _ => unknown(tag, rest, fields::NUMBERS)?,
        };
    }
    series.line(&point, lines, cx, depth, |out, cx| {
        let out = count(out, b",\"count\":", all, cx)?;
        let out = optional(out, b",\"sum\":", sum, cx)?;
        let out = optional(out, b",\"min\":", min, cx)?;
        let mut out = optional(out, b",\"max\":", max, cx)?;
        if !limits.is_empty() {
            out = put(out, b",\"bounds\":[", cx)?;
            out = bounds(limits, out, cx)?;
            out = put(out, b"]", cx)?;
        }
        numbers(out, b",\"buckets\":[", buckets, cx, fixed64)
    })
}

/// Writes an `ExponentialHistogramDataPoint`.
pub(super) fn exponential(
    mut wire: In<'_>,
    series: &mut Series<'_>,
    lines: &mut Lines<'_, '_>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<(), Stop> {
    use exponential_fields as fields;
    let (mut point, mut all, mut zeros, mut scale) = (Common::default(), 0, 0, 0);
    let (mut sum, mut min, mut max, mut threshold) = (None, None, None, 0.0);
    let (mut positive, mut negative) = (None, None);
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            fields::ATTRIBUTES => run(&mut point.attributes, wire, tag)?,
            fields::START_TIME_UNIX_NANO => fixed(&mut point.start, rest)?,
            fields::TIME_UNIX_NANO => fixed(&mut point.time, rest)?,
            fields::COUNT => fixed(&mut all, rest)?,
            fields::SUM => parts::optional(&mut sum, rest)?,
            fields::SCALE => varint64(&mut scale, rest)?,
            fields::ZERO_COUNT => fixed(&mut zeros, rest)?,
            fields::POSITIVE => once(&mut positive, rest)?,
            fields::NEGATIVE => once(&mut negative, rest)?,
            fields::FLAGS => varint64(&mut point.flags, rest)?,
            fields::EXEMPLARS => run(&mut point.exemplars, wire, tag)?,
            fields::MIN => parts::optional(&mut min, rest)?,
            fields::MAX => parts::optional(&mut max, rest)?,
            fields::ZERO_THRESHOLD => double(&mut threshold, rest)?,
            _ => pass(tag, rest)?,
        };
    }
    let threshold = Some(threshold).filter(|threshold| *threshold != 0.0);
    series.line(&point, lines, cx, depth, |out, cx| {
        let out = count(out, b",\"count\":", all, cx)?;
        let out = optional(out, b",\"sum\":", sum, cx)?;
        let out = optional(out, b",\"min\":", min, cx)?;
        let out = optional(out, b",\"max\":", max, cx)?;
        let out = put(out, b",\"scale\":", cx)?;
        let out = int32(out, sint32(scale), cx)?;
        let out = count(out, b",\"zeroCount\":", zeros, cx)?;
        let out = optional(out, b",\"zeroThreshold\":", threshold, cx)?;
        let out = write_buckets(out, b",\"positive\":{\"offset\":", positive, cx)?;
        write_buckets(out, b",\"negative\":{\"offset\":", negative, cx)
    })
}

/// Writes `Buckets`, if there are any.
fn write_buckets<'o, const N: usize>(
    out: Out<'o>,
    literal: &[u8; N],
    buckets: Option<In<'_>>,
    cx: &mut Cx<'_>,
) -> Result<Out<'o>, Stop> {
    use buckets_fields as fields;
    let Some(mut wire) = buckets else {
        return Ok(out);
    };
    let (mut offset, mut counts): (_, In<'_>) = (0, &[]);
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            fields::OFFSET => varint64(&mut offset, rest)?,
            fields::BUCKET_COUNTS => packed(&mut counts, rest)?,
            _ => unknown(tag, rest, fields::NUMBERS)?,
        };
    }
    let out = put(out, literal, cx)?;
    let out = int32(out, sint32(offset), cx)?;
    let out = numbers(out, b",\"buckets\":[", counts, cx, varint)?;
    put(out, b"}", cx)
}

/// Writes a `SummaryDataPoint`.
pub(super) fn summary(
    mut wire: In<'_>,
    series: &mut Series<'_>,
    lines: &mut Lines<'_, '_>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<(), Stop> {
    use summary_fields as fields;
    let (mut point, mut all, mut sum) = (Common::default(), 0, 0.0);
    let mut quantiles: In<'_> = &[];
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            fields::ATTRIBUTES => run(&mut point.attributes, wire, tag)?,
            fields::START_TIME_UNIX_NANO => fixed(&mut point.start, rest)?,
            fields::TIME_UNIX_NANO => fixed(&mut point.time, rest)?,
            fields::COUNT => fixed(&mut all, rest)?,
            fields::SUM => double(&mut sum, rest)?,
            fields::QUANTILE_VALUES => run(&mut quantiles, wire, tag)?,
            fields::FLAGS => varint64(&mut point.flags, rest)?,
            _ => pass(tag, rest)?,
        };
    }
    series.line(&point, lines, cx, depth, |out, cx| {
        let out = count(out, b",\"count\":", all, cx)?;
        let out = optional(out, b",\"sum\":", Some(sum), cx)?;
        list(out, b",\"quantiles\":", quantiles, cx, depth, quantile)
    })
}

/// Writes a `ValueAtQuantile`.
fn quantile<'o>(mut wire: In<'_>, out: Out<'o>, cx: &mut Cx<'_>, _: u32) -> Result<Out<'o>, Stop> {
    use quantile_fields as fields;
    let (mut quantile, mut value) = (0.0, 0.0);
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            fields::QUANTILE => double(&mut quantile, rest)?,
            fields::VALUE => double(&mut value, rest)?,
            _ => pass(tag, rest)?,
        };
    }
    let out = put(out, b"{\"quantile\":", cx)?;
    let out = transcode::double(out, quantile, cx)?;
    let out = put(out, b",\"value\":", cx)?;
    let out = transcode::double(out, value, cx)?;
    put(out, b"}", cx)
}

/// Writes an `Exemplar`.
pub(super) fn exemplar<'o>(
    mut wire: In<'_>,
    out: Out<'o>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<Out<'o>, Stop> {
    use exemplar_fields as fields;
    let (mut at, mut found) = (0, None);
    let (mut span_id, mut trace_id, mut list): (In<'_>, In<'_>, In<'_>) = (&[], &[], &[]);
    while let Some((tag, rest)) = next_tag(wire)? {
        wire = match tag {
            fields::FILTERED_ATTRIBUTES => run(&mut list, wire, tag)?,
            fields::TIME_UNIX_NANO => fixed(&mut at, rest)?,
            fields::AS_DOUBLE | fields::AS_INT => {
                number_of(&mut found, tag == fields::AS_DOUBLE, rest)?
            }
            fields::SPAN_ID => take(&mut span_id, rest)?,
            fields::TRACE_ID => take(&mut trace_id, rest)?,
            _ => pass(tag, rest)?,
        };
    }
    let mut separator = b'{';
    let out = time(out, b",\"time\":", at, 1, &mut separator, cx)?;
    let out = value(out, found, &mut separator, cx)?;
    let out = id(out, b",\"traceId\":\"", trace_id, &mut separator, cx)?;
    let out = id(out, b",\"spanId\":\"", span_id, &mut separator, cx)?;
    let out = attributes(out, b",\"attributes\":", list, &mut separator, cx, depth)?;
    end(out, separator, cx)
}
