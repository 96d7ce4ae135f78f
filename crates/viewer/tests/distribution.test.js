import assert from 'node:assert/strict';
import { test } from 'node:test';

import { buckets, compact, difference, explicit, exponential, isAlike, merge, quantile } from '../web/core/distribution.js';

const histogram = (bounds, counts, others = {}) =>
  explicit({ explicitBounds: bounds, bucketCounts: counts.map(String), count: String(counts.reduce((sum, count) => sum + count, 0)), ...others });
const near = (value, expected, part = 1e-9) => assert.ok(Math.abs(value - expected) <= Math.abs(expected) * part + 1e-12, `${value} is not near ${expected}`);

/** Guarantees: values are spread evenly in their bucket; extremes hold what lies outside of bounds. */
test('quantiles of explicit buckets', () => {
  const plain = histogram([10, 20, 30], [0, 10, 10, 0]);
  near(quantile(plain, 0.5), 20);
  near(quantile(plain, 0.25), 15);
  near(quantile(plain, 1), 30);
  // The first bucket begins at 0 if nobody says less, the last ends at its bound.
  near(quantile(histogram([10], [4, 0]), 0.5), 5);
  near(quantile(histogram([10], [0, 4]), 0.9), 10);
  near(quantile(histogram([10], [4, 0], { min: 8 }), 0.5), 9);
  near(quantile(histogram([10], [0, 4], { max: 50 }), 0.5), 50);
  near(quantile(histogram([-10, 0], [0, 4, 0]), 0.5), -5);
  assert.equal(quantile(histogram([10], [0, 0]), 0.5), undefined);
  assert.equal(quantile(explicit({ count: '3', sum: 6 }), 0.5), undefined);
});

/** Guarantees: quantiles of many known values are within the bucket that the value lies in. */
test('quantiles of known values', () => {
  const bounds = Array.from({ length: 20 }, (_, at) => (at + 1) * 50);
  const values = Array.from({ length: 1000 }, (_, at) => (at * 7919) % 1000);
  const counts = new Array(21).fill(0);
  for (const value of values) counts[bounds.findIndex((bound) => value <= bound)] += 1;
  for (const q of [0.01, 0.5, 0.9, 0.99]) assert.ok(Math.abs(quantile(histogram(bounds, counts), q) - q * 1000) < 50);
});

const exp = (scale, offset, counts, others = {}) =>
  exponential({ scale, count: String(counts.reduce((sum, count) => sum + count, 0)), positive: { offset, bucketCounts: counts.map(String) }, ...others });

/** Guarantees: buckets of base 2^(2^-scale), as OTLP's data model has them. */
test('exponential buckets', () => {
  assert.deepEqual(buckets(exp(0, 0, [1, 2])), [{ low: 1, high: 2, count: 1 }, { low: 2, high: 4, count: 2 }]);
  assert.deepEqual(buckets(exp(-1, -1, [1])), [{ low: 0.25, high: 1, count: 1 }]);
  const sides = exponential({ scale: 0, count: '6', zeroCount: '2', zeroThreshold: 0.5, positive: { offset: 0, bucketCounts: ['1'] }, negative: { offset: 1, bucketCounts: ['1', '2'] } });
  assert.deepEqual(buckets(sides).map(({ low, high, count }) => [low, high, count]), [[-8, -4, 2], [-4, -2, 1], [-0.5, 0.5, 2], [1, 2, 1]]);
  near(quantile(exp(0, 3, [10]), 0.5), 8 * Math.SQRT2);
  near(quantile(sides, 0.75), 0.25);
});

/** Guarantees: sums of other scales are those of the coarser one; nothing is lost. */
test('merging', () => {
  const merged = merge([exp(1, 0, [1, 2, 3, 4]), exp(0, 1, [5])]);
  assert.deepEqual([merged.scale, merged.positive, merged.count], [0, { offset: 0, counts: [3, 12] }, 15]);
  // Negative indices round down.
  assert.deepEqual(merge([exp(1, -3, [1, 1, 1]), exp(0, -2, [0])]).positive, { offset: -2, counts: [1, 2] });
  const explicits = merge([histogram([1], [1, 2], { sum: 5, min: 0, max: 4 }), histogram([1], [3, 4], { sum: 7, min: 1, max: 9 })]);
  assert.deepEqual([explicits.counts, explicits.sum, explicits.min, explicits.max], [[4, 6], 12, 0, 9]);
  assert.ok(!isAlike(histogram([1], [1, 2]), histogram([2], [1, 2])));
  assert.ok(!isAlike(histogram([1], [1, 2]), exp(0, 0, [1])));
});

/** Guarantees: what came between two cumulative points; all of the later one after a reset. */
test('differences', () => {
  const between = difference(histogram([1], [1, 2], { sum: 3, max: 9 }), histogram([1], [4, 2], { sum: 5, max: 9 }));
  assert.deepEqual([between.counts, between.count, between.sum, between.max], [[3, 0], 3, 2, undefined]);
  const reset = histogram([1], [1, 0]);
  assert.equal(difference(histogram([1], [4, 2]), reset), reset);
  const fewerInOne = histogram([1], [0, 9]);
  assert.equal(difference(histogram([1], [4, 2]), fewerInOne), fewerInOne);
  const rescaled = difference(exp(1, 0, [1, 1]), exp(0, 0, [3, 1]));
  assert.deepEqual(rescaled.positive, { offset: 0, counts: [1, 1] });
  assert.equal(difference(undefined, reset), reset);
});

/** Guarantees: fewer buckets, of the same count in all. */
test('compacting', () => {
  const small = compact(exp(5, 0, new Array(160).fill(1)), 40);
  assert.ok(small.positive.counts.length <= 40);
  assert.equal(small.positive.counts.reduce((sum, count) => sum + count, 0), 160);
  assert.equal(small.count, 160);
  const plain = histogram([1], [1, 2]);
  assert.equal(compact(plain, 1), plain);
});
