import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Ring, Rows } from '../web/core/ring.js';

/** Guarantees: the newest are kept, in order; what had to go is given back. */
test('a ring keeps the newest', () => {
  const ring = new Ring(3);
  assert.deepEqual([1, 2, 3, 4, 5].map((value) => ring.push(value)), [undefined, undefined, undefined, 1, 2]);
  assert.deepEqual(ring.toArray(), [3, 4, 5]);
  assert.equal(ring.at(-1), 5);
  assert.equal(ring.at(3), undefined);
  assert.equal(ring.shift(), 3);
  ring.push(6);
  assert.deepEqual(ring.toArray(), [4, 5, 6]);
  ring.shrink(2);
  assert.equal(ring.push(7), 5);
  assert.deepEqual(ring.toArray(), [6, 7]);
});

/** Guarantees: rows behave like an array of which only the newest are kept, whatever happens. */
test('rows against an array', () => {
  const rows = new Rows(2, 50);
  let model = [];
  let capacity = 50;
  for (let step = 0; step < 1000; step += 1) {
    if (step % 333 === 332) {
      capacity = Math.floor(capacity / 2);
      rows.shrink(capacity);
    }
    rows.push(step, step * 2);
    model = [...model, [step, step * 2]].slice(-capacity);
    assert.equal(rows.length, model.length);
    model.forEach(([first, second], at) => {
      assert.equal(rows.get(at, 0), first);
      assert.equal(rows.get(at - model.length, 1), second);
    });
  }
  assert.ok(Number.isNaN(rows.get(rows.length, 0)));
});

/** Guarantees: a table is no longer than it needs to be, and never longer than its capacity. */
test('rows grow', () => {
  const rows = new Rows(3, 100);
  assert.ok(rows.size <= 48);
  for (let step = 0; step < 500; step += 1) rows.push(step, 0, 0);
  assert.equal(rows.size, 300);
});
