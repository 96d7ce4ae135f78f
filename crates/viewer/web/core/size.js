/** How much memory values take, more or less. */

/** What a string, a number, an object or a list takes beside what it holds, in characters. */
const LEAST = 16;

/** The size of what was read from JSON, in characters of two bytes. */
export function sizeOf(value) {
  if (typeof value === 'string') return LEAST + value.length;
  if (typeof value !== 'object' || value === null) return LEAST;
  let size = LEAST;
  for (const key in value) size += sizeOf(value[key]);
  return size;
}
