/** The panel beside a list, with all of what is open there. */

import { hasText } from '../core/attributes.js';
import { clock, grouped } from '../core/format.js';
import { clauseText, globOf } from '../core/filter.js';
import { MAX_SHOWN } from '../core/frames.js';
import { copyButton, fill, h, iconButton } from './dom.js';

/** The most characters of a value that take as much room as they need, and that are shown at all. */
const MAX_PLAIN = 600;
const MAX_VALUE = 10_000;

export class Details {
  /** @param {object} options `label`, and `close()` */
  constructor({ label, close }) {
    this.title = h('h2', { tabIndex: -1 });
    this.body = h('div', { className: 'details-body', tabIndex: 0, role: 'group', 'aria-label': label });
    this.element = h('aside', { className: 'details', 'aria-label': label, hidden: true },
      h('div', { className: 'details-head' }, this.title, iconButton('close', 'Close', close)),
      this.body);
  }

  get isOpen() {
    return !this.element.hidden;
  }

  show(title, ...content) {
    fill(this.title, title);
    fill(this.body, ...content);
    this.element.hidden = false;
  }

  close() {
    this.element.hidden = true;
  }
}

/** A table of names and values. `filter(text)` adds to the filter, where a name has one. */
export function table(caption, rows, filter) {
  if (rows.length === 0) return undefined;
  return h('table', { className: 'pairs' }, h('caption', {}, caption), h('tbody', {}, rows.map(([name, value, clause]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, roomy(name, value), clause && filter && filterButton(clause, value, filter))))));
}

/** A value; a long one in a box of its own. */
function roomy(name, value) {
  if (value.length <= MAX_PLAIN) return value;
  return h('div', { className: 'long', tabIndex: 0, role: 'region', 'aria-label': name }, shortened(value));
}

/** As much of a text as is shown. All of it is in the JSON beside it. */
export function shortened(text) {
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}… ${grouped(text.length - MAX_VALUE)} more characters` : text;
}

function filterButton(clause, value, filter) {
  const text = clauseText(clause, globOf(value));
  return h('button', { type: 'button', className: 'link filter-by', title: text, 'aria-label': `Filter by ${text}`, on: { click: () => filter(text) } }, 'filter');
}

/** The tables of labels that items have. */
export function labelTables({ labels, resource, scope }, filter) {
  return [
    table('Attributes', rowsOf(labels, 'attr'), filter),
    table('Resource', rowsOf(resource, 'resource'), filter),
    scope ? table('Scope', [['name', scope, 'scope']], filter) : undefined,
  ];
}

/** The rows of labels, with the clause of each that the relay's filters can compare. */
function rowsOf(labels, prefix) {
  return labels.map((label) => [label[0], label[1], hasText(label) && `${prefix}.${label[0]}`]);
}

/** A value as JSON, to be read and copied: made when it is opened. */
export function json(caption, value) {
  const details = h('details', { className: 'json' }, h('summary', {}, caption));
  const show = () => {
    const text = JSON.stringify(value, null, 2);
    details.append(code(caption, text.slice(0, MAX_SHOWN), text, text.length));
  };
  details.addEventListener('toggle', show, { once: true });
  return details;
}

/** A text of which a part is shown, of so many characters, and `whole` is copied. */
export function code(label, part, whole = part, length = part.length) {
  const shown = length > part.length ? `${part}\n… ${grouped(length - part.length)} more characters; copy takes all` : part;
  return h('div', { className: 'code' }, h('pre', { tabIndex: 0, role: 'region', 'aria-label': label }, h('code', {}, shown)), copyButton(`Copy: ${label}`, () => whole));
}

/** A date and time, as the clock of this browser has it. */
export function dateTime(milliseconds) {
  if (!milliseconds) return '–';
  const date = new Date(milliseconds);
  const two = (number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(milliseconds)}`;
}
