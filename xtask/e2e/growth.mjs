/** Whether something that is measured again and again grows without end. */

/** Samples before this part of the time count for nothing: what is bounded fills up first. */
const FILLING = 0.4;

/** The middle one of some numbers. */
export function median(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * How much more there was in the second half of what counts than in its first, by their medians; a
 * single sample that is out of line says nothing.
 */
export function growth(values) {
  const counting = values.slice(Math.floor(values.length * FILLING));
  const half = Math.floor(counting.length / 2);
  if (half === 0) return 0;
  return median(counting.slice(-half)) - median(counting.slice(0, half));
}

/**
 * What of some samples has grown, as texts.
 *
 * @param {object[]} samples numbers by name, the oldest first
 * @param {object} allowed by the same names, how much more there may be: `{ part, amount }`, a part
 *   of what there is and an amount on top
 */
export function grown(samples, allowed) {
  return Object.entries(allowed).flatMap(([name, { part, amount }]) => {
    const values = samples.map((sample) => sample[name]);
    const [more, most] = [growth(values), median(values) * part + amount];
    return more > most ? [`${name}: ${Math.round(more)} more, ${Math.round(most)} are allowed`] : [];
  });
}
