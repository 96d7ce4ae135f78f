import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIMITS, Metrics, TIME, VALUE } from '../web/core/metrics.js';
import { attributes, counter, gauge, metricOf, nanos } from './samples.js';

const only = (map) => [...map.values()][0];

/** Guarantees: attribute sets and resources make series; names, units and kinds make metrics. */
test('series', () => {
  const metrics = new Metrics();
  metrics.add(gauge('g', 1, 1, { a: 'x' }));
  metrics.add(gauge('g', 2, 2, { a: 'x' }));
  metrics.add(gauge('g', 2, 2, { a: 'y' }));
  metrics.add(gauge('g', 2, 2, { a: 'x' }, { 'service.name': 'other' }));
  metrics.add(counter('g', 2, 2));
  assert.deepEqual(metrics.named('g').map(({ kind, series }) => [kind, series.size]), [['gauge', 3], ['sum', 1]]);
  const { rows } = only(metrics.named('g')[0].series);
  assert.deepEqual([rows.length, rows.get(-1, TIME), rows.get(-1, VALUE)], [2, 2000, 2]);
  assert.equal(metrics.newest, 2000);
});

/** Guarantees: what comes again changes nothing, and a point without a value is none. */
test('points that come again', () => {
  const metrics = new Metrics();
  for (const seconds of [5, 5, 4, 6]) metrics.add(gauge('g', seconds, seconds));
  assert.equal(only(metrics.named('g')[0].series).rows.length, 2);
  metrics.add(metricOf('g', { gauge: { dataPoints: [{ timeUnixNano: nanos(9), flags: 1 }] } }));
  assert.equal(only(metrics.named('g')[0].series).rows.length, 2);
});

/** Guarantees: "NaN" and 64-bit integers are read as numbers. */
test('numbers', () => {
  const metrics = new Metrics();
  metrics.add(gauge('g', 1, 'NaN'));
  metrics.add(gauge('g', 2, '-Infinity'));
  const { rows } = only(metrics.named('g')[0].series);
  assert.ok(Number.isNaN(rows.get(0, VALUE)));
  assert.equal(rows.get(1, VALUE), -Infinity);
});

const cumulative = (seconds, counts, start = 0) => {
  const count = String(counts.reduce((sum, one) => sum + one, 0));
  const point = { timeUnixNano: nanos(seconds), startTimeUnixNano: nanos(start), count, sum: 1, explicitBounds: [1], bucketCounts: counts.map(String) };
  return metricOf('h', { histogram: { aggregationTemporality: 2, dataPoints: [point] } });
};

/** Guarantees: of a cumulative histogram, what came in between is kept; a new start is a reset. */
test('histograms', () => {
  const metrics = new Metrics();
  metrics.add(cumulative(1, [5, 5], 0.5));
  metrics.add(cumulative(2, [5, 7], 0.5));
  metrics.add(cumulative(3, [6, 8], 2.5));
  const series = only(metrics.named('h')[0].series);
  assert.deepEqual(series.ring.toArray().map(({ time, start, counts }) => [time, start, counts]), [[2000, 1000, [0, 2]], [3000, 2000, [6, 8]]]);
  assert.deepEqual(series.last.counts, [6, 8]);
});

/** Guarantees: metrics and series over the limits are counted and not kept. */
test('limits of names and series', () => {
  const metrics = new Metrics({ ...LIMITS, metrics: 2, series: 3 });
  for (let at = 0; at < 5; at += 1) metrics.add(gauge(`m${at}`, 1, 1));
  for (let at = 0; at < 5; at += 1) metrics.add(gauge('m0', 1, 1, { at }));
  assert.equal(metrics.byKey.size, 2);
  assert.equal(metrics.series, 3);
  assert.deepEqual(metrics.refused, { metrics: 3, series: 4, texts: 0 });
  metrics.clear();
  assert.deepEqual([metrics.series, metrics.cells, metrics.byKey.size], [0, 0, 0]);
});

/** Guarantees: names and labels that are long are bounded together, whatever their number. */
test('limits of texts', () => {
  const metrics = new Metrics({ ...LIMITS, characters: 10_000 });
  for (let at = 0; at < 5; at += 1) metrics.add(gauge('m', 1, 1, { at: `${at}${'x'.repeat(2000)}` }));
  assert.deepEqual([metrics.series, metrics.refused.texts], [3, 2]);
  metrics.add(gauge('other', 1, 1));
  assert.deepEqual([metrics.byKey.size, metrics.refused.texts], [1, 3]);
});

/** Counts the numbers that are really there: no list twice, and 8 for what stands beside the lists. */
function cells(metrics) {
  const lists = new Set();
  let sum = 0;
  const note = (entry) => {
    sum += entry.quantiles ? 4 : 8;
    const { bounds, counts, positive, negative, quantiles } = entry;
    for (const list of [bounds, counts, positive?.counts, negative?.counts, quantiles, quantiles]) if (list) quantiles ? (sum += list.length) : lists.add(list);
  };
  for (const { series, kind, temporality } of metrics.byKey.values()) {
    for (const { rows, ring, last } of series.values()) {
      if (rows) sum += rows.size;
      ring?.toArray().forEach(note);
      if (last && kind !== 'summary' && temporality === 'cumulative') note(last);
    }
  }
  return [...lists].reduce((all, { length }) => all + length, sum);
}

/** Guarantees: however long it goes on and however many series there are, memory stays bounded, and
 * every series keeps its newest points. */
