import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hasText, labelsKey, labelsOf, valueText } from '../web/core/attributes.js';
import { countItems, eachPoint, milliseconds, signalOf } from '../web/core/otlp.js';
import { counter, gauge, metricOf, nanos, records, spans } from './samples.js';

/** Guarantees: every kind of value has the text that the relay's filters compare. */
test('values as text', () => {
  const texts = [
    [{ stringValue: 'a' }, 'a'],
    [{ intValue: '9007199254740993' }, '9007199254740993'],
    [{ doubleValue: 1.5 }, '1.5'],
    [{ doubleValue: 'NaN' }, 'NaN'],
    [{ boolValue: false }, 'false'],
    [{ bytesValue: 'AQI=' }, 'AQI='],
    [{ arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }] } }, '[a, 1]'],
    [{ arrayValue: {} }, '[]'],
    [{ kvlistValue: { values: [{ key: 'k', value: { boolValue: true } }] } }, '{k: true}'],
    [{}, ''],
    [undefined, ''],
  ];
  for (const [value, text] of texts) assert.equal(valueText(value), text);
});

/**
 * Scenario: doubles of all sizes; values of every kind as labels.
 * Guarantees: doubles are written as the relay's filters compare them (`zmij`, with an exponent below
 * 1e-5 and from 1e16 on); of lists, maps and bytes it is known that these find no text there.
 */
test('texts that filters compare', () => {
  const texts = [
    [3, '3.0'], [-3, '-3.0'], [0, '0.0'], [-0, '-0.0'], [0.1, '0.1'], [123456.75, '123456.75'],
    [1e15, '1000000000000000.0'], [1234567890123456, '1234567890123456.0'], [1e16, '1e+16'], [12345678901234567, '1.2345678901234568e+16'], [1e20, '1e+20'], [1e300, '1e+300'],
    [0.00001, '0.00001'], [0.000012345, '0.000012345'], [0.000001, '1e-6'], [1.5e-7, '1.5e-7'], [5e-324, '5e-324'], [-1.5e-300, '-1.5e-300'],
    ['Infinity', 'Infinity'], ['NaN', 'NaN'],
  ];
  for (const [doubleValue, text] of texts) assert.equal(valueText({ doubleValue }), text);
  const compared = (value) => hasText(labelsOf([{ key: 'k', value }])[0]);
  for (const value of [{ stringValue: '[a]' }, { stringValue: '' }, { intValue: '1' }, { doubleValue: 1 }, { boolValue: false }, {}, undefined]) assert.ok(compared(value));
  for (const value of [{ arrayValue: {} }, { kvlistValue: { values: [] } }, { bytesValue: '' }, { bytesValue: 'AQI=' }]) assert.ok(!compared(value));
});

/** Guarantees: a value in itself, 100,000 deep, ends. */
test('values of any depth', () => {
  let value = { stringValue: 'x' };
  for (let depth = 0; depth < 100_000; depth += 1) value = { arrayValue: { values: [value] } };
  assert.ok(valueText(value).length < 100);
});

/** Guarantees: the order of attributes makes no series, and no two sets are taken for one. */
test('keys of labels', () => {
  const key = (...pairs) => labelsKey(labelsOf(pairs.map(([key, text]) => ({ key, value: { stringValue: text } }))));
  assert.equal(key(['a', '1'], ['b', '2']), key(['b', '2'], ['a', '1']));
  const keys = [key(), key(['a', '']), key(['', 'a']), key(['a', '1:b']), key(['a', '1'], ['b', '']), key(['a1', 'b'])];
  assert.equal(new Set(keys).size, keys.length);
});

/** Guarantees: nanoseconds become milliseconds without a loss that could be seen. */
test('times', () => {
  assert.equal(milliseconds('1700000000123456789'), 1700000000123.4568);
  assert.equal(milliseconds('999999'), 0.999999);
  assert.equal(milliseconds('0'), 0);
  assert.equal(milliseconds(undefined), 0);
  assert.equal(milliseconds(1_000_000), 1);
});

/** Guarantees: each point comes with its metric, its resource and scope. */
test('points', () => {
  const seen = [];
  const visit = (metric, point, resource, scope) => seen.push([metric.name, metric.kind, metric.temporality, metric.monotonic, point.asInt, resource.labels, scope]);
  eachPoint(counter('c', 1, 5), visit);
  assert.deepEqual(seen, [['c', 'sum', 'cumulative', true, '5', [], 'tests']]);
  eachPoint({}, () => assert.fail());
  eachPoint(metricOf('nothing', {}), () => assert.fail());
});

/** Guarantees: items are what OTLP counts: points, spans, records. */
test('items and signals', () => {
  for (const [request, signal] of [[gauge('g', 1, 2), 'metrics'], [spans([{ id: 'a' }]), 'traces'], [records([{ timeUnixNano: nanos(1) }]), 'logs']]) {
    assert.equal(signalOf(request), signal);
    assert.equal(countItems(signal, request), 1);
  }
  assert.equal(signalOf({}), '');
  assert.equal(countItems('profiles', {}), 0);
});
