/**
 * Distributions: the points of histograms of both kinds, as what they are made of.
 *
 * One with explicit bounds is `{ count, sum, min, max, bounds, counts }`, `counts` having one more.
 * An exponential one has `{ scale, zero, zeroThreshold, positive, negative }` in place of the last
 * two, each side `{ offset, counts }`. `sum`, `min` and `max` may be undefined.
 */

import { number } from './otlp.js';

const EMPTY_SIDE = { offset: 0, counts: [] };

/** The distribution of a data point of a histogram. */
export function explicit(point) {
  const counts = (point.bucketCounts ?? []).map(Number);
  return { ...common(point), bounds: (point.explicitBounds ?? []).map(Number), counts };
}

/** The distribution of a data point of an exponential histogram. */
export function exponential(point) {
  return {
    ...common(point),
    scale: point.scale ?? 0,
    zero: number(point.zeroCount) ?? 0,
    zeroThreshold: number(point.zeroThreshold) ?? 0,
    positive: side(point.positive),
    negative: side(point.negative),
  };
}

function common(point) {
  const { sum, min, max } = point;
  return { count: number(point.count) ?? 0, sum: number(sum), min: number(min), max: number(max) };
}

function side(buckets) {
  const counts = (buckets?.bucketCounts ?? []).map(Number);
  return counts.length ? { offset: buckets.offset ?? 0, counts } : EMPTY_SIDE;
}

/**
 * How many numbers a distribution holds: what it is counted for against limits of memory. Bounds are
 * counted for who keeps them, because distributions may share them.
 */
export function weight(distribution) {
  const { counts, positive, negative } = distribution;
  return 8 + (counts ? counts.length : positive.counts.length + negative.counts.length);
}

/** A distribution with the bounds of a list of them that are equal to its own, if there are such. */
export function withBoundsOf(known, distribution) {
  const bounds = known.find((bounds) => isAlike({ bounds }, distribution));
  return bounds ? { ...distribution, bounds } : distribution;
}

/** Whether two can be added: exponential ones always, explicit ones of the same bounds. */
export function isAlike(one, other) {
  if (!one.bounds || !other.bounds) return !one.bounds && !other.bounds;
  return one.bounds.length === other.bounds.length && one.bounds.every((bound, at) => bound === other.bounds[at]);
}

/** The sum of distributions that are alike. */
export function merge(distributions) {
  const [first, ...others] = distributions;
  return others.reduce((all, one) => add(all, one, 1), first);
}

/**
 * What has come between two points of a cumulative histogram; all of the later one if it has begun
 * anew. Extremes are those of the whole time, so they are left out.
 */
export function difference(previous, later) {
  if (!previous || !isAlike(previous, later) || later.count < previous.count) return later;
  const between = add(later, previous, -1);
  const counts = between.counts ?? [between.zero, ...between.positive.counts, ...between.negative.counts];
  if (counts.some((count) => count < 0)) return later;
  return { ...between, min: undefined, max: undefined };
}

function add(one, other, sign) {
  const sum = one.sum === undefined || other.sum === undefined ? undefined : one.sum + sign * other.sum;
  const all = {
    count: one.count + sign * other.count,
    sum,
    min: least(Math.min, one.min, other.min),
    max: least(Math.max, one.max, other.max),
  };
  if (one.bounds) {
    const counts = one.counts.map((count, at) => count + sign * (other.counts[at] ?? 0));
    return { ...all, bounds: one.bounds, counts };
  }
  const scale = Math.min(one.scale, other.scale);
  return {
    ...all,
    scale,
    zero: one.zero + sign * other.zero,
    zeroThreshold: Math.max(one.zeroThreshold, other.zeroThreshold),
    positive: addSides(coarser(one.positive, one.scale - scale), coarser(other.positive, other.scale - scale), sign),
    negative: addSides(coarser(one.negative, one.scale - scale), coarser(other.negative, other.scale - scale), sign),
  };
}

function least(choose, one, other) {
  return one === undefined || other === undefined ? undefined : choose(one, other);
}

