/**
 * Attributes: OTLP's values as text, and sets of them as keys.
 *
 * A label is a pair of strings, `[key, text]`. Labels of a resource are kept apart from those of an
 * item, because the relay's filters tell them apart (`resource.KEY`, `attr.KEY`).
 */

/** How deep a value may lie in others before the rest is left out. */
const MAX_DEPTH = 16;

/** The text of an `AnyValue`, the one that the relay's filters compare. */
export function valueText(value, depth = 0) {
  if (value == null || depth > MAX_DEPTH) return '';
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.intValue !== undefined) return String(value.intValue);
  if (value.doubleValue !== undefined) return String(value.doubleValue);
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

/** The labels of a list of attributes, sorted by key. */
export function labelsOf(attributes) {
  if (!attributes?.length) return [];
  const labels = attributes.map(({ key, value }) => [key ?? '', valueText(value)]);
  return labels.sort(byKey);
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

/** The text of the label with this key, or `undefined`. */
export function labelOf(labels, key) {
  return labels.find(([name]) => name === key)?.[1];
}

/** The name of a service, as a resource tells it; empty if it doesn't. */
export function serviceName(resource) {
  return labelOf(resource, 'service.name') ?? '';
}
