import assert from 'node:assert/strict';
import { test } from 'node:test';

import { breakLines, linesOf, MAX_LINES, modesOf, stepOf } from '../web/core/lines.js';
import { chart } from '../web/core/rows.js';
import { Metrics } from '../web/core/metrics.js';
import { attributes, counter, gauge, metricOf, nanos } from './samples.js';

/** The lines of the only metric of some requests, over a minute. */
function draw(requests, view = {}) {
  const metrics = new Metrics();
  requests.forEach((request) => metrics.add(request));
  const [metric] = metrics.all();
  return linesOf(metric, { from: 0, to: 60_000, mode: modesOf(metric)[0], groupBy: 'each', ...view });
}

/** The known values of a line, by second. */
function known({ times }, { values }) {
  return Object.fromEntries(values.map((value, at) => [times[at], value]).filter(([, value]) => value !== undefined));
}

/** Guarantees: a gauge is drawn as it is, each series by itself, the highest first. */
test('gauges', () => {
  const drawn = draw([gauge('g', 10, 1, { a: 'x' }), gauge('g', 20, 2, { a: 'x' }), gauge('g', 20, 7, { a: 'y' })]);
  assert.deepEqual(drawn.lines.map((line) => [line.labels, known(drawn, line)]), [
    [[['attr.a', 'y']], { 20: 7 }],
    [[['attr.a', 'x']], { 10: 1, 20: 2 }],
  ]);
});

/** Guarantees: counters are drawn as rates, also over resets, and as values if asked for. */
test('counters', () => {
  const requests = [counter('c', 10, 100), counter('c', 20, 150), counter('c', 30, 10)];
  const rates = draw(requests);
  assert.deepEqual(known(rates, rates.lines[0]), { 20: 5, 30: 1 });
  const values = draw(requests, { mode: 'value' });
  assert.deepEqual(known(values, values.lines[0]), { 10: 100, 20: 150, 30: 10 });
});

/** Guarantees: the rate at the left edge is computed from the point before it. */
test('the left edge', () => {
  const drawn = draw([counter('c', 10, 100), counter('c', 20, 150), counter('c', 30, 250)], { from: 15_000 });
  assert.deepEqual(known(drawn, drawn.lines[0]), { 20: 5, 30: 10 });
});

/** Guarantees: up-down counters are values, deltas of them rates. */
test('modes', () => {
  assert.deepEqual(modesOf({ kind: 'sum', monotonic: false, temporality: 'cumulative' }), ['value']);
  assert.equal(modesOf({ kind: 'sum', monotonic: true, temporality: 'delta' })[0], 'rate');
  const delta = draw([counter('c', 10, 50, { start: 5, temporality: 1 })]);
  assert.deepEqual(known(delta, delta.lines[0]), { 10: 10 });
});

/** Guarantees: groups add up rates and average gauges, also if series report at other times. */
test('groups', () => {
  const rates = [10, 20, 30].flatMap((at) => [counter('c', at, at, { labels: { a: 'x', b: at % 20 } }), counter('c', at, 2 * at, { labels: { a: 'x', b: 'z' } })]);
  const grouped = draw([...rates, ...[12, 22, 32].map((at) => counter('c', at, at * 10, { labels: { a: 'x', b: 'w' } }))], { groupBy: 'attr.a' });
  assert.equal(grouped.lines.length, 1);
  assert.deepEqual(grouped.lines[0].labels, [['attr.a', 'x']]);
  const values = known(grouped, grouped.lines[0]);
  // 2 from z and 10 from w; the third reports too seldom for a rate before 30 s.
  assert.equal(values[22], 12);
  assert.ok(Math.abs(values[30] - 13) < 1e-9);
  const mean = draw([gauge('g', 10, 1, { a: 'x' }), gauge('g', 10, 3, { a: 'y' })], { groupBy: '*' });
  assert.deepEqual(known(mean, mean.lines[0]), { 10: 2 });
});

/** Guarantees: a series that has ended is no longer in the sum. */
test('series that end', () => {
  const requests = [];
  for (let at = 1; at <= 50; at += 1) requests.push(gauge('g', at, 1, { a: 'x' }));
  for (let at = 1; at <= 10; at += 1) requests.push(gauge('g', at, 9, { a: 'y' }));
  const drawn = draw(requests, { groupBy: '*' });
  const values = known(drawn, drawn.lines[0]);
  assert.equal(values[10], 5);
  assert.equal(values[40], 1);
});

/** Guarantees: of too many lines the highest are drawn, and the others counted. */
test('many lines', () => {
  const requests = Array.from({ length: 50 }, (_, at) => gauge('g', 10, at, { at }));
  const drawn = draw(requests);
  assert.equal(drawn.lines.length, MAX_LINES);
  assert.equal(drawn.lines[0].newest, 49);
  assert.equal(drawn.hidden, 30);
});

