/** The spans of a trace on a common line of time. */

import { findLabel, hasText } from '../core/attributes.js';
import { count, duration } from '../core/format.js';
import { milliseconds } from '../core/otlp.js';
import { dateTime, json, labelTables, table } from './details.js';
import { fill, h } from './dom.js';
import { rowOf } from './logs.js';

/** The most levels that are indented. */
const MAX_INDENT = 12;
const COLOURS = 10;
/** The most rows that are drawn; a trace may hold 2,000 spans. */
const MAX_ROWS = 500;

export class Waterfall {
  /** @param {object} app `addFilter(text)`, `query(question)` */
  constructor(app) {
    this.app = app;
    this.element = h('div', { className: 'waterfall' });
    this.forget();
  }

  forget() {
    /** Which state of which trace is shown. */
    this.version = '';
    this.trace = undefined;
    /** The id of the span that is open, and all that it holds. */
    this.open = undefined;
    this.detail = undefined;
  }

  /** Shows a trace, or more of it. */
  show(trace) {
    if (this.trace?.trace !== trace.trace) this.forget();
    this.trace = trace;
    this.version = trace.version;
    this.#draw();
  }

  #draw() {
    const { rows, left, logs } = this.trace;
    const begin = Math.min(...rows.map((row) => row.begin));
    const end = Math.max(...rows.map((row) => row.end));
    const span = end - begin || 1;
    const services = [...new Set(rows.map(({ service }) => service))];
    const errors = rows.filter(({ failed }) => failed).length;
    const facts = [dateTime(begin), duration((end - begin) / 1000), count(rows.length + left, 'span'), errors > 0 && count(errors, 'error'), left > 0 && `${left} not kept`];
    const drawn = rows.slice(0, MAX_ROWS);
    if (rows.length > MAX_ROWS) facts.push(`the first ${MAX_ROWS} are shown`);
    fill(
      this.element,
      h('p', { className: 'note' }, facts.filter(Boolean).join(' · ')),
      h('ul', { className: 'services', 'aria-label': 'Services' }, services.map((service, at) => h('li', {}, swatch(at), service || '(no service)'))),
      h('div', { className: 'scale', 'aria-hidden': 'true' }, [0, 0.25, 0.5, 0.75, 1].map((part) => h('span', {}, duration((part * span) / 1000)))),
      h('ol', { className: 'spans' }, drawn.map((row) => this.#row(row, begin, span, services))),
      logs.length > 0 && h('section', { className: 'trace-logs' }, h('h3', {}, `Logs of this trace`), h('ol', {}, logs.map((log) => {
        const line = h('li', { className: 'log-line' });
        line.append(...rowOf(log, line));
        return line;
      }))),
    );
  }

  #row(row, begin, whole, services) {
    const length = row.end - row.begin;
    const bar = h('span', { className: row.failed ? 'span-bar failed' : 'span-bar' });
    bar.style.setProperty('--from', String((row.begin - begin) / whole));
    bar.style.setProperty('--part', String(length / whole));
    bar.style.setProperty('--swatch', `var(--c${services.indexOf(row.service) % COLOURS})`);
    bar.append(h('span', { className: `span-length ${placeOfLength((row.begin - begin) / whole, length / whole)}` }, duration(length / 1000)));
    const name = h('span', { className: 'span-name' }, row.failed && h('span', { className: 'failed-mark', 'aria-hidden': 'true' }, '!'), row.name || '(no name)', unseen(`, ${row.service}, `));
    name.style.setProperty('--depth', String(Math.min(row.depth, MAX_INDENT)));
    const isOpen = this.open === row.id;
    const button = h('button', {
      type: 'button',
      className: 'span-row',
      'aria-expanded': String(isOpen),
      data: { span: row.id },
      on: { click: () => this.#toggle(row.id) },
    }, name, h('span', { className: 'span-track' }, bar), row.failed && unseen(', error'));
    return h('li', {}, button,
      row.orphan && h('small', { className: 'orphan' }, row.orphan === 'circle' ? 'its own ancestor: parents go in a circle' : `parent ${row.parent} not received`),
      isOpen && this.#detail(row, begin));
  }

  async #toggle(id) {
    const { trace } = this.trace;
    const { detail } = this.open === id ? {} : await this.app.query({ ask: 'span', trace, of: id });
    if (this.trace?.trace !== trace) return;
    this.detail = detail;
    this.open = detail && id;
    this.#draw();
    this.element.querySelector(`[data-span="${CSS.escape(id)}"]`)?.focus();
  }

  #detail(row, begin) {
    const filter = (text) => this.app.addFilter(text);
    const { sent, resource } = this.detail;
    const { message } = sent.status ?? {};
    const service = findLabel(resource, 'service.name');
    const facts = [['Service', row.service, service && hasText(service) && 'resource.service.name'], ['Kind', row.kind || 'unspecified'], ['Begins', `+${duration((row.begin - begin) / 1000)}`], ['Lasts', duration((row.end - row.begin) / 1000)], row.failed && ['Error', message || 'yes'], ['Span', row.id], row.parent && ['Parent', row.parent]];
    const events = (sent.events ?? []).map((event) => [event.name ?? '', `+${duration((milliseconds(event.timeUnixNano) - begin) / 1000)}`]);
    return h('div', { className: 'span-detail' },
      table('Span', facts.filter(Boolean), filter),
      table('Events', events),
      ...labelTables(this.detail, filter),
      json('As OTLP JSON', sent));
  }
}

/** Where there is room for a text: behind a bar, before it, or in it. */
function placeOfLength(from, part) {
  if (from + part < 0.8) return '';
  return from > 0.25 ? 'before' : 'inside';
}

/** A text for who doesn't see the picture. */
function unseen(text) {
  return h('span', { className: 'unseen' }, text);
}

function swatch(at) {
  const mark = h('span', { className: 'swatch', 'aria-hidden': 'true' });
  mark.style.setProperty('--swatch', `var(--c${at % COLOURS})`);
  return mark;
}
