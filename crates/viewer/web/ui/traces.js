/** The tab of traces: the newest ones, and the waterfall of the one that is open. */

import { clock, count, duration, grouped } from '../core/format.js';
import { Details } from './details.js';
import { choice, fill, h, setText } from './dom.js';
import { List } from './list.js';
import { Waterfall } from './waterfall.js';
import { welcome } from './welcome.js';

const ROW = 44;

export class TracesTab {
  /** @param {object} app `view`, `go(change)`, `refresh()`, `query(question)` */
  constructor(app) {
    this.app = app;
    this.details = new Details({ label: 'Trace', close: () => this.close() });
    this.details.element.classList.add('wide');
    this.waterfall = new Waterfall(app);
    this.list = new List({
      label: 'Traces, the newest first',
      rowHeight: ROW,
      idOf: ({ id }) => id,
      render: (row) => this.#row(row),
      open: ({ id }) => app.go({ trace: id }),
      moved: () => app.refresh(),
      head: h('div', { className: 'list-head trace-row', 'aria-hidden': 'true' },
        h('span', {}, 'Began'), h('span', {}, 'Root span'), h('span', { className: 't-duration' }, 'Duration'), h('span', { className: 't-spans' }, 'Spans'), h('span', { className: 't-errors' }, 'Errors')),
    });
    this.empty = h('div', { className: 'empty' });
    this.count = h('p', { className: 'note count' });
    this.missing = h('p', { className: 'note count missing', role: 'status', hidden: true });
    this.listArea = h('div', { className: 'fill column' }, this.count, this.missing, this.list.element);
    this.element = h('div', { className: 'fill split' }, this.empty, this.listArea, this.details.element);
  }

  controls() {
    const { view, go } = this.app;
    return [choice('Which traces', [['', 'All traces'], ['failed', 'With errors']], view.failed ? 'failed' : '', (which) => go({ failed: which === 'failed' }))];
  }

  ask() {
    const { filter, failed } = this.app.view;
    return { ask: 'traces', filter, failed, ...this.list.range() };
  }

  show({ total, of, gone, missing, rows }, from) {
    const nothing = of === 0 && !missing;
    this.empty.hidden = !nothing;
    this.listArea.hidden = nothing;
    if (nothing && this.app.view.filter) {
      delete this.empty.dataset.shown;
      fill(this.empty, h('p', { className: 'nothing' }, 'No trace matches the filter yet.'));
    } else if (nothing) {
      welcome(this.empty, this.app, 'traces');
    }
    const shown = total < of ? `${grouped(total)} of ${count(of, 'trace')}` : count(of, 'trace');
    setText(this.count, `${shown}${gone > 0 ? '; older ones are gone' : ''}`);
    this.missing.hidden = !missing;
    if (missing) setText(this.missing, missingText(missing));
    this.longest = Math.max(...rows.map(({ duration }) => duration), 1e-6);
    this.list.update({ total, from, rows: rows.map((row) => ({ ...row, part: Math.round((row.duration / this.longest) * 50) / 50 })) });
    this.#showTrace();
  }

  close() {
    if (this.app.view.trace) this.app.go({ trace: '' });
  }

  async #showTrace() {
    const id = this.app.view.trace;
    this.list.setOpen(id || undefined);
    if (!id) {
      this.details.close();
      this.waterfall.forget();
      return;
    }
    if (this.asking) return;
    this.asking = true;
    const trace = await this.app.query({ ask: 'trace', of: id, known: this.waterfall.version });
    this.asking = false;
    if (this.app.view.trace !== id) return;
    const title = ['Trace ', h('code', { title: id }, id.slice(0, 16))];
    if (trace.rows?.length === 0) {
      this.waterfall.forget();
      this.details.show(title, h('p', { className: 'note' }, 'No span of this trace has come while this page was open, or it is gone already.'));
      return;
    }
    if (trace.rows) this.waterfall.show(trace);
    if (trace.rows || !this.details.isOpen) this.details.show(title, this.waterfall.element);
  }

  #row({ begin, name, service, services, duration: length, part, spans, errors, rooted, failed }) {
    const bar = h('span', { className: failed ? 'duration-bar failed' : 'duration-bar' });
    bar.style.setProperty('--part', String(part));
    return [
      h('span', { className: 'l-time' }, clock(begin)),
      h('span', { className: 't-name' }, h('strong', {}, name || '(no name)'),
        h('small', {}, [service, services > 1 ? `${services} services` : '', rooted ? '' : 'root not received'].filter(Boolean).join(' · '))),
      h('span', { className: 't-duration' }, duration(length / 1000), bar),
      h('span', { className: 't-spans' }, grouped(spans)),
      h('span', { className: errors > 0 ? 't-errors some' : 't-errors' }, errors > 0 ? grouped(errors) : '–'),
    ];
  }
}

/** What is missing, and when: of several times the newest. */
function missingText({ time, text, times }) {
  return `At ${clock(time)}: ${text}.${times > 1 ? ` Before, ${count(times - 1, 'more gap')}.` : ''}`;
}