/** Guarantees: a filter leaves those series that match. */
test('filters', () => {
  const drawn = draw([gauge('g', 10, 1, { a: 'x' }), gauge('g', 10, 3, { a: 'y' })], { matches: ({ labels }) => labels[0][1] === 'y' });
  assert.deepEqual(drawn.lines.map(({ newest }) => newest), [3]);
});

const histogram = (seconds, counts, labels = {}) =>
  metricOf('h', {
    histogram: {
      aggregationTemporality: 1,
      dataPoints: [{ startTimeUnixNano: nanos(seconds - 10), timeUnixNano: nanos(seconds), count: String(counts.reduce((a, b) => a + b)), sum: 30, explicitBounds: [10, 20], bucketCounts: counts.map(String), attributes: attributes(labels) }],
    },
  });

/** Guarantees: histograms become quantiles, rates and means; groups are merged before. */
test('histograms', () => {
  const requests = [histogram(20, [10, 0, 0], { a: 'x' }), histogram(20, [0, 10, 0], { a: 'y' })];
  const merged = draw(requests, { groupBy: '*' });
  assert.deepEqual(merged.lines.map(({ labels, newest }) => [labels[0][1], newest]), [['p50', 10], ['p90', 18], ['p99', 19.8]]);
  assert.equal(draw(requests, { groupBy: '*', mode: 'rate' }).lines[0].newest, 2);
  assert.equal(draw(requests, { groupBy: '*', mode: 'mean' }).lines[0].newest, 3);
  assert.deepEqual(draw(requests, { mode: 'p50' }).lines.map(({ newest }) => newest), [15, 5]);
});

/** Guarantees: summaries are drawn by their quantiles, rates by their counts. */
test('summaries', () => {
  const point = (seconds, count) => metricOf('s', { summary: { dataPoints: [{ timeUnixNano: nanos(seconds), count: String(count), sum: count * 2, quantileValues: [{ quantile: 0.5, value: 1 }, { quantile: 0.999, value: 4 }, { value: 0 }] }] } });
  const requests = [point(10, 10), point(20, 30)];
  assert.deepEqual(draw(requests).lines.map(({ labels, newest }) => [labels[0][1], newest]), [['p0', 0], ['p50', 1], ['p99.9', 4]]);
  assert.equal(draw(requests, { mode: 'rate' }).lines[0].newest, 2);
  assert.equal(draw(requests, { mode: 'mean' }).lines[0].newest, 2);
});

/** Guarantees: a grid has never more than a few hundred times. */
test('steps', () => {
  for (const span of [1000, 60_000, 300_000, 3_600_000, 86_400_000]) assert.ok(span / stepOf(span) <= 360);
});

/** Guarantees: of more lines than fit, those that are kept stay, whoever is higher now; without any
 * to keep, the highest are shown. */
test('lines that stay', () => {
  const drawn = (view) => draw(Array.from({ length: MAX_LINES + 5 }, (_, at) => gauge('g', 10, at, { a: at })), view);
  const highest = drawn();
  assert.deepEqual(highest.lines.map(({ newest }) => newest), Array.from({ length: MAX_LINES }, (_, at) => MAX_LINES + 4 - at));
  assert.equal(highest.hidden, 5);
  const lowest = drawn({ kept: new Set(draw([gauge('g', 10, 0, { a: 0 })]).lines.map(({ key }) => key)) });
  assert.equal(lowest.lines[0].newest, 0);
  assert.equal(lowest.lines.length, MAX_LINES);
});

/** Guarantees: a line is broken where something is missing, but no value of it is lost. */
test('breaks', () => {
  const drawn = draw([gauge('g', 10, 1), gauge('g', 20, 2), gauge('g', 30, 3)]);
  breakLines(drawn, [15_000, 20_000, 90_000, -5000]);
  const [{ values }] = drawn.lines;
  const at = (time) => values[drawn.times.indexOf(time)];
  assert.deepEqual([at(10), at(15), at(20), at(25), at(30)], [1, null, 2, undefined, 3]);
  assert.equal(values.length, drawn.times.length);
});

/** Guarantees: a chart keeps its lines for a while, and then shows the highest again. */
test('a chart keeps its lines', () => {
  const metrics = new Metrics();
  const at = (time, value) => Array.from({ length: MAX_LINES + 1 }, (_, at) => metrics.add(gauge('g', time, value(at), { a: at })));
  const shown = (now) => {
    const { lines } = chart(metrics.all()[0], { mode: '', by: '' }, undefined, { from: 0, to: 60_000, until: Infinity }, now);
    return lines.some(({ labels }) => labels[0][1] === '0');
  };
  at(10, (one) => one);
  assert.ok(!shown(0), 'the lowest has no place');
  at(20, (one) => -one);
  assert.ok(!shown(5000), 'nor has it when it is the highest, at once');
  assert.ok(shown(20_000));
});
