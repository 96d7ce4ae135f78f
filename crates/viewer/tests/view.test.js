import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addressOf, initialView, queryOf, readView, requestOf, showsCharts, writeView } from '../web/core/view.js';

const view = (change) => ({ ...initialView(), ...change });

/** Guarantees: what is written is read again as the same view, whatever names hold. */
test('there and back', () => {
  for (const change of [
    {},
    { metrics: ['a', 'b&c=d#%', 'ü 1'], charts: { a: { mode: 'p99', by: 'attr.k' } }, window: '30m', filter: 'x "y z" attr.k=v&w' },
    { metrics: ['a'], list: true },
    { tab: 'logs', severity: 'WARN', filter: 'a' },
    { tab: 'traces', trace: 'abc' },
    { tab: 'traces', failed: true },
    { tab: 'raw', path: 'ws/logs', format: 'points' },
  ]) {
    const one = view(change);
    assert.deepEqual(readView(writeView(one)), one);
  }
  assert.equal(writeView(initialView()), '#/metrics');
});

/** Guarantees: nonsense in an address becomes the initial view. */
test('nonsense', () => {
  for (const fragment of ['', '#', '#/nowhere', '#/metrics?window=9y&severity=LOUD&path=../x&format=xml', '#?%', '#/metrics?%zz']) {
    assert.deepEqual(readView(fragment), initialView(), fragment);
  }
  assert.equal(readView(`#/metrics?${'m=a&m=b&'.repeat(9)}${Array.from({ length: 40 }, (_, at) => `m=${at}`).join('&')}`).metrics.length, 12);
});

/** Guarantees: three charts ask for three metrics; a list asks for all, with the filter. */
test('what is asked of the relay', () => {
  const charts = view({ metrics: ['a', 'b'], filter: 'attr.k=v text metric=z* span=no' });
  assert.ok(showsCharts(charts));
  assert.deepEqual(requestOf(charts).parameters, [['metric', 'a'], ['metric', 'b'], ['attr.k', 'v']]);
  assert.deepEqual(requestOf(view({ metrics: ['a*'] })).parameters, [['metric', 'a\\*']]);
  assert.deepEqual(requestOf({ ...charts, list: true }).parameters, [['attr.k', 'v'], ['metric', 'z*']]);
  const logs = requestOf(view({ tab: 'logs', severity: 'WARN', filter: 'resource.service.name=a' }));
  assert.deepEqual([logs.path, logs.parameters], ['ws/logs', [['resource.service.name', 'a'], ['severity', 'WARN']]]);
  assert.deepEqual(requestOf(view({ tab: 'raw', path: 'ws', format: 'points' })).parameters, [['format', 'points']]);
});

/** Guarantees: addresses keep the prefix of the page, its host and its security. */
test('addresses', () => {
  assert.equal(addressOf('http://h:1/', 'ws/metrics', [['metric', 'a b&c']]), 'ws://h:1/ws/metrics?metric=a+b%26c');
  assert.equal(addressOf('https://h/tools/otel/', 'ws', []), 'wss://h/tools/otel/ws');
  assert.equal(addressOf('https://h/otel/', 'x', [], 'http'), 'https://h/otel/x');
  assert.equal(queryOf([]), '');
});
