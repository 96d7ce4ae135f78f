/** The tab of metrics: a list to choose from, and the charts of what was chosen. */

import { count, grouped } from '../core/format.js';
import { DEFAULT_WINDOW, MAX_CHARTS, showsCharts, WINDOWS } from '../core/view.js';
import { Chart, kindText, shortText } from './chart.js';
import { choice, fill, h, icon, ICONS, setText } from './dom.js';
import { List } from './list.js';
import { Slice } from './slice.js';
import { drawSpark, sparkline } from './spark.js';
import { onColours } from './theme.js';
import { welcome } from './welcome.js';

const ROW = 48;

export class MetricsTab {
  /** @param {object} app `view`, `go(change)`, `refresh()`, `about` */
  constructor(app) {
    this.app = app;
    this.charts = new Map();
    this.chosen = h('div', { className: 'chosen' });
    this.list = new List({
      label: 'Metrics',
      rowHeight: ROW,
      idOf: ({ key }) => key,
      render: rowOf,
      renew,
      open: ({ name }) => this.#open(name),
      toggle: ({ name }) => this.#toggle(name),
      moved: () => app.refresh(),
      head: h('div', { className: 'list-head metric-row', 'aria-hidden': 'true' },
        ['', 'Metric', 'Series', 'Newest', '5 min'].map((text, at) => h('span', { className: ['check-head', 'm-name', 'm-series', 'm-newest', 'm-spark'][at] }, text))),
    });
    this.note = h('p', { className: 'note limits', role: 'status' });
    this.empty = h('div', { className: 'empty' });
    this.grid = h('div', { className: 'charts' });
    this.listArea = h('div', { className: 'fill column metric-list' }, this.chosen, this.list.element);
    this.element = h('div', { className: 'fill column' }, this.note, this.empty, this.listArea, this.grid);
    onColours(() => this.charts.forEach((chart) => chart.repaint()));
  }

  /** The controls of this tab, above it. */
  controls() {
    const { view, go } = this.app;
    if (!showsCharts(view)) return [];
    return [
      h('button', { type: 'button', className: 'button', on: { click: () => go({ list: true }) } }, icon(ICONS.add), 'Choose metrics'),
      choice('Span of time', Object.keys(WINDOWS).map((name) => [name, `Last ${name}`]), view.window, (window) => go({ window })),
    ];
  }

  ask() {
    const { view } = this.app;
    if (showsCharts(view)) return { ask: 'charts', names: view.metrics, charts: view.charts, filter: view.filter, span: WINDOWS[view.window] };
    return { ask: 'metrics', filter: view.filter, span: WINDOWS[DEFAULT_WINDOW], ...this.list.range() };
  }

  async show(answer, from) {
    const charts = Boolean(answer.shown);
    this.grid.hidden = !charts;
    this.listArea.hidden = charts;
    this.#showLimits(answer.limits);
    if (charts) await this.#showCharts(answer);
    else this.#showList(answer, from);
  }

