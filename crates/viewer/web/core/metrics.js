/**
 * What is known of metrics: their series, and the newest points of each. Bounded whatever the
 * cardinality: so many metrics, so many series, so many numbers; what a limit has kept out is
 * counted, for the screen to say.
 */

import { labelsKey, labelsOf } from './attributes.js';
import { difference, explicit, exponential, weight } from './distribution.js';
import { eachPoint, milliseconds, number } from './otlp.js';
import { Ring, Rows } from './ring.js';

export const LIMITS = {
  /** Metrics. Of one more, nothing is kept. */
  metrics: 2000,
  /** Series of all metrics. Of one more, nothing is kept. */
  series: 10_000,
  /** Points of a series; the oldest goes. Halved for all when `cells` are reached. */
  points: 1800,
  /** Numbers in all points, of 8 bytes each. */
  cells: 6_000_000,
  /** Characters of all names and labels. Beyond it, nothing is kept of further series. */
  characters: 32_000_000,
};

/** The fewest points of a series that the limit of cells leaves. */
const LEAST_POINTS = 60;

/** `DataPointFlags.NO_RECORDED_VALUE_MASK` of OTLP's metrics.proto. */
const NO_VALUE = 1;

/** Columns of a series of numbers. */
export const TIME = 0;
export const VALUE = 1;
export const START = 2;

/** The metrics that were seen. */
export class Metrics {
  constructor(limits = LIMITS) {
    this.limits = limits;
    this.clear();
  }

  /** Forgets everything. */
  clear() {
    /** By a key of name, unit, kind, temporality: senders may disagree on what a name means. */
    this.byKey = new Map();
    this.series = 0;
    this.cells = 0;
    this.characters = 0;
    this.points = this.limits.points;
    /** What limits have kept out. */
    this.refused = { metrics: 0, series: 0, texts: 0 };
    /** The time of the newest point, in milliseconds. */
    this.newest = 0;
  }

  /** Takes the points of a request. */
  add(request) {
    eachPoint(request, (described, point, resource, scope) => {
      const metric = this.#metric(described);
      const series = metric && this.#series(metric, point, resource, scope);
      if (series) this.#take(metric, series, point);
    });
    if (this.cells > this.limits.cells) this.#shorten();
  }

  /** Every metric, in the order of their names. */
  all() {
    const metrics = [...this.byKey.values()];
    return metrics.sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  /** The metrics of a name: more than one if senders disagree on what it means. */
  named(name) {
    return this.all().filter((metric) => metric.name === name);
  }

  #metric(described) {
    const { name, unit, kind, temporality, monotonic } = described;
    const key = [name, unit, kind, temporality, monotonic ? 'monotonic' : ''].join('\n');
    let metric = this.byKey.get(key);
    if (!metric) {
      if (this.#isFull('metrics', this.byKey.size)) return undefined;
      metric = { ...described, key, series: new Map(), newest: 0 };
      this.byKey.set(key, metric);
      this.characters += 2 * key.length + described.description.length;
    }
    return metric;
  }

  #series(metric, point, resource, scope) {
    const labels = labelsOf(point.attributes);
    const key = `${resource.key}\n${scope}\n${labelsKey(labels)}`;
    let series = metric.series.get(key);
    if (!series) {
      if (this.#isFull('series', this.series)) return undefined;
      series = { resource: resource.labels, scope, labels, ...this.#store(metric.kind) };
      metric.series.set(key, series);
      this.series += 1;
      // The key holds all labels, and those of the resource are there again for each series.
      this.characters += 2 * key.length;
      this.cells += series.rows?.size ?? 0;
    }
    return series;
  }

  /** Whether there is no room for one more of something; if so, counts by what. */
  #isFull(what, size) {
    const limit = size >= this.limits[what] ? what : this.characters >= this.limits.characters ? 'texts' : '';
    if (limit) this.refused[limit] += 1;
    return limit !== '';
  }

  /** What the points of a kind are kept in: rows of numbers, or a ring of objects. */
  #store(kind) {
    const numbers = kind === 'gauge' || kind === 'sum';
    return numbers ? { rows: new Rows(3, this.points) } : { ring: new Ring(this.points), last: undefined };
  }

  #take(metric, series, point) {
    const time = milliseconds(point.timeUnixNano);
    const start = milliseconds(point.startTimeUnixNano);
    metric.newest = Math.max(metric.newest, time);
    this.newest = Math.max(this.newest, time);
    if (point.flags & NO_VALUE) return;
    if (series.rows) this.#takeNumber(series.rows, time, number(point.asDouble ?? point.asInt), start);
    else if (!(time > (series.last?.time ?? 0))) return;
    else if (metric.kind === 'summary') this.#takeSummary(series, point, time, start);
    else this.#takeDistribution(metric, series, point, time, start);
  }

  #takeNumber(rows, time, value, start) {
    // Again what was here before: from history, or from a sender that tried twice.
    if (value === undefined || rows.get(-1, TIME) >= time) return;
    const before = rows.size;
    rows.push(time, value, start);
    this.cells += rows.size - before;
  }

  #takeSummary(series, point, time, start) {
    series.last = { time, start, ...summary(point) };
    this.#keep(series, series.last);
  }

  /** Keeps what has come since the point before, and the newest point as it was sent. */
  #takeDistribution(metric, series, point, time, start) {
    const whole = metric.kind === 'histogram' ? explicit(point) : exponential(point);
    const cumulative = metric.temporality === 'cumulative';
    const previous = series.last;
    series.last = { time, start, ...whole };
    // All that came before it was first seen says nothing of now.
    if (cumulative && !previous) return;
    const restarted = cumulative && previous.start > 0 && start > previous.start;
    const fresh = cumulative && !restarted ? difference(previous, whole) : whole;
    this.#keep(series, { time, start: cumulative ? previous.time : start, ...fresh });
  }

  #keep(series, entry) {
    this.cells += cellsOf(entry);
    const gone = series.ring.push(entry);
    if (gone) this.cells -= cellsOf(gone);
  }

  /** Makes room: each series keeps half as many points as before. */
  #shorten() {
    if (this.points <= LEAST_POINTS) {
      // Nothing to be won there: no more series instead.
      this.limits = { ...this.limits, series: this.series };
      return;
    }
    this.points = Math.max(Math.floor(this.points / 2), LEAST_POINTS);
    this.cells = 0;
    for (const metric of this.byKey.values()) {
      for (const { rows, ring } of metric.series.values()) {
        (rows ?? ring).shrink(this.points);
        this.cells += rows ? rows.size : ring.toArray().reduce((sum, entry) => sum + cellsOf(entry), 0);
      }
    }
  }
}

function cellsOf(entry) {
  return entry.quantiles ? 4 + 2 * entry.quantiles.length : weight(entry);
}

/** The point of a summary. */
function summary(point) {
  const quantiles = (point.quantileValues ?? []).map(({ quantile, value }) => ({
    quantile: number(quantile) ?? 0,
    value: number(value) ?? 0,
  }));
  return { count: number(point.count) ?? 0, sum: number(point.sum) ?? 0, quantiles };
}
