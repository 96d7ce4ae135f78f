/** The tab of logs: a live tail, and all of the record that is open. */

import { clock, count, grouped } from '../core/format.js';
import { severityName } from '../core/logs.js';
import { writeView } from '../core/view.js';
import { dateTime, Details, json, labelTables, shortened, table } from './details.js';
import { choice, fill, h, setText } from './dom.js';
import { List } from './list.js';
import { welcome } from './welcome.js';

const ROW = 28;
const LEAST = [['', 'All severities'], ['DEBUG', 'Debug and up'], ['INFO', 'Info and up'], ['WARN', 'Warn and up'], ['ERROR', 'Error and up'], ['FATAL', 'Fatal']];

export class LogsTab {
  /** @param {object} app `view`, `go(change)`, `refresh()`, `pause(on)`, `query(question)` */
  constructor(app) {
    this.app = app;
    this.details = new Details({ label: 'Log record', close: () => this.close() });
    this.list = new List({
      label: 'Log records, the newest last',
      rowHeight: ROW,
      follows: true,
      idOf: ({ id }) => id,
      render: rowOf,
      open: ({ id, gap }) => !gap && this.#open(id),
      moved: () => app.refresh(),
      left: () => app.pause(true),
      head: h('div', { className: 'list-head log-row', 'aria-hidden': 'true' }, h('span', {}, 'Time'), h('span', {}, 'Severity'), h('span', { className: 'l-service' }, 'Service'), h('span', {}, 'Message')),
    });
    this.empty = h('div', { className: 'empty' });
    this.count = h('p', { className: 'note count' });
    this.listArea = h('div', { className: 'fill column' }, this.count, this.list.element);
    this.element = h('div', { className: 'fill split' }, this.empty, this.listArea, this.details.element);
  }

  controls() {
    const { view, go } = this.app;
    return [choice('Least severity', LEAST, view.severity, (severity) => go({ severity }))];
  }

  ask() {
    const { view } = this.app;
    return { ask: 'logs', filter: view.filter, severity: view.severity, ...this.list.range() };
  }

  show({ total, of, gone, from, rows, fresh }) {
    const nothing = of === 0;
    const { view } = this.app;
    const asked = view.filter !== '' || view.severity !== '';
    this.empty.hidden = !nothing;
    this.listArea.hidden = nothing;
    if (nothing && asked) fill(this.empty, h('p', { className: 'nothing' }, 'No record matches the filter yet.'));
    else if (nothing) welcome(this.empty, this.app, 'logs');
    if (nothing && asked) delete this.empty.dataset.shown;
    const shown = total < of ? `${grouped(total)} of ${count(of, 'record')}` : count(of, 'record');
    setText(this.count, `${shown}${gone > 0 ? '; older ones are gone' : ''}${fresh > 0 ? `; ${grouped(fresh)} new while paused` : ''}`);
    this.list.update({ total, from, rows });
  }

  resumed() {
    this.list.follow();
  }

  close() {
    this.details.close();
    this.list.setOpen(undefined);
  }

  async #open(id) {
    this.list.setOpen(id);
    const { detail } = await this.app.query({ ask: 'log', of: id });
    if (!detail) return;
    const { time, severity, severityText, body, record } = detail;
    const filter = (text) => this.app.addFilter(text);
    this.details.show(
      [h('span', { className: `severity s-${severityName(severity) || 'NONE'}` }, severityText || 'Log'), ' record'],
      h('p', { className: 'log-body' }, shortened(body) || '(no body)'),
      table('Record', [['Time', dateTime(time)], record.observedTimeUnixNano && ['Observed', dateTime(Number(record.observedTimeUnixNano) / 1e6)], severity && ['Severity', `${severityText} (${severity})`], record.eventName && ['Event', record.eventName], record.spanId && ['Span', record.spanId]].filter(Boolean)),
      record.traceId && h('p', {}, h('a', { className: 'button', href: writeView({ ...this.app.view, tab: 'traces', filter: '', trace: record.traceId }) }, 'Show trace ', h('code', {}, record.traceId.slice(0, 8)))),
      ...labelTables(detail, filter),
      json('As OTLP JSON', record),
    );
  }
}

/** What stands where something is missing. */
export function gapText(gap) {
  return h('span', { className: 'gap-text' }, `— ${gap} —`);
}

/** What a row of a record holds; also beside a trace. */
export function rowOf(row, element) {
  element.classList.toggle('gap-row', Boolean(row.gap));
  if (row.gap) return [gapText(row.gap)];
  const name = severityName(row.severity) || 'NONE';
  return [
    h('span', { className: 'l-time' }, clock(row.time)),
    h('span', { className: `severity s-${name}` }, name === 'NONE' ? row.severityText || '–' : name),
    h('span', { className: 'l-service' }, row.service),
    h('span', { className: 'l-body' }, row.body),
  ];
}
