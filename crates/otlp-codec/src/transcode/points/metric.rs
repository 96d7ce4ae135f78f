//! The data points of a metric as lines.

use std::ops::Range;

use super::data_point::{self, Common, exemplar};
use super::members::{attributes, list, name, text, time, unless_zero};
use super::parts::{number, take};
use super::{Lines, each};
use crate::proto::fields::{
    metrics_v1_exponential_histogram as exponential, metrics_v1_gauge as gauge,
    metrics_v1_histogram as histogram, metrics_v1_metric as fields, metrics_v1_sum as sum,
    metrics_v1_summary as summary,
};
use crate::transcode::boolean;
use crate::transcode::out::{Cx, Out, put};
use crate::walk::{In, Stop, deeper, next_tag, pass};

/// From 1 on.
const TEMPORALITIES: [&[u8]; 2] = [b"\"delta\"", b"\"cumulative\""];

/// What a metric says of all its points.
#[derive(Default)]
pub(super) struct Series<'w> {
    name: In<'w>,
    unit: In<'w>,
    kind: Option<Kind>,
    data: In<'w>,
    temporality: u64,
    monotonic: u64,
    /// Where it was written.
    at: Option<Range<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gauge,
    Sum,
    Histogram,
    Exponential,
    Summary,
}

/// Writes a `Metric`.
pub(super) fn metric(
    mut wire: In<'_>,
    lines: &mut Lines<'_, '_>,
    cx: &mut Cx<'_>,
    depth: u32,
) -> Result<(), Stop> {
    let mut series = Series::default();
    while let Some((tag, rest)) = next_tag(wire)? {
        let kind = match tag {
            fields::NAME => {
                wire = take(&mut series.name, rest)?;
                continue;
            }
            fields::UNIT => {
                wire = take(&mut series.unit, rest)?;
                continue;
            }
            fields::GAUGE => Kind::Gauge,
            fields::SUM => Kind::Sum,
            fields::HISTOGRAM => Kind::Histogram,
            fields::EXPONENTIAL_HISTOGRAM => Kind::Exponential,
            fields::SUMMARY => Kind::Summary,
            _ => {
                wire = pass(tag, rest)?;
                continue;
            }
        };
        if series.kind.replace(kind).is_some() {
            return Err(Stop);
        }
        wire = take(&mut series.data, rest)?;
    }
    let Some(kind) = series.kind else {
        return Ok(());
    };
    series.read_data(kind)?;
    let (data, points, write): (_, _, Point) = match kind {
        Kind::Gauge => (series.data, gauge::DATA_POINTS, data_point::number),
        Kind::Sum => (series.data, sum::DATA_POINTS, data_point::number),
        Kind::Histogram => (series.data, histogram::DATA_POINTS, data_point::histogram),
        Kind::Exponential => (
            series.data,
            exponential::DATA_POINTS,
            data_point::exponential,
        ),
        Kind::Summary => (series.data, summary::DATA_POINTS, data_point::summary),
    };
    let depth = deeper(depth)?;
    each(data, points, |point| {
        write(point, &mut series, lines, cx, deeper(depth)?)
    })
}

/// Writes a point.
type Point = fn(In<'_>, &mut Series<'_>, &mut Lines<'_, '_>, &mut Cx<'_>, u32) -> Result<(), Stop>;

impl Series<'_> {
    /// Reads what stands beside the points.
    fn read_data(&mut self, kind: Kind) -> Result<(), Stop> {
        let temporality = match kind {
            Kind::Gauge | Kind::Summary => return Ok(()),
            Kind::Sum => sum::AGGREGATION_TEMPORALITY,
            Kind::Histogram => histogram::AGGREGATION_TEMPORALITY,
            Kind::Exponential => exponential::AGGREGATION_TEMPORALITY,
        };
        let mut wire = self.data;
        while let Some((tag, rest)) = next_tag(wire)? {
            wire = if tag == temporality {
                number(&mut self.temporality, rest)?
            } else if tag == sum::IS_MONOTONIC && kind == Kind::Sum {
                number(&mut self.monotonic, rest)?
            } else {
                pass(tag, rest)?
            };
        }
        Ok(())
    }

    /// Writes a line: times, this, what else there is, the end.
    #[inline(always)]
    pub(super) fn line(
        &mut self,
        point: &Common<'_>,
        lines: &mut Lines<'_, '_>,
        cx: &mut Cx<'_>,
        depth: u32,
        values: impl for<'a> FnOnce(Out<'a>, &mut Cx<'_>) -> Result<Out<'a>, Stop>,
    ) -> Result<(), Stop> {
        lines.write(cx, |out, cx| {
            let out = put(out, b"{\"signal\":\"metrics\"", cx)?;
            let out = time(out, b",\"time\":", point.time, 1, &mut b',', cx)?;
            time(out, b",\"start\":", point.start, 0, &mut b',', cx)
        })?;
        match self.at.clone() {
            Some(at) => lines.again(at, cx)?,
            None => {
                let at = lines.write(cx, |out, cx| self.write(out, cx))?;
                self.at.insert(at).clone()
            }
        };
        lines.write(cx, |out, cx| {
            let comma = &mut b',';
            let out = unless_zero(
                out,
                b",\"flags\":",
                u64::from(point.flags as u32),
                comma,
                cx,
            )?;
            let out = values(out, cx)?;
            let out = list(
                out,
                b",\"exemplars\":",
                point.exemplars,
                cx,
                depth,
                exemplar,
            )?;
            attributes(out, b",\"attributes\":", point.attributes, comma, cx, depth)
        })?;
        lines.end_line(cx)
    }

    fn write<'o>(&self, out: Out<'o>, cx: &mut Cx<'_>) -> Result<Out<'o>, Stop> {
        let out = text(out, b",\"name\":\"", self.name, &mut b',', cx)?;
        let out = text(out, b",\"unit\":\"", self.unit, &mut b',', cx)?;
        let out = match self.kind {
            Some(Kind::Gauge) => put(out, b",\"type\":\"gauge\"", cx),
            Some(Kind::Sum) => put(out, b",\"type\":\"sum\"", cx),
            Some(Kind::Histogram) => put(out, b",\"type\":\"histogram\"", cx),
            Some(Kind::Exponential) => put(out, b",\"type\":\"exponentialHistogram\"", cx),
            Some(Kind::Summary) => put(out, b",\"type\":\"summary\"", cx),
            None => return Err(Stop),
        }?;
        let temporality = self.temporality as i32;
        let out = name(out, b",\"temporality\":", temporality, &TEMPORALITIES, cx)?;
        if self.kind != Some(Kind::Sum) {
            return Ok(out);
        }
        let out = put(out, b",\"monotonic\":", cx)?;
        boolean(out, self.monotonic != 0, cx)
    }
}