/** Buckets of a lower scale: each step makes one of two (OTLP data model, "Exponential Scale"). */
function coarser(side, steps) {
  if (steps <= 0 || side.counts.length === 0) return side;
  const factor = 2 ** steps;
  const offset = Math.floor(side.offset / factor);
  const last = Math.floor((side.offset + side.counts.length - 1) / factor);
  const counts = new Array(last - offset + 1).fill(0);
  side.counts.forEach((count, at) => {
    counts[Math.floor((side.offset + at) / factor) - offset] += count;
  });
  return { offset, counts };
}

/** The same with fewer buckets, if it is exponential and has more than `most`. */
export function compact(distribution, most) {
  let one = distribution;
  while (!one.bounds && one.positive.counts.length + one.negative.counts.length > most) {
    one = add(one, { ...one, scale: one.scale - 1, zero: 0, count: 0, positive: EMPTY_SIDE, negative: EMPTY_SIDE }, 1);
  }
  return one;
}

/** The most buckets of a side of a sum; beyond it the smallest values fall together. */
const MAX_BUCKETS = 4096;

function addSides(one, other, sign) {
  if (other.counts.length === 0) return one;
  if (one.counts.length === 0 && sign > 0) return other;
  const last = Math.max(one.offset + one.counts.length, other.offset + other.counts.length);
  const offset = Math.max(Math.min(one.offset, other.offset), last - MAX_BUCKETS);
  const counts = new Array(last - offset).fill(0);
  const put = (side, sign) =>
    side.counts.forEach((count, at) => {
      counts[Math.max(side.offset + at - offset, 0)] += sign * count;
    });
  put(one, 1);
  put(other, sign);
  return { offset, counts };
}

/** The buckets from the least to the greatest, as `{ low, high, count }`; ends may be infinite. */
export function buckets(distribution) {
  const { bounds, counts } = distribution;
  if (bounds) {
    const low = (at) => (at === 0 ? -Infinity : bounds[at - 1]);
    return counts.map((count, at) => ({ low: low(at), high: bounds[at] ?? Infinity, count }));
  }
  const { scale, zero, zeroThreshold, positive, negative } = distribution;
  const bound = (index) => 2 ** (index * 2 ** -scale);
  const up = positive.counts.map((count, at) => {
    const index = positive.offset + at;
    return { low: bound(index), high: bound(index + 1), count };
  });
  const down = negative.counts.map((count, at) => {
    const index = negative.offset + at;
    return { low: -bound(index + 1), high: -bound(index), count };
  });
  const middle = zero > 0 ? [{ low: -zeroThreshold, high: zeroThreshold, count: zero }] : [];
  return [...down.reverse(), ...middle, ...up];
}

/**
 * The value below which the fraction `q` lies, supposed that values are spread evenly in their
 * bucket (for exponential buckets: evenly on their scale). What lies outside of all bounds is taken
 * for the extreme, if it is known, else for the last bound. `undefined` if there is nothing.
 */
export function quantile(distribution, q) {
  const filled = buckets(distribution).filter(({ count }) => count > 0);
  const total = filled.reduce((sum, { count }) => sum + count, 0);
  if (!(total > 0)) return undefined;
  let below = 0;
  for (const { low, high, count } of filled) {
    if (below + count >= q * total || below + count === total) {
      const part = Math.min(Math.max((q * total - below) / count, 0), 1);
      return clamp(between(low, high, part, distribution), distribution);
    }
    below += count;
  }
  return undefined;
}

function between(low, high, part, { min, max, bounds }) {
  if (high === Infinity) return max ?? (low === -Infinity ? undefined : low);
  const from = low === -Infinity ? (min ?? (high > 0 ? 0 : high)) : low;
  if (!bounds && from > 0) return from * (high / from) ** part;
  if (!bounds && high < 0) return -(-from * (high / from) ** part);
  return from + (high - from) * part;
}

function clamp(value, { min = -Infinity, max = Infinity }) {
  return value === undefined ? undefined : Math.min(Math.max(value, min), max);
}
