/** The dialog that names the keys and the syntax of filters. */

import { h, iconButton } from './dom.js';

const KEYS = [
  ['1 2 3 4', 'metrics, logs, traces, raw'],
  ['/', 'filter'],
  ['p', 'pause and resume; the page goes on receiving'],
  ['c', 'clear'],
  ['↑ ↓', 'move in a list'],
  ['Enter', 'open what is marked'],
  ['Space', 'choose a metric, to see several'],
  ['Esc', 'close, or leave the filter'],
];
const FILTERS = [
  ['timeout', 'text: in names of metrics and traces, in all of a log record'],
  ['resource.service.name=shop-*', 'an attribute of the resource; * is any text, ? any one character, \\* and \\? are themselves'],
  ['attr.http.route=/cart', 'an attribute of the item itself'],
  ['metric=http.*  span=GET*  scope=…', 'a name'],
];

/** The dialog. It is shown by its own `showModal()`. */
export function helpDialog() {
  const dialog = h('dialog', { className: 'help', 'aria-label': 'Keys and filters' });
  dialog.append(
    h('div', { className: 'details-head' }, h('h2', {}, 'Keys and filters'), iconButton('close', 'Close', () => dialog.close())),
    pairs('Keys', KEYS, 'kbd'),
    pairs('Filters', FILTERS, 'code'),
    h('p', { className: 'note' }, 'Filters of attributes and names are sent to the relay: what they leave out never comes here. Values of one name are alternatives, different names all have to match.'),
  );
  return dialog;
}

function pairs(caption, rows, tag) {
  return h('table', { className: 'pairs' }, h('caption', {}, caption),
    h('tbody', {}, rows.map(([name, text]) => h('tr', {}, h('th', { scope: 'row' }, h(tag, {}, name)), h('td', {}, text)))));
}
