import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseFilter } from '../web/core/filter.js';
import { Logs, select, severityName, severityNumber } from '../web/core/logs.js';
import { attributes, nanos, records } from './samples.js';

const record = (body, severityNumber = 9, others = {}) => ({ timeUnixNano: nanos(1), severityNumber, body: { stringValue: body }, ...others });
const found = (logs, filter, least = 0) => select(logs.ring.toArray(), parseFilter(filter), least).map(({ body }) => body);

/** Guarantees: text is found in all of a record, whatever its case; clauses and severity count. */
test('filters', () => {
  const logs = new Logs();
  logs.add(records([record('Payment FAILED', 17, { attributes: attributes({ 'user.id': 'u7' }), traceId: 'abc' }), record('ok')]), 5);
  logs.add(records([record('ok too')], { 'service.name': 'cart' }), 5);
  assert.deepEqual(found(logs, 'failed'), ['Payment FAILED']);
  assert.deepEqual(found(logs, 'user.id=u7'), ['Payment FAILED']);
  assert.deepEqual(found(logs, 'attr.user.id=u*'), ['Payment FAILED']);
  assert.deepEqual(found(logs, 'resource.service.name=cart'), ['ok too']);
  assert.deepEqual(found(logs, 'ok cart'), ['ok too']);
  assert.deepEqual(found(logs, 'abc'), ['Payment FAILED']);
  assert.deepEqual(found(logs, '', severityNumber('WARN')), ['Payment FAILED']);
  assert.deepEqual(found(logs, 'nothing'), []);
});

/** Guarantees: gaps are shown, whatever is filtered. */
test('gaps', () => {
  const logs = new Logs();
  logs.add(records([record('a')]), 5);
  logs.addGap('3 exports were lost here', 9);
  assert.deepEqual(select(logs.ring.toArray(), parseFilter('zzz'), 17).map(({ gap }) => gap), ['3 exports were lost here']);
});

/** Guarantees: as many records, and as much text, as there may be; ids go on. */
test('limits', () => {
  const logs = new Logs({ records: 10, characters: 50_000 });
  for (let at = 0; at < 25; at += 1) logs.add(records([record(`r${at}`)]), 5);
  assert.equal(logs.ring.length, 10);
  assert.equal(logs.gone, 15);
  assert.equal(logs.ring.at(-1).id, 25);
  logs.add(records([record('x'.repeat(14_000))]), 5);
  assert.ok(logs.characters <= 50_000);
  logs.add(records([record('y'.repeat(90_000))]), 5);
  assert.equal(logs.ring.length, 1, 'the newest stays');
});

/** Guarantees: a record without a time has the one it was observed at, or came at. */
test('times', () => {
  const logs = new Logs();
  logs.add(records([{ observedTimeUnixNano: nanos(7) }, {}]), 5);
  assert.deepEqual(logs.ring.toArray().map(({ time }) => time), [7000, 5]);
});

/** Guarantees: numbers and names of severities go together as in logs.proto. */
test('severities', () => {
  assert.deepEqual([0, 1, 8, 9, 13, 17, 21, 24, 25].map(severityName), ['', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'FATAL', '']);
  assert.deepEqual(['', 'TRACE', 'WARN', 'FATAL'].map(severityNumber), [0, 1, 13, 21]);
});
