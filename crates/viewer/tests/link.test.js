import assert from 'node:assert/strict';
import { test } from 'node:test';

import { edgeOf } from '../web/core/clock.js';
import { Link, Places } from '../web/core/link.js';
import { Flow, Meter } from '../web/core/meter.js';

/** Guarantees: the first connection asks for history, later ones for what came since. */
test('resuming', () => {
  const link = new Link();
  assert.deepEqual(link.begin('50'), [['replay', '50']]);
  link.opened();
  assert.equal(link.told({ type: 'hello', epoch: 'e1', seq: '6', recovered: true }), undefined);
  assert.ok(link.passed({ epoch: 'e1', seq: '7' }));
  assert.ok(!link.passed({ epoch: 'e1', seq: '7' }), 'it was seen');
  assert.ok(link.passed({ epoch: 'e1', seq: '10' }), 'holes in numbers are normal');
  assert.ok(link.closed(1006, 1000) > 0);
  assert.deepEqual(link.begin('50'), [['since', 'e1:10']]);
  assert.equal(link.told({ type: 'hello', epoch: 'e1', seq: '10', recovered: true }), undefined);
  assert.deepEqual([link.lost, link.breaks], [0, 0]);
});

/** Guarantees: a connection that broke before anything came is resumed from where it began. */
test('resuming without data', () => {
  const link = new Link();
  link.begin('all');
  link.told({ type: 'hello', epoch: 'e1', seq: '41', recovered: true });
  link.closed(1006, 1000);
  assert.deepEqual(link.begin('all'), [['since', 'e1:41']]);
});

/**
 * Scenario: the relay is started anew, while a view is watched and while it was left; it has accepted
 * exports before the page is back.
 * Guarantees: that is told once, since when there was no connection, and counted; the next connection
 * asks for all that the history holds, and goes on from there. A view that was left is no other case.
 */
test('another life of the relay', () => {
  for (const come of [(link) => link.closed(1006, 2000), (link) => link.turn(link.leave(2000))]) {
    const link = new Link();
    link.begin('all');
    link.opened();
    link.told({ type: 'hello', epoch: 'e1', seq: '5', recovered: false });
    link.passed({ epoch: 'e1', seq: '900' });
    come(link);
    assert.deepEqual(link.begin('all'), [['since', 'e1:900']]);
    link.opened();
    assert.deepEqual(link.told({ type: 'hello', epoch: 'e2', seq: '3', recovered: false }), { kind: 'restart', dropped: 0, since: 2000 });
    assert.deepEqual(link.begin('all'), [['replay', 'all']]);
    link.opened();
    assert.equal(link.told({ type: 'hello', epoch: 'e2', seq: '0', recovered: false }), undefined);
    assert.ok(link.passed({ epoch: 'e2', seq: '1' }));
    assert.deepEqual(link.begin('all'), [['since', 'e2:1']]);
    assert.equal(link.breaks, 1);
  }
});

/**
 * Scenario: the connection breaks for longer than the history goes back; the relay refuses the page,
 * which is told to try again.
 * Guarantees: it is a break, since when there was no connection, as it would be without a refusal.
 */
test('a break, with a refusal in it', () => {
  for (const meanwhile of [() => {}, (link) => link.refused('no'), (link) => link.closed(1006, 3000)]) {
    const link = new Link();
    link.begin('all');
    link.opened();
    link.told({ type: 'hello', epoch: 'e1', seq: '5' });
    link.closed(1006, 2000);
    meanwhile(link);
    link.retry();
    assert.deepEqual(link.begin('all'), [['since', 'e1:5']]);
    link.opened();
    assert.deepEqual(link.told({ type: 'hello', epoch: 'e1', seq: '90', recovered: false }), { kind: 'break', dropped: 0, since: 2000 });
    assert.equal(link.breaks, 1);
  }
});

/** Guarantees: what the relay tells to be lost is counted. */
test('gaps', () => {
  const link = new Link();
  assert.deepEqual(link.told({ type: 'gap', dropped: '12', afterSeq: '3', reason: 'slow' }), { kind: 'lost', dropped: 12, since: 0 });
  link.told({ type: 'gap', dropped: '3' });
  assert.equal(link.lost, 15);
  assert.equal(link.told({ type: 'anything' }), undefined);
});

/** Guarantees: a view that is come back to goes on where it was left; if history is too short for it,
 * that is a gap that is counted, but none of the relay. */
