import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hasText } from '../web/core/attributes.js';
import { Metrics } from '../web/core/metrics.js';
import { chart, knownLabels, metricRow } from '../web/core/rows.js';
import { gauge, metricOf, nanos } from './samples.js';

const span = { from: 0, to: 60_000, until: Infinity };

/** Guarantees: the row of a metric says what it is, how many series it has, and its newest value. */
test('rows of metrics', () => {
  const metrics = new Metrics();
  metrics.add(gauge('g', 50, 2, { a: 'x' }));
  metrics.add(gauge('g', 50, 4, { a: 'y' }));
  const row = metricRow(metrics.all()[0], undefined, span, 1);
  assert.deepEqual([row.name, row.kind, row.series, row.newest, row.how], ['g', 'gauge', 2, 3, 'mean']);
  assert.ok(row.values.length <= 61);
});

/** Guarantees: a row is computed again when it is due, or when another filter is asked for. */
test('rows are thrifty', () => {
  const metrics = new Metrics();
  metrics.add(gauge('g', 50, 2, { a: 'x' }));
  const [metric] = metrics.all();
  const newest = (matches, now) => metricRow(metric, matches, { ...span, to: 60_000 + now }, now).newest;
  assert.equal(newest(undefined, 0), 2);
  metrics.add(gauge('g', 51, 9, { a: 'x' }));
  assert.equal(newest(undefined, 10), 2);
  assert.equal(newest(() => true, 10), 9);
  assert.equal(newest(undefined, 100_000), 9);
});

/** Guarantees: what comes after a time is left out: that is how a chart stands still. */
test('until', () => {
  const metrics = new Metrics();
  metrics.add(gauge('g', 50, 2));
  metrics.add(gauge('g', 55, 9));
  const [metric] = metrics.all();
  assert.equal(chart(metric, {}, undefined, { ...span, until: 52_000 }).lines[0].newest, 2);
  assert.equal(chart(metric, {}, undefined, span).lines[0].newest, 9);
});

/** Guarantees: bars are those of the newest interval of all series, without empty ends. */
test('bars', () => {
  const metrics = new Metrics();
  const point = (seconds, counts) => ({ startTimeUnixNano: nanos(seconds - 1), timeUnixNano: nanos(seconds), count: '3', explicitBounds: [1, 2, 3], bucketCounts: counts });
  const send = (...points) => metrics.add(metricOf('h', { histogram: { aggregationTemporality: 1, dataPoints: points } }));
  send(point(10, ['0', '1', '2', '0']), { ...point(10, ['0', '0', '3', '0']), attributes: [{ key: 'a', value: { stringValue: 'x' } }] });
  send(point(20, ['0', '3', '0', '0']));
  const { bars } = chart(metrics.all()[0], {}, undefined, span);
  assert.deepEqual(bars.buckets, [{ low: 1, high: 2, count: 3 }, { low: 2, high: 3, count: 3 }]);
  const before = chart(metrics.all()[0], {}, undefined, { ...span, until: 15_000 });
  assert.deepEqual(before.bars.buckets.map(({ count }) => count), [1, 5]);
});

/**
 * Scenario: series that a list tells apart, and some without it.
 * Guarantees: lines say so, and their labels that no filter can name; such values are not offered.
 */
test('labels without a text', () => {
  const metrics = new Metrics();
  const list = (text) => ({ key: 'list', value: { arrayValue: { values: [{ stringValue: text }] } } });
  for (const attributes of [[list('a')], [list('b')], [{ key: 'list', value: { stringValue: 'c' } }], []]) metrics.add(metricOf('g', { gauge: { dataPoints: [{ timeUnixNano: nanos(50), asDouble: 1, attributes }] } }));
  const [metric] = metrics.all();
  for (const by of ['each', 'attr.list']) {
    const { lines, labels } = chart(metric, { by }, undefined, span, 1);
    const found = lines.map(({ labels }) => labels.filter(([name]) => name === 'attr.list').map((label) => [label[1], hasText(label)]));
    assert.deepEqual(found.flat().sort(), [...(by === 'each' ? [] : [['', false]]), ['[a]', false], ['[b]', false], ['c', true]]);
    assert.deepEqual(labels, [{ name: 'attr.list', count: 3, values: ['c'] }]);
  }
  assert.deepEqual(knownLabels([metric]), [{ name: 'attr.list', values: ['c'] }]);
});

/** Guarantees: labels that differ come first, and no more than so many. */
test('labels', () => {
  const metrics = new Metrics();
  for (let at = 0; at < 3; at += 1) metrics.add(gauge('g', 50, 2, { same: 'x', differs: at }, { 'service.name': 's' }));
  const { labels } = chart(metrics.all()[0], {}, undefined, span);
  assert.deepEqual(labels.map(({ name, count }) => [name, count]), [['attr.differs', 3], ['attr.same', 1], ['resource.service.name', 1]]);
  for (let at = 0; at < 100; at += 1) metrics.add(gauge('g', 50, 2, { [`k${at}`]: at }));
  assert.equal(knownLabels(metrics.all()).length, 40);
});