  #showList({ total, known, rows, }, from) {
    const nothing = known === 0;
    this.empty.hidden = total > 0;
    this.listArea.hidden = nothing;
    if (nothing) {
      welcome(this.empty, this.app, 'metrics');
    } else if (total === 0) {
      delete this.empty.dataset.shown;
      fill(this.empty, h('p', { className: 'nothing' }, 'No metric matches the filter.'));
    }
    this.list.update({ total, from, rows });
    this.#showChosen();
  }

  #showChosen() {
    const { view, go } = this.app;
    const names = new Set(view.metrics);
    this.list.setChosen(({ name }) => names.has(name));
    this.chosen.hidden = names.size === 0;
    const signature = view.metrics.join('\n');
    if (names.size === 0 || this.chosenSignature === signature) return;
    this.chosenSignature = signature;
    fill(
      this.chosen,
      h('span', {}, `${count(names.size, 'metric')} chosen${names.size === MAX_CHARTS ? ', no more fit on the page' : ''}`),
      h('button', { type: 'button', className: 'button primary', on: { click: () => go({ list: false }) } }, names.size === 1 ? 'Show chart' : 'Show charts'),
      h('button', { type: 'button', className: 'button', on: { click: () => go({ metrics: [], charts: {} }) } }, 'Choose none'),
    );
  }

  /** Shows charts, so many in a task as fit: between them the page may do what else there is to do. */
  async #showCharts({ shown, gaps }) {
    this.empty.hidden = true;
    const wanted = new Map();
    for (const { name, charts } of shown) {
      if (charts.length === 0) wanted.set(`waiting\n${name}`, { card: this.#waiting(name) });
      for (const chart of charts) wanted.set(chart.key, { card: this.#chart(chart.key, name), chart });
    }
    this.#place(wanted);
    const slice = new Slice();
    for (const { card, chart } of wanted.values()) {
      if (chart && card.element.isConnected) card.update(chart, gaps);
      await slice.pause();
    }
  }

  /** Puts the cards that are wanted into the grid, in their order, and takes the others out. */
  #place(wanted) {
    for (const [key, chart] of this.charts) {
      if (wanted.has(key)) continue;
      chart.remove();
      this.charts.delete(key);
    }
    [...wanted.values()].forEach(({ card }, at) => {
      if (this.grid.children[at] !== card.element) this.grid.insertBefore(card.element, this.grid.children[at] ?? null);
    });
    this.grid.classList.toggle('single', wanted.size === 1);
  }

  #chart(key, name) {
    if (!this.charts.has(key)) {
      this.charts.set(key, new Chart({ remove: () => this.#toggle(name), set: (settings) => this.#set(name, settings), filter: (clauses) => clauses.forEach(this.app.addFilter) }));
    }
    return this.charts.get(key);
  }

  /** A metric that was chosen and has not come. */
  #waiting(name) {
    const key = `waiting\n${name}`;
    if (this.charts.has(key)) return this.charts.get(key);
    const element = h('section', { className: 'card waiting', 'aria-label': name },
      h('div', { className: 'card-head' }, h('div', { className: 'card-title' }, h('h2', {}, name)),
        h('button', { type: 'button', className: 'button', on: { click: () => this.#toggle(name) } }, 'Remove')),
      h('p', { className: 'note' }, 'Waiting for its next export.'));
    const card = { element, remove: () => element.remove(), repaint: () => {} };
    this.charts.set(key, card);
    return card;
  }

  #open(name) {
    const { view, go } = this.app;
    const metrics = view.metrics.includes(name) ? view.metrics : [...view.metrics, name].slice(-MAX_CHARTS);
    go({ metrics, list: false });
  }

  #toggle(name) {
    const { view, go } = this.app;
    const without = view.metrics.filter((other) => other !== name);
    const { [name]: _, ...charts } = view.charts;
    if (without.length < view.metrics.length) go({ metrics: without, charts });
    else if (without.length < MAX_CHARTS) go({ metrics: [...without, name], list: true });
  }

  #set(name, settings) {
    const { view, go } = this.app;
    go({ charts: { ...view.charts, [name]: settings } });
  }

  #showLimits({ refused, points, trimmed, metrics, series, characters }) {
    const said = [];
    if (refused.metrics > 0) said.push(`More than ${count(metrics, 'metric')}: points of further ones are left out.`);
    if (refused.series > 0) said.push(`More than ${count(series, 'series', 'series')}: points of further ones are left out. A filter keeps others out instead.`);
    if (refused.texts > 0) said.push(`More than ${grouped(characters)} characters of names and labels: points of further series are left out.`);
    if (points > 0) said.push(`So many series that each keeps its newest ${points} points only${trimmed ? ', large distributions fewer' : ''}.`);
    setText(this.note, said.join(' '));
    this.note.hidden = said.length === 0;
  }
}

/** What the newest value is of. */
function howText({ how, mode }) {
  if (mode === 'p90') return 'p90';
  return { sum: 'sum', mean: 'mean' }[how] ?? '';
}

function rowOf(row) {
  const content = [
    h('span', { className: 'check', 'aria-hidden': 'true' }),
    h('span', { className: 'm-name' }, h('strong', {}, row.name), h('small', {}, kindText(row))),
    h('span', { className: 'm-series' }),
    h('span', { className: 'm-newest' }, h('span'), h('small')),
    h('span', { className: 'm-spark' }, sparkline()),
  ];
  renew(row, content);
  return content;
}

/** Puts what changes of a row into its content. What it is has an id of its own, and stays. */
function renew(row, [, , series, newest, spark]) {
  setText(series, grouped(row.series));
  setText(newest.firstChild, shortText(row.newest, row, row.mode));
  setText(newest.lastChild, howText(row));
  drawSpark(spark.firstChild, row.values);
}
