import assert from 'node:assert/strict';
import { test } from 'node:test';

import { edgeOf } from '../web/core/clock.js';
import { Link } from '../web/core/link.js';
import { Meter } from '../web/core/meter.js';

/** Guarantees: the first connection asks for history, later ones for what came since. */
test('resuming', () => {
  const link = new Link();
  assert.deepEqual(link.begin('50'), [['replay', '50']]);
  link.opened();
  assert.equal(link.told({ type: 'hello', epoch: 'e1', seq: '6', recovered: true }), undefined);
  assert.ok(link.passed({ epoch: 'e1', seq: '7' }));
  assert.ok(!link.passed({ epoch: 'e1', seq: '7' }), 'it was seen');
  assert.ok(link.passed({ epoch: 'e1', seq: '10' }), 'holes in numbers are normal');
  assert.ok(link.closed(1006) > 0);
  assert.deepEqual(link.begin('50'), [['since', 'e1:10']]);
  assert.equal(link.told({ type: 'hello', epoch: 'e1', seq: '10', recovered: true }), undefined);
  assert.deepEqual([link.lost, link.breaks], [0, 0]);
});

/** Guarantees: a connection that broke before anything came is resumed from where it began. */
test('resuming without data', () => {
  const link = new Link();
  link.begin('all');
  link.told({ type: 'hello', epoch: 'e1', seq: '41', recovered: true });
  link.closed(1006);
  assert.deepEqual(link.begin('all'), [['since', 'e1:41']]);
});

/** Guarantees: a relay that has started anew is a break, and its numbers begin anew. */
test('another life of the relay', () => {
  const link = new Link();
  link.begin();
  link.told({ type: 'hello', epoch: 'e1' });
  link.passed({ epoch: 'e1', seq: '900' });
  link.closed(1006);
  link.begin();
  assert.deepEqual(link.told({ type: 'hello', epoch: 'e2', seq: '0', recovered: false }), { kind: 'break', dropped: 0 });
  assert.ok(link.passed({ epoch: 'e2', seq: '1' }));
  assert.equal(link.breaks, 1);
});

/** Guarantees: what the relay tells to be lost is counted. */
test('gaps', () => {
  const link = new Link();
  assert.deepEqual(link.told({ type: 'gap', dropped: '12', afterSeq: '3', reason: 'slow' }), { kind: 'lost', dropped: 12 });
  link.told({ type: 'gap', dropped: '3' });
  assert.equal(link.lost, 15);
  assert.equal(link.told({ type: 'anything' }), undefined);
});

/** Guarantees: a view that is come back to goes on where it was left; if history is too short for it,
 * that is a gap, but none of the relay. */
test('coming back to a view', () => {
  const link = new Link();
  link.begin('all');
  link.told({ type: 'hello', epoch: 'e1', seq: '5' });
  const left = link.cursor;
  link.turn();
  assert.deepEqual(link.begin('all'), [['replay', 'all']]);
  link.turn(left);
  assert.deepEqual(link.begin('all'), [['since', 'e1:5']]);
  assert.deepEqual(link.told({ type: 'hello', epoch: 'e1', seq: '90', recovered: false }), { kind: 'away', dropped: 0 });
  assert.equal(link.breaks, 0);
});

/** Guarantees: of frames without numbers, every break of the connection is a gap, and nothing else. */
test('frames without numbers', () => {
  const link = new Link();
  link.begin('');
  assert.equal(link.openedPlain(), undefined);
  link.closed(1006);
  link.begin('');
  assert.deepEqual(link.openedPlain(), { kind: 'break', dropped: 0 });
  assert.equal(link.openedPlain(), undefined);
  assert.equal(link.breaks, 1);
});

/** Guarantees: waits grow up to a limit, and begin anew after a success; some codes are final. */
test('coming again', () => {
  const link = new Link();
  const waits = Array.from({ length: 10 }, () => link.closed(1006, 1));
  assert.deepEqual(waits.slice(0, 3), [250, 500, 1000]);
  assert.equal(Math.max(...waits), 5000);
  link.opened();
  assert.equal(link.closed(1001, 1), 250);
  assert.equal(link.closed(3008, 0) > 0, true);
  for (const code of [1008, 3500, 3999]) {
    assert.equal(link.closed(code), undefined);
    assert.equal(link.state, 'refused');
  }
  link.turn();
  assert.equal(link.state, 'idle');
  assert.deepEqual(link.begin('1'), [['replay', '1']]);
});

/** Guarantees: the mean of the last five whole seconds; what is older doesn't count. */
test('meters', () => {
  const meter = new Meter();
  for (let at = 0; at < 10_000; at += 100) meter.add(1, 1_000_000 + at);
  assert.equal(meter.rate(1_010_000), 10);
  assert.equal(meter.rate(1_012_000), 6);
  assert.equal(meter.rate(1_060_000), 0);
  assert.equal(meter.total, 100);
  meter.add(5, 999_000);
  assert.deepEqual([meter.total, meter.rate(1_060_000)], [105, 0]);
  meter.add(5, 1_058_000);
  assert.equal(meter.rate(1_060_000), 1, 'it came late');
});

/** Guarantees: charts go by the clock here, unless data is from another time. */
test('the right edge', () => {
  assert.equal(edgeOf(100_000, 0, 0), 100_000);
  assert.equal(edgeOf(100_000, 95_000, 99_000), 100_000);
  assert.equal(edgeOf(100_000, 130_000, 99_000), 131_000);
  assert.equal(edgeOf(10_000_000, 1000, 9_990_000), 11_000);
});
