/**
 * Filters, as they are typed: `resource.service.name=shop-* attr.http.route=/cart timeout`.
 *
 * A part `NAME=GLOB` is one of the relay's clauses, and is sent to it; the rest is text to look
 * for. Values of one name are alternatives, different names all have to match, as in the relay's
 * own protocol. Quotes hold what has spaces together: `attr.user="Ada L"`.
 */

import { findLabel, hasText } from './attributes.js';

const CLAUSE = /^(metric|scope|span|severity|resource\.[^=]+|attr\.[^=]+)=(.*)$/s;
/** A part: a name and quoted text, quoted text, or anything up to a space. */
const PART = /([^\s="]+=)?"([^"]*)"?|\S+/g;

/** The most clauses that the relay takes. */
export const MAX_SENT = 64;
/** The most that are read: beside them there is room for those of 12 charts. */
export const MAX_CLAUSES = MAX_SENT - 12;

/** What a typed filter says: `{ clauses: [{ name, value }], words: [text] }`. */
export function parseFilter(text) {
  const filter = { clauses: [], words: [] };
  for (const [part, name, quoted] of text.matchAll(PART)) {
    const plain = quoted === undefined ? part : `${name ?? ''}${quoted}`;
    const clause = CLAUSE.exec(plain);
    if (clause && clause[2] !== '' && filter.clauses.length < MAX_CLAUSES) {
      filter.clauses.push({ name: clause[1], value: clause[2] });
    } else if (plain) {
      filter.words.push(plain.toLowerCase());
    }
  }
  return filter;
}

/** A clause as it is typed. */
export function clauseText(name, value) {
  return /[\s"]/.test(value) ? `${name}="${value.replaceAll('"', '?')}"` : `${name}=${value}`;
}

/** The glob that matches a value and no other; of the empty one, which no clause can have, any. */
export function globOf(value) {
  return value === '' ? '*' : value.replace(/[*?\\]/g, '\\$&');
}

/** A glob that matches whatever there is, also what has no text. */
const ANY = /^\*+$/;
/** What of a glob is special, here or in regular expressions. */
const SPECIAL = /\\[*?\\]|[*?\\^$.+()|[\]{}]/g;

/** A regular expression for a glob: `*` is any text, `?` any one character, unless behind `\`. */
export function globPattern(glob) {
  const meaning = (one) => ({ '*': '.*', '?': '.' })[one] ?? `\\${one.at(-1)}`;
  return new RegExp(`^${glob.replace(SPECIAL, meaning)}$`, 'su');
}

/**
 * A predicate of items `{ resource, labels, scope }`, for the clauses about those; `undefined` if
 * there are none.
 */
export function matcher(clauses) {
  const byName = new Map();
  for (const { name, value } of clauses) {
    if (name !== 'scope' && !name.includes('.')) continue;
    byName.set(name, [...(byName.get(name) ?? []), { any: ANY.test(value), pattern: globPattern(value) }]);
  }
  if (byName.size === 0) return undefined;
  return (item) =>
    [...byName].every(([name, globs]) => {
      const label = labelIn(item, name);
      return label !== undefined && globs.some(({ any, pattern }) => any || (hasText(label) && pattern.test(label[1])));
    });
}

/** The label of an item that is named as in a clause: `attr.KEY`, `resource.KEY`, `scope`. */
export function labelIn({ resource, labels, scope }, name) {
  if (name === 'scope') return [name, scope];
  const dot = name.indexOf('.');
  return findLabel(name.slice(0, dot) === 'resource' ? resource : labels, name.slice(dot + 1));
}

/** Whether a text, in lower case, holds every word. */
export function holdsAll(text, words) {
  return words.every((word) => text.includes(word));
}
