/**
 * Attributes: OTLP's values as text, and sets of them as keys.
 *
 * A label is a pair of strings, `[key, text]`, with `NO_TEXT` behind if its text is for people alone.
 * Labels of a resource are kept apart from those of an item, because the relay's filters tell them
 * apart (`resource.KEY`, `attr.KEY`).
 */

/** How deep a value may lie in others before the rest is left out. */
const MAX_DEPTH = 16;

/** The powers of ten from and to which the relay writes doubles without an exponent. */
const PLAIN_FROM = -5;
const PLAIN_TO = 15;

/** What stands behind the text of a label in which the relay's filters find none: of lists, maps and
 * bytes, which only `*` matches. */
export const NO_TEXT = 'no text';

/** The text of an `AnyValue`: of one that has a text for the relay's filters, that. */
export function valueText(value, depth = 0) {
  if (value == null || depth > MAX_DEPTH) return '';
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.intValue !== undefined) return String(value.intValue);
  if (value.doubleValue !== undefined) return doubleText(value.doubleValue);
  if (value.boolValue !== undefined) return String(value.boolValue);
  if (value.bytesValue !== undefined) return value.bytesValue;
  if (value.arrayValue) {
    const values = value.arrayValue.values ?? [];
    return `[${values.map((one) => valueText(one, depth + 1)).join(', ')}]`;
  }
  if (value.kvlistValue) {
    const pairs = value.kvlistValue.values ?? [];
    return `{${pairs.map(({ key, value }) => `${key}: ${valueText(value, depth + 1)}`).join(', ')}}`;
  }
  return '';
}

/** A double as the relay writes it: `3.0`, `0.5`, `1e+300`, `1e-7`. OTLP JSON has strings for others. */
function doubleText(value) {
  if (typeof value !== 'number') return String(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const scientific = value.toExponential();
  const power = Number(scientific.slice(scientific.indexOf('e') + 1));
  if (power < PLAIN_FROM || power > PLAIN_TO) return scientific;
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** The labels of a list of attributes, sorted by key. */
export function labelsOf(attributes) {
  if (!attributes?.length) return [];
  return attributes.map(({ key, value }) => labelFor(key ?? '', value)).sort(byKey);
}

function labelFor(key, value) {
  const isPlain = !(value?.arrayValue || value?.kvlistValue || value?.bytesValue !== undefined);
  return isPlain ? [key, valueText(value)] : [key, valueText(value), NO_TEXT];
}

/** Whether the relay's filters compare the text of a label. */
export function hasText([, , mark]) {
  return mark !== NO_TEXT;
}

/** Labels by the names that the relay's filters have for them: `attr.KEY`, `resource.KEY`. */
export function namedLabels(prefix, labels) {
  return labels.map(([key, ...rest]) => [`${prefix}.${key}`, ...rest]);
}

function byKey([one], [other]) {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** A text that is equal for equal labels, and for no others. */
export function labelsKey(labels) {
  let key = '';
  for (const [name, text] of labels) key += `${name.length}:${name}${text.length}:${text}`;
  return key;
}

/** The label with this key, or `undefined`. */
export function findLabel(labels, key) {
  return labels.find(([name]) => name === key);
}

/** The text of the label with this key, or `undefined`. */
export function labelOf(labels, key) {
  return findLabel(labels, key)?.[1];
}

/** The name of a service, as a resource tells it; empty if it doesn't. */
export function serviceName(resource) {
  return labelOf(resource, 'service.name') ?? '';
}