test('limits of points', () => {
  const limits = { ...LIMITS, series: 100, points: 500, cells: 30_000 };
  const metrics = new Metrics(limits);
  for (let step = 1; step < 400; step += 1) {
    for (let at = 0; at < 50; at += 1) metrics.add(gauge('g', step, step, { at }));
    metrics.add(cumulative(step, [step, step]));
    assert.ok(metrics.cells <= limits.cells, `${metrics.cells} at ${step}`);
    assert.equal(cells(metrics), metrics.cells);
  }
  assert.ok(metrics.points < 500);
  assert.equal(metrics.share, Infinity, 'nothing else had to go');
  for (const { rows } of metrics.named('g')[0].series.values()) assert.equal(rows.get(-1, TIME), 399_000);
});

/** A request of one point of an exponential histogram with so many buckets, delta or cumulative. */
const exponential = (seconds, buckets, labels = {}, aggregationTemporality = 1) => {
  const count = aggregationTemporality === 1 ? 1 : seconds;
  const point = { timeUnixNano: nanos(seconds), startTimeUnixNano: nanos(aggregationTemporality === 1 ? seconds - 1 : 0.5), count: String(buckets * count), scale: 3, positive: { offset: 0, bucketCounts: new Array(buckets).fill(String(count)) }, attributes: attributes(labels) };
  return metricOf('e', { exponentialHistogram: { aggregationTemporality, dataPoints: [point] } });
};

/**
 * Scenario: 100 series of 160 buckets, delta and cumulative, beside small ones and a gauge, for longer
 * than there is room; series that are new when there is none.
 * Guarantees: never more numbers than are allowed, and they are those that are there; each series
 * keeps its newest points, of heavy ones fewer, and of gauges as many as there may be; new series are
 * counted and not kept.
 */
test('limits of distributions', () => {
  for (const temporality of [1, 2]) {
    const limits = { ...LIMITS, points: 200, cells: 60_000 };
    const metrics = new Metrics(limits);
    for (let step = 1; step <= 150; step += 1) {
      for (let at = 0; at < 100; at += 1) metrics.add(exponential(step, 160, { at }, temporality));
      metrics.add(exponential(step, 4, { at: 'small' }, temporality));
      metrics.add(gauge('g', step, step));
      assert.ok(metrics.cells <= limits.cells, `${metrics.cells} at ${step}`);
      if (step % 10 === 0) assert.equal(cells(metrics), metrics.cells);
    }
    const [{ series }] = metrics.named('e');
    const lengths = [...series.values()].map(({ ring }) => ring.length);
    assert.equal(series.size, 101);
    assert.ok(lengths.pop() > 20, 'the small one');
    assert.ok(Math.min(...lengths) >= 1 && Math.max(...lengths) <= 3, `${lengths}`);
    for (const { ring } of series.values()) assert.equal(ring.at(-1).time, 150_000);
    assert.equal(only(metrics.named('g')[0].series).rows.length, 60);
    metrics.add(exponential(151, 4, { at: 'new' }, temporality));
    assert.deepEqual([metrics.series, metrics.refused.series], [102, 1]);
  }
});

/**
 * Scenario: so many and so large distributions that there is no room for one point of each.
 * Guarantees: the last series go, are counted, and stay out; the others go on. After they are
 * cleared, the limits are what they were.
 */
test('distributions that have no room', () => {
  const limits = { ...LIMITS, cells: 10_000 };
  const metrics = new Metrics(limits);
  const send = (step) => {
    for (let at = 0; at < 100; at += 1) metrics.add(exponential(step, 500, { at }));
  };
  for (let step = 1; step < 5; step += 1) send(step);
  assert.ok(metrics.cells <= limits.cells && metrics.series > 10, `${metrics.series}`);
  assert.equal(cells(metrics), metrics.cells);
  assert.ok(metrics.refused.series >= 80);
  assert.equal(only(metrics.named('e')[0].series).ring.at(-1).time, 4000);
  metrics.clear();
  for (let at = 0; at < 200; at += 1) metrics.add(gauge('g', 1, 1, { at }));
  assert.deepEqual([metrics.series, metrics.refused.series, metrics.points, metrics.share, metrics.characters > 0], [200, 0, LIMITS.points, Infinity, true]);
});

/**
 * Scenario: a histogram of many series with equal bounds, of some with bounds of their own, and of one
 * that has others with every point.
 * Guarantees: equal bounds are one list, counted once; all that are kept are counted.
 */
test('bounds are shared', () => {
  const metrics = new Metrics();
  const send = (step, at, bounds) => metrics.add(metricOf('h', { histogram: { aggregationTemporality: 1, dataPoints: [{ timeUnixNano: nanos(step), count: '1', explicitBounds: bounds, bucketCounts: ['1', ...bounds.map(() => '0')], attributes: attributes({ at }) }] } }));
  for (let step = 1; step <= 20; step += 1) {
    for (let at = 0; at < 20; at += 1) send(step, at, [1, 2, 3]);
    for (let at = 20; at < 30; at += 1) send(step, at, [at, at + 1]);
    send(step, 'other', Array.from({ length: 300 }, (_, bound) => bound + step));
    assert.equal(cells(metrics), metrics.cells);
  }
  const lists = new Set([...metrics.named('h')[0].series.values()].slice(0, 20).flatMap(({ ring }) => ring.toArray().map(({ bounds }) => bounds)));
  assert.equal(lists.size, 1);
});
