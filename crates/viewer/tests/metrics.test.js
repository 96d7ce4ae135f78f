import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIMITS, Metrics, TIME, VALUE } from '../web/core/metrics.js';
import { counter, gauge, metricOf, nanos } from './samples.js';

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

/** Counts the numbers that are really there. */
function cells(metrics) {
  let sum = 0;
  for (const { series } of metrics.byKey.values()) for (const { rows, ring } of series.values()) sum += rows ? rows.size : ring.toArray().reduce((all, { counts }) => all + 8 + counts.length, 0);
  return sum;
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
  for (const { rows } of metrics.named('g')[0].series.values()) assert.equal(rows.get(-1, TIME), 399_000);
});
