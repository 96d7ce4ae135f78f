/**
 * Rates of sums, per second. A point is `{ time, start, value }`, times in milliseconds; `start` is
 * 0 where the sender doesn't say when the aggregation began.
 *
 * OTLP data model, "Resets and Gaps": a cumulative sum has begun anew if its start is later than
 * what came before, or, from senders that don't say, if it is less.
 */

const SECOND = 1000;

/** Whether a cumulative sum has begun anew between two of its points. */
export function isReset(previous, point) {
  const later = previous.start > 0 && point.start > previous.start;
  return later || point.value < previous.value;
}

/** The rate of a monotonic cumulative sum at a point; `undefined` for its first. */
export function cumulativeRate(previous, point) {
  if (!previous || !(point.time > previous.time)) return undefined;
  if (!isReset(previous, point)) return perSecond(point.value - previous.value, previous.time, point.time);
  // All of the value has come since the new start, which lies between the two points at best.
  const since = Math.max(point.start, previous.time);
  return perSecond(point.value, since < point.time ? since : previous.time, point.time);
}

/** The rate of a delta sum at a point: its own interval, else the time since the point before. */
export function deltaRate(previous, point) {
  const since = point.start || previous?.time;
  if (!since || !(point.time > since)) return undefined;
  return perSecond(point.value, since, point.time);
}

function perSecond(amount, from, to) {
  return (amount * SECOND) / (to - from);
}
