/** Labels of lines, as people read them. */

/** How much of a value is shown, in characters. */
const MAX_VALUE = 120;

/** Which labels tell lines apart, and which all of them share. A line alone is told by its own. */
export function splitLabels(lines) {
  if (lines.length === 0) return { shared: [], differing: () => [] };
  const [first, ...others] = lines.map(({ labels }) => new Map(labels));
  const isShared = ([name, text]) =>
    others.length === 0 ? name.startsWith('resource.') : others.every((labels) => labels.get(name) === text);
  const shared = [...first].filter(isShared);
  const names = new Set(shared.map(([name]) => name));
  return { shared, differing: (line) => line.labels.filter(([name]) => !names.has(name)) };
}

/** The values of labels alone, for where their names are said once: `/cart · p99`. */
export function valueText(labels) {
  return labels.map(([, text]) => shown(text)).join(' · ');
}

/** The names that go with them. */
export function nameText(labels) {
  return labels.map(([name]) => shortName(name)).join(' · ');
}

/** Labels as a text: `route=/cart · p99`. */
export function labelText(labels) {
  return labels.map(([name, text]) => (name === 'quantile' ? text : `${shortName(name)}=${shown(text)}`)).join(' · ');
}

/** A value as far as there is room for it. */
function shown(text) {
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text || '""';
}

/** A name without what it is a name of. */
export function shortName(name) {
  return name.replace(/^(attr|resource)\./, '');
}
