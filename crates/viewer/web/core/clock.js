/** Which time is now, on a chart of data whose clock is not this browser's. */

/** How far the clock of data may be behind before charts go by it: an export interval or two. */
const TOLERANCE = 90_000;

/**
 * The right edge of charts, in milliseconds, moving with the clock of this browser.
 *
 * @param {number} now the time here
 * @param {number} newest the time of the newest point, 0 for none
 * @param {number} received when that came, by the clock here
 */
export function edgeOf(now, newest, received) {
  if (!newest) return now;
  const ahead = newest - received;
  return ahead > 0 || ahead < -TOLERANCE ? now + ahead : now;
}