test('coming back to a view', () => {
  const link = new Link();
  link.begin('all');
  link.opened();
  link.told({ type: 'hello', epoch: 'e1', seq: '5' });
  const left = link.leave(7000);
  link.turn();
  assert.deepEqual(link.begin('all'), [['replay', 'all']]);
  link.turn(left);
  assert.deepEqual(link.begin('all'), [['since', 'e1:5']]);
  assert.deepEqual(link.told({ type: 'hello', epoch: 'e1', seq: '90', recovered: false }), { kind: 'away', dropped: 0, since: 7000 });
  assert.equal(link.breaks, 1);
});

/**
 * Scenario: a view is left while it can't be reached, or before it ever could.
 * Guarantees: what is missing is missing since there was a connection; without one, nothing is.
 */
test('leaving a view that is not reached', () => {
  const link = new Link();
  link.closed(1006, 1000);
  assert.deepEqual(link.leave(2000), { epoch: '', seq: '', reached: false, since: 0 });
  link.opened();
  link.told({ type: 'hello', epoch: 'e1', seq: '5' });
  link.closed(1006, 3000);
  link.closed(1006, 4000);
  assert.deepEqual(link.leave(5000), { epoch: 'e1', seq: '5', reached: true, since: 3000 });
});

/**
 * Scenario: frames without numbers; the relay is not there at first, then its connection breaks.
 * Guarantees: every break of a connection is a gap, and nothing else: none is before the first.
 */
test('frames without numbers', () => {
  const link = new Link();
  link.begin('');
  link.closed(1006, 1000);
  assert.ok(!link.reached);
  link.begin('');
  link.opened();
  assert.equal(link.openedPlain(), undefined);
  link.closed(1006, 2000);
  link.begin('');
  link.opened();
  assert.deepEqual(link.openedPlain(), { kind: 'break', dropped: 0, since: 2000 });
  assert.equal(link.openedPlain(), undefined);
  assert.equal(link.breaks, 1);
});

/** Guarantees: waits grow up to a limit, and begin anew after a success; some codes are final. */
test('coming again', () => {
  const link = new Link();
  const waits = Array.from({ length: 10 }, () => link.closed(1006, 1000, 1));
  assert.deepEqual(waits.slice(0, 3), [250, 500, 1000]);
  assert.equal(Math.max(...waits), 5000);
  link.opened();
  assert.equal(link.closed(1001, 1000, 1), 250);
  assert.equal(link.closed(3008, 1000, 0) > 0, true);
  for (const code of [1008, 3500, 3999]) {
    assert.equal(link.closed(code, 1000), undefined);
    assert.equal(link.state, 'refused');
  }
  link.turn();
  assert.equal(link.state, 'idle');
  assert.deepEqual(link.begin('1'), [['replay', '1']]);
});

/**
 * Scenario: views of several stores are watched, left and come back to.
 * Guarantees: a store is to be cleared when, and only when, another request was the last to fill it,
 * whatever was watched between; then the view begins anew, else it goes on where it was left.
 */
test('what has filled a store', () => {
  const places = new Places();
  const [all, shop] = [{ path: 'ws/logs', parameters: [] }, { path: 'ws/logs', parameters: [['resource.service.name', 'shop']] }];
  const cursor = { epoch: 'e1', seq: '5', reached: true, since: 1 };
  assert.ok(!places.enter('logs', all), 'nothing has');
  places.leave('logs', all, cursor);
  assert.ok(!places.enter('traces', { path: 'ws/traces', parameters: [] }));
  assert.ok(!places.enter('raw', all));
  assert.equal(places.cursorOf('raw', all), undefined);
  assert.ok(!places.enter('logs', all), 'raw frames are kept elsewhere');
  assert.deepEqual(places.cursorOf('logs', all), cursor);
  assert.ok(places.enter('logs', shop));
  assert.equal(places.cursorOf('logs', shop), undefined);
  places.leave('logs', shop, cursor);
  assert.ok(places.enter('logs', all));
  assert.equal(places.cursorOf('logs', all), undefined, 'what was kept of it is gone');
  places.leave('logs', all, { ...cursor, reached: false });
  assert.equal(places.cursorOf('logs', all), undefined, 'it has never begun');
});

/**
 * Scenario: metrics by several requests, wider and narrower ones; more of them than are remembered; the
 * reader clears.
 * Guarantees: their store is never to be cleared; a view goes on from the last one that has shown all
 * that it shows, and of no other; what was cleared is not taken for shown. Logs are never forgotten for
 * views of metrics.
 */
