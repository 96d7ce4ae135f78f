/**
 * What is known of metrics: their series, and the newest points of each. Bounded whatever the
 * cardinality: so many metrics, so many series, so many numbers. When there are too many numbers,
 * every series keeps fewer points, then the heaviest distributions do, and in the end whole series go,
 * those of the youngest metrics first. What a limit has kept out is counted, for the screen to say.
 */

import { labelsKey, labelsOf } from './attributes.js';
import { difference, explicit, exponential, weight, withBoundsOf } from './distribution.js';
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

/** The fewest points of a series that the limit of cells leaves, but for distributions. */
const LEAST_POINTS = 60;
/** The most lists of bounds that the distributions of a metric share, and how long each may be. */
const MAX_SHARED = 4;
const MAX_SHARED_BOUNDS = 256;

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
    /** The most numbers in the points that a series of distributions or summaries keeps; one point at
     * least. */
    this.share = Infinity;
    /** The most series: fewer than at first when there was no room for their numbers. */
    this.mostSeries = this.limits.series;
    /** Lists of bounds that are counted for their metric, and not for distributions. */
    this.sharedBounds = new WeakSet();
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
    while (this.cells > this.limits.cells && this.series > 0) this.#shorten();
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
      metric = { ...described, key, series: new Map(), bounds: [], newest: 0 };
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
      if (this.#isFull('series', this.series, this.mostSeries)) return undefined;
      series = { resource: resource.labels, scope, labels, cells: 0, ...this.#store(metric.kind) };
      metric.series.set(key, series);
      this.series += 1;
      // The key holds all labels, and those of the resource are there again for each series.
      this.characters += 2 * key.length;
      this.#count(series, series.rows?.size ?? 0);
    }
    return series;
  }

  /** Whether there is no room for one more of something; if so, counts by what. */
  #isFull(what, size, most = this.limits[what]) {
    const limit = size >= most ? what : this.characters >= this.limits.characters ? 'texts' : '';
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
    if (series.rows) this.#takeNumber(series, time, number(point.asDouble ?? point.asInt), start);
    else if (!(time > (series.last?.time ?? 0))) return;
    else if (metric.kind === 'summary') this.#takeSummary(series, point, time, start);
    else this.#takeDistribution(metric, series, point, time, start);
  }

  #takeNumber(series, time, value, start) {
    const { rows } = series;
    // Again what was here before: from history, or from a sender that tried twice.
    if (value === undefined || rows.get(-1, TIME) >= time) return;
    const before = rows.size;
    rows.push(time, value, start);
    this.#count(series, rows.size - before);
  }

  #takeSummary(series, point, time, start) {
    series.last = { time, start, ...summary(point) };
    this.#keep(series, series.last);
  }

  /** Keeps what has come since the point before, and the newest point as it was sent. */
  #takeDistribution(metric, series, point, time, start) {
    const whole = metric.kind === 'histogram' ? this.#shareBounds(metric, explicit(point)) : exponential(point);
    const cumulative = metric.temporality === 'cumulative';
    const previous = series.last;
    series.last = { time, start, ...whole };
    // Of others, the newest entry of the ring holds the same lists.
    if (cumulative) this.#count(series, this.#cellsOf(series.last) - (previous ? this.#cellsOf(previous) : 0));
    // All that came before it was first seen says nothing of now.
    if (cumulative && !previous) return;
    const restarted = cumulative && previous.start > 0 && start > previous.start;
    const fresh = cumulative && !restarted ? difference(previous, whole) : whole;
    this.#keep(series, { time, start: cumulative ? previous.time : start, ...fresh });
  }

  /** Gives a distribution the list of bounds that others of its metric have, as far as they are few. */
  #shareBounds(metric, distribution) {
    const shared = withBoundsOf(metric.bounds, distribution);
    const { bounds } = distribution;
    if (shared === distribution && metric.bounds.length < MAX_SHARED && bounds.length <= MAX_SHARED_BOUNDS) {
      metric.bounds.push(bounds);
      this.sharedBounds.add(bounds);
      this.cells += bounds.length;
    }
    return shared;
  }

  #keep(series, entry) {
    this.#count(series, this.#cellsOf(entry));
    const gone = series.ring.push(entry);
    if (gone) this.#count(series, -this.#cellsOf(gone));
    this.#trim(series);
  }

  /** Takes the oldest points of a series out that are more than its share. */
  #trim(series) {
    while (series.cells > this.share && series.ring.length > 1) this.#count(series, -this.#cellsOf(series.ring.shift()));
  }

  #count(series, cells) {
    series.cells += cells;
    this.cells += cells;
  }

  #cellsOf(entry) {
    if (entry.quantiles) return 4 + 2 * entry.quantiles.length;
    const isOwn = entry.bounds && !this.sharedBounds.has(entry.bounds);
    return weight(entry) + (isOwn ? entry.bounds.length : 0);
  }

  /** Makes some room, in the way that costs the reader least. */
  #shorten() {
    const all = [...this.byKey.values()].flatMap((metric) => [...metric.series].map(([key, series]) => ({ metric, key, series })));
    if (this.points > LEAST_POINTS) {
      this.#halve(all);
      return;
    }
    // There is no room for more of them.
    this.mostSeries = Math.min(this.mostSeries, this.series);
    const shortened = all.filter(({ series }) => series.ring?.length > 1).map(({ series }) => series.cells);
    const heaviest = shortened.reduce((most, cells) => Math.max(most, cells), 0);
    if (heaviest > 0) {
      this.share = Math.min(this.share, heaviest) / 2;
      for (const { series } of all) if (series.ring) this.#trim(series);
      return;
    }
    while (this.cells > this.limits.cells && all.length > 0) this.#remove(all.pop());
    this.mostSeries = this.series;
  }

  /** Each series keeps half as many points as before. */
  #halve(all) {
    this.points = Math.max(Math.floor(this.points / 2), LEAST_POINTS);
    for (const { series } of all) {
      const { rows, ring } = series;
      const before = rows?.size ?? 0;
      while (ring?.length > this.points) this.#count(series, -this.#cellsOf(ring.shift()));
      (rows ?? ring).shrink(this.points);
      if (rows) this.#count(series, rows.size - before);
    }
  }

  #remove({ metric, key, series }) {
    metric.series.delete(key);
    this.series -= 1;
    this.characters -= 2 * key.length;
    this.refused.series += 1;
    this.#count(series, -series.cells);
  }
}

/** The point of a summary. */
function summary(point) {
  const quantiles = (point.quantileValues ?? []).map(({ quantile, value }) => ({
    quantile: number(quantile) ?? 0,
    value: number(value) ?? 0,
  }));
  return { count: number(point.count) ?? 0, sum: number(point.sum) ?? 0, quantiles };
}
