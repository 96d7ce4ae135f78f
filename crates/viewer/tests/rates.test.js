import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cumulativeRate, deltaRate } from '../web/core/rates.js';

const point = (seconds, value, start = 0) => ({ time: seconds * 1000, value, start: start * 1000 });

/** Guarantees: the rate of a counter is what came between two points, per second. */
test('cumulative', () => {
  assert.equal(cumulativeRate(undefined, point(10, 100)), undefined);
  assert.equal(cumulativeRate(point(10, 100), point(20, 150)), 5);
  assert.equal(cumulativeRate(point(10, 100, 1), point(20, 100, 1)), 0);
  assert.equal(cumulativeRate(point(10, 100), point(10, 150)), undefined);
});

/** Guarantees: after a reset, all of the value counts, since the new start if that is known. */
test('resets', () => {
  // Its process has started again at 15 s.
  assert.equal(cumulativeRate(point(10, 100, 1), point(20, 50, 15)), 10);
  // It has overtaken its old value: only the start tells.
  assert.equal(cumulativeRate(point(10, 100, 1), point(20, 150, 15)), 30);
  // The sender doesn't say when: since the point before.
  assert.equal(cumulativeRate(point(10, 100), point(20, 50)), 5);
  // It has begun anew just when it was read.
  assert.equal(cumulativeRate(point(10, 100, 1), point(20, 0, 20)), 0);
});

/** Guarantees: a delta counts over its own interval, or since the point before. */
test('delta', () => {
  assert.equal(deltaRate(undefined, point(10, 50, 5)), 10);
  assert.equal(deltaRate(point(5, 1), point(10, 50)), 10);
  assert.equal(deltaRate(undefined, point(10, 50)), undefined);
  assert.equal(deltaRate(undefined, point(10, 50, 10)), undefined);
});