test('metrics are filled by all', () => {
  const places = new Places();
  const request = (...parameters) => ({ path: 'ws/metrics', parameters });
  const cursor = (seq) => ({ epoch: 'e1', seq, reached: true, since: 1 });
  const of = (...parameters) => places.cursorOf('metrics', request(...parameters))?.seq;
  const visit = (seq, ...parameters) => {
    assert.ok(!places.enter('metrics', request(...parameters)));
    places.leave('metrics', request(...parameters), cursor(seq));
  };
  const logs = { path: 'ws/logs', parameters: [] };
  places.enter('logs', logs);
  places.leave('logs', logs, cursor('1'));
  visit('5', ['metric', 'a'], ['attr.k', 'v']);
  assert.deepEqual([of(), of(['metric', 'a']), of(['metric', 'b'], ['attr.k', 'v']), of(['metric', 'a'], ['attr.k', 'v'])], [undefined, undefined, undefined, '5']);
  visit('6', ['metric', 'a'], ['metric', 'b']);
  assert.deepEqual([of(['metric', 'b']), of(['metric', 'b'], ['metric', 'c']), of(['metric', 'a'], ['attr.k', 'v'])], ['6', undefined, '6']);
  visit('7');
  assert.deepEqual([of(), of(['metric', 'z']), of(['metric', 'a'], ['attr.k', 'v'])], ['7', '7', '7']);
  visit('8', ['metric', 'a']);
  assert.deepEqual([of(['metric', 'a']), of(['metric', 'z'])], ['8', '7']);
  places.enter('metrics', request());
  places.clear('metrics');
  places.leave('metrics', request(), cursor('9'));
  assert.deepEqual([of(), of(['metric', 'a'])], ['9', undefined]);
  for (let at = 0; at < 50; at += 1) visit(`${10 + at}`, ['metric', `${at}`]);
  assert.deepEqual([of(['metric', '0']), of(['metric', '30']), of(['metric', '49'])], [undefined, '40', '59']);
  assert.deepEqual(places.cursorOf('logs', logs), cursor('1'));
});

/** Guarantees: the mean of the last five whole seconds; what is older doesn't count. */
test('meters', () => {
  const meter = new Meter();
  for (let at = 0; at < 10_000; at += 100) meter.add(1, 1_000_000 + at);
  assert.equal(meter.rate(1_010_000), 10);
  assert.equal(meter.rate(1_012_000), 6);
  assert.equal(meter.rate(1_060_000), 0);
  meter.add(5, 999_000);
  assert.equal(meter.rate(1_060_000), 0);
  meter.add(5, 1_058_000);
  assert.equal(meter.rate(1_060_000), 1, 'it came late');
});

/**
 * Scenario: a relay whose clock is behind or ahead, what its history holds first; then another relay
 * at that address, whose clock is hours apart from the first one's.
 * Guarantees: the rate is that of what comes now, from the first seconds of each on; before anything
 * has come it is 0, whatever the clocks say.
 */
test('how much comes', () => {
  for (const apart of [-7_200_000, -9000, 0, 9000, 7_200_000]) {
    const flow = new Flow();
    const take = (time, now) => flow.take({ items: 3, bytes: 100 }, time, now);
    const rates = (now) => flow.rates(now);
    flow.opened();
    assert.deepEqual(rates(91_000_000), { exports: 0, items: 0, bytes: 0 });
    for (let at = -100; at <= 0; at += 1) {
      take(91_000_000 + apart + at * 1000, 91_000_000);
      rates(91_000_000);
    }
    for (let at = 1; at <= 10; at += 1) take(91_000_000 + apart + at * 1000, 91_000_000 + at * 1000);
    assert.deepEqual(rates(91_010_500), { exports: 1, items: 3, bytes: 100 }, `${apart}`);
    flow.opened();
    rates(91_011_000);
    for (let at = 1; at <= 10; at += 1) take(91_011_000 - apart + at * 1000, 91_011_000 + at * 1000);
    assert.deepEqual(rates(91_021_500), { exports: 1, items: 3, bytes: 100 }, `${apart} the other way`);
    assert.equal(rates(91_040_000).exports, 0);
  }
});

/** Guarantees: charts go by the clock here, unless data is from another time. */
test('the right edge', () => {
  assert.equal(edgeOf(100_000, 0, 0), 100_000);
  assert.equal(edgeOf(100_000, 95_000, 99_000), 100_000);
  assert.equal(edgeOf(100_000, 130_000, 99_000), 131_000);
  assert.equal(edgeOf(10_000_000, 1000, 9_990_000), 11_000);
});
