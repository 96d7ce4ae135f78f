/** The judgement of measurements over time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { grown, growth } from './growth.mjs';

const ALLOWED = { heap: { part: 0.05, amount: 10 } };
const samples = (values) => values.map((heap) => ({ heap }));

/** Scenario: what fills up and then stays, with noise and one sample out of line; what goes on
 * growing by a little; next to no samples.
 * Guarantees: only what goes on is growth. */
test('growth is what goes on', () => {
  const level = Array.from({ length: 30 }, (_, at) => Math.min(at, 8) * 100 + (at % 3));
  assert.deepEqual(grown(samples(level), ALLOWED), []);
  assert.deepEqual(grown(samples(level.with(25, 5000)), ALLOWED), []);
  const leak = level.map((value, at) => value + at * 10);
  assert.deepEqual(grown(samples(leak), ALLOWED), ['heap: 90 more, 57 are allowed']);
  assert.equal(growth([]), 0);
  assert.equal(growth([5]), 0);
});
