/**
 * A long list of rows of one height, of which only those in sight are in the document. For who
 * can't see it, a list box: arrows move, Enter opens, Space chooses.
 */

import { h } from './dom.js';

/** Rows that are ready above and below those in sight. */
const SPARE = 6;

export class List {
  /**
   * @param {object} options `label`; `rowHeight` in pixels; `render(row, element)` gives the content
   *   of a row; `renew(row, content)`, for rows that change often, puts another row into it;
   *   `idOf(row)`; `open(row)`; `toggle(row)` for one whose rows can be chosen; `moved()` when other
   *   rows come into sight; `left()` when the end, at which a list that `follows` stays, is left;
   *   `head`, an element that stands above the rows
   */
  constructor(options) {
    this.options = options;
    this.total = 0;
    this.rows = [];
    this.from = 0;
    this.elements = new Map();
    this.following = options.follows ?? false;
    this.body = h('div', { className: 'list-rows' });
    this.scroller = h('div', {
      className: 'list-scroll',
      tabIndex: 0,
      role: 'listbox',
      'aria-label': options.label,
      'aria-multiselectable': options.toggle ? 'true' : undefined,
      on: { scroll: () => this.#scrolled(), keydown: (event) => this.#pressed(event), click: (event) => this.#clicked(event) },
    }, this.body);
    this.element = h('div', { className: 'list' }, options.head, this.scroller);
    this.element.style.setProperty('--row', `${options.rowHeight}px`);
    this.watcher = new ResizeObserver(() => options.moved?.());
    this.watcher.observe(this.scroller);
  }

  /** Which rows are needed: from the end, as a negative number, while it is followed. */
  range() {
    const { rowHeight } = this.options;
    const inSight = Math.ceil((this.scroller.clientHeight || 400) / rowHeight);
    const count = inSight + 2 * SPARE;
    if (this.following) return { from: -count, count };
    return { from: Math.max(Math.floor(this.scroller.scrollTop / rowHeight) - SPARE, 0), count };
  }

  /** Shows rows, `from` being the place of the first among `total`. */
  update({ total, from, rows }) {
    const { rowHeight, idOf } = this.options;
    this.total = total;
    this.rows = rows;
    this.from = from;
    const height = `${total * rowHeight}px`;
    if (this.body.style.height !== height) this.body.style.height = height;
    const kept = new Set();
    rows.forEach((row, at) => {
      const id = String(idOf(row));
      kept.add(id);
      this.#place(id, row, from + at);
    });
    for (const [id, { element }] of this.elements) {
      if (kept.has(id)) continue;
      element.remove();
      this.elements.delete(id);
    }
    this.#sort();
    if (this.following) this.scroller.scrollTop = total * rowHeight;
    this.#mark();
  }

  /** The row that is open, if it has one. */
  setOpen(id) {
    this.openId = id === undefined ? undefined : String(id);
    this.#mark();
  }

  /** Which rows are chosen. */
  setChosen(isChosen) {
    this.isChosen = isChosen;
    this.#mark();
  }

  follow() {
    this.following = this.options.follows ?? false;
    this.scroller.scrollTop = this.total * this.options.rowHeight;
  }

  #place(id, row, place) {
    const { rowHeight, render, renew } = this.options;
    const signature = JSON.stringify(row);
    const entry = this.elements.get(id) ?? { element: h('div', { className: 'list-row', role: 'option', id: `row-${++made}`, 'aria-selected': 'false' }) };
    const { element } = entry;
    if (entry.place !== place) element.style.transform = `translateY(${place * rowHeight}px)`;
    if (entry.signature !== signature) {
      if (entry.content && renew) renew(row, entry.content);
      else element.replaceChildren(...(entry.content = render(row, element)));
    }
    if (element.parentNode !== this.body) this.body.append(element);
    this.elements.set(id, Object.assign(entry, { signature, row, place }));
  }

  /** Puts the rows in order in the document too, which is what screen readers go by. */
  #sort() {
    let next = this.body.firstChild;
    for (const row of this.rows) {
      const { element } = this.elements.get(String(this.options.idOf(row)));
      if (element === next) next = next.nextSibling;
      else this.body.insertBefore(element, next);
    }
  }

  #mark() {
    for (const [id, { element, row }] of this.elements) {
      const active = id === this.activeId;
      const open = id === this.openId;
      const selected = String(this.isChosen ? this.isChosen(row) : open);
      element.classList.toggle('active', active);
      element.classList.toggle('open', open);
      if (element.getAttribute('aria-selected') !== selected) element.setAttribute('aria-selected', selected);
      if (active) this.scroller.setAttribute('aria-activedescendant', element.id);
    }
    if (!this.elements.has(this.activeId)) this.scroller.removeAttribute('aria-activedescendant');
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    if (this.following && scrollHeight - scrollTop - clientHeight > 2 * this.options.rowHeight) {
      this.following = false;
      this.options.left?.();
    }
    this.options.moved?.();
  }

  #clicked(event) {
    const entry = [...this.elements].find(([, { element }]) => element.contains(event.target));
    if (!entry) return;
    this.activeId = entry[0];
    this.#mark();
    const { toggle, open } = this.options;
    if (toggle && event.target.closest('.check')) toggle(entry[1].row);
    else open?.(entry[1].row);
  }

  #pressed(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    const active = this.elements.get(this.activeId);
    if (event.key in steps) this.#move(active, steps[event.key]);
    else if (event.key === 'Home') this.#moveTo(0);
    else if (event.key === 'End') this.#moveTo(this.total - 1);
    else if (event.key === 'Enter' && active) this.options.open?.(active.row);
    else if (event.key === ' ' && active && this.options.toggle) this.options.toggle(active.row);
    else return;
    event.preventDefault();
  }

  #move(active, step) {
    const inSight = Math.floor(this.scroller.scrollTop / this.options.rowHeight);
    this.#moveTo(active ? active.place + step : inSight + (this.following ? this.rows.length - 1 : 0));
  }

  /** Makes the row at a place the active one, if need be after it has come into the document. */
  #moveTo(place) {
    const { rowHeight } = this.options;
    const wanted = Math.min(Math.max(place, 0), this.total - 1);
    const { scrollTop, clientHeight } = this.scroller;
    if (wanted * rowHeight < scrollTop) this.scroller.scrollTop = wanted * rowHeight;
    else if ((wanted + 1) * rowHeight > scrollTop + clientHeight) this.scroller.scrollTop = (wanted + 1) * rowHeight - clientHeight;
    const found = [...this.elements].find(([, entry]) => entry.place === wanted);
    if (found) this.activeId = found[0];
    this.#mark();
  }
}

/** Rows need an id each to be named as the active one. */
let made = 0;
