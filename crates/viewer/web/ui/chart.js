/** One chart of a metric: lines, legend, buckets, and what can be chosen. */

import uPlot from '../vendor/uplot/uPlot.esm.js';
import { hasText } from '../core/attributes.js';
import { clauseText, globOf } from '../core/filter.js';
import { clock, count, plain, quantity, scaleTexts, unitName } from '../core/format.js';
import { choice, fill, h, iconButton, setText } from './dom.js';
import { labelText, nameText, shortName, splitLabels, valueText } from './labels.js';
import { colour } from './theme.js';
import { bucketBars } from './bars.js';

const COLOURS = 10;
const MODES = {
  value: 'Value',
  rate: 'Rate /s',
  quantiles: 'p50, p90, p99',
  p50: 'p50',
  p90: 'p90',
  p99: 'p99',
  mean: 'Mean',
};
/** Steps of scales of bytes: powers of two, which KiB and MiB name in few digits. */
const BINARY_STEPS = Array.from({ length: 60 }, (_, power) => 2 ** power);
const NATURAL = new Intl.Collator('en', { numeric: true });
/** Charts whose cursors move together. */
const SYNC = uPlot.sync('charts');

export class Chart {
  /** @param {object} acts `remove()`, `set({ mode, by })` and `filter(clauses)` */
  constructor(acts) {
    this.acts = acts;
    this.slots = new Map();
    this.hidden = new Set();
    this.plotArea = h('div', { className: 'plot' });
    this.head = h('div', { className: 'card-head' });
    this.shared = h('p', { className: 'shared' });
    this.notes = h('p', { className: 'note' });
    this.legend = h('ul', { className: 'legend', 'aria-label': 'Lines' });
    this.legendHead = h('p', { className: 'legend-head' });
    this.bars = h('div', { className: 'bars-area' });
    this.element = h('section', { className: 'card' }, this.head, this.shared, this.plotArea, this.legendHead, this.legend, this.notes, this.bars);
    this.sizes = new ResizeObserver(() => this.#resize());
    this.sizes.observe(this.plotArea);
  }

  remove() {
    this.sizes.disconnect();
    this.plot?.destroy();
    this.element.remove();
  }

  /** Shows what the worker has made of a metric. `gaps` are times at which something is missing. */
  update(chart, gaps) {
    this.chart = chart;
    this.gaps = gaps;
    this.#showHead(chart);
    const lines = this.#inOrder(chart.lines);
    const { shared, differing } = splitLabels(lines);
    this.sharedNames = new Set(shared.map(([name]) => name));
    this.names = lines.map((line) => valueText(differing(line)) || 'all');
    this.titles = lines.map((line) => labelText(differing(line)));
    setText(this.legendHead, lines.length > 0 ? nameText(differing(lines[0])) : '');
    const many = chart.by === '*' && chart.series > 1;
    setText(this.shared, many ? `${count(chart.series, 'series', 'series')} in one` : labelText(shared));
    this.shared.title = this.shared.textContent;
    this.#plot(lines, chart);
    this.#showLegend(lines);
    const notes = [...new Set(gaps.map(({ text }) => `Marked: ${text}.`))];
    if (chart.lines.length === 0) notes.push('Nothing in this span of time yet. Rates and quantiles of cumulative metrics begin with the second point.');
    if (chart.hidden > 0) notes.push(`${count(chart.hidden, 'more line')}: the ${lines.length} highest are shown. Group or filter to see others.`);
    setText(this.notes, notes.join(' '));
    this.notes.hidden = notes.length === 0;
    bucketBars(this.bars, chart);
  }

  /** The colours have changed. */
  repaint() {
    this.plot?.destroy();
    this.plot = undefined;
    if (this.chart) this.update(this.chart, this.gaps);
  }

  /** Lines keep their place, and so their colour, as long as they are there. */
  #inOrder(lines) {
    const keys = new Set(lines.map(({ key }) => key));
    for (const key of this.slots.keys()) if (!keys.has(key)) this.slots.delete(key);
    const fresh = lines.filter(({ key }) => !this.slots.has(key));
    fresh.sort((one, other) => NATURAL.compare(labelText(one.labels), labelText(other.labels)));
    for (const { key } of fresh) this.slots.set(key, freeSlot(this.slots));
    const slotted = lines.map((line) => ({ ...line, slot: this.slots.get(line.key) }));
    return slotted.sort((one, other) => one.slot - other.slot);
  }

  #showHead(chart) {
    const { metric, modes, mode, by, labels, series } = chart;
    const signature = JSON.stringify([metric, modes, mode, by, labels.map(({ name, count }) => [name, count > 1])]);
    if (this.headSignature !== signature) {
      this.headSignature = signature;
      const set = (change) => this.acts.set({ mode: chart.mode, by: chart.by, ...change });
      const groups = [['each', 'each series'], ['*', 'all in one'], ...labels.map(({ name }) => [name, shortName(name)])];
      if (!groups.some(([name]) => name === by)) groups.push([by, shortName(by)]);
      this.seriesCount = h('span');
      fill(
        this.head,
        h('div', { className: 'card-title' },
          h('h2', { title: metric.description || metric.name }, metric.name),
          h('p', { className: 'facts' }, kindText(metric), this.seriesCount)),
        h('div', { className: 'card-controls' },
          modes.length > 1 && choice(`Show ${metric.name} as`, modes.map((mode) => [mode, MODES[mode]]), mode, (mode) => set({ mode })),
          choice(`Lines of ${metric.name}`, groups.map(([name, text]) => [name, name === '*' || name === 'each' ? text : `by ${text}`]), by, (by) => set({ by })),
          iconButton('close', `Remove the chart of ${metric.name}`, this.acts.remove)),
      );
      this.element.setAttribute('aria-label', metric.name);
    }
    setText(this.seriesCount, ` · ${count(series, 'series', 'series')}`);
  }

  /** Draws the lines, each in its slot: the plot is made anew only for more slots than it has. */
  #plot(lines, chart) {
    const { plot } = this;
    const needed = Math.max(...lines.map(({ slot }) => slot + 1), 1);
    const reason = `${chart.mode} ${chart.metric.unit}`;
    const slots = plot && this.plotted === reason ? Math.max(plot.series.length - 1, needed) : needed;
    const data = [chart.times, ...Array.from({ length: slots }, () => new Array(chart.times.length))];
    for (const { key, slot, values } of lines) if (!this.hidden.has(key)) data[slot + 1] = values;
    const scale = { min: chart.from / 1000, max: chart.to / 1000 };
    if (plot && this.plotted === reason && plot.series.length === slots + 1) {
      plot.batch(() => {
        plot.setData(data, false);
        plot.setScale('x', scale);
      });
      return;
    }
    plot?.destroy();
    this.plotted = reason;
    this.plot = new uPlot(this.#options(slots, chart), data, this.plotArea);
    this.plot.setScale('x', scale);
    this.plot.root.setAttribute('aria-hidden', 'true');
  }

  #options(slots, { metric, mode }) {
    const format = (value, precision) => shortText(value, metric, mode, precision);
    const axis = { stroke: colour('--soft'), font: '12px system-ui, sans-serif', grid: { stroke: colour('--grid'), width: 1 }, ticks: { show: false } };
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { sync: { key: SYNC.key, setSeries: false }, drag: { x: false, y: false }, points: { size: 6 }, y: false },
      scales: { x: { time: true, auto: false }, y: { range: rangeOf } },
      axes: [
        { ...axis, size: 30, space: 90, values: times },
        { ...axis, size: axisSize, gap: 6, incrs: metric.unit === 'By' ? BINARY_STEPS : undefined, values: (_, ticks) => scaleTexts(ticks, format) },
      ],
      series: [{}, ...Array.from({ length: slots }, (_, slot) => seriesOf(slot))],
      hooks: { setCursor: [() => this.#showValues()], draw: [(plot) => this.#drawGaps(plot)] },
    };
  }

  #showLegend(lines) {
    const signature = JSON.stringify([lines.map(({ key }) => key), this.names]);
    if (this.legendSignature !== signature) {
      this.legendSignature = signature;
      this.values = lines.map(() => h('span', { className: 'legend-value' }));
      fill(this.legend, lines.map((line, at) => h('li', {}, this.#entry(line, at), this.#filter(line, at))));
    }
    this.lines = lines;
    this.#showValues();
  }

  #entry({ key, slot }, at) {
    const mark = h('span', { className: slot >= COLOURS ? 'swatch dashed' : 'swatch' });
    mark.style.setProperty('--swatch', `var(--c${slot % COLOURS})`);
    const button = h('button', {
      type: 'button',
      className: 'legend-entry',
      title: this.titles[at],
      'aria-pressed': String(!this.hidden.has(key)),
      on: {
        click: () => {
          if (!this.hidden.delete(key)) this.hidden.add(key);
          button.setAttribute('aria-pressed', String(!this.hidden.has(key)));
          this.#plot(this.lines, this.chart);
        },
      },
    }, mark, h('span', { className: 'legend-name' }, this.names[at]), this.values[at]);
    return button;
  }

  /** What makes a filter of the labels that tell a line from others, if filters can. */
  #filter({ labels }, at) {
    const own = labels.filter(([name]) => name.includes('.') && !this.sharedNames.has(name));
    if (own.length === 0 || !own.every(hasText)) return undefined;
    const clauses = own.map(([name, value]) => clauseText(name, globOf(value)));
    return h('button', { type: 'button', className: 'link filter-by', title: clauses.join(' '), 'aria-label': `Filter by ${this.titles[at]}`, on: { click: () => this.acts.filter(clauses) } }, 'filter');
  }

  /** The values under the cursor, or the newest. */
  #showValues() {
    const { lines, chart, plot } = this;
    if (!lines || !plot) return;
    const { metric, mode } = chart;
    const at = plot.cursor.left >= 0 ? (plot.cursor.idx ?? -1) : -1;
    lines.forEach(({ values, newest }, line) => {
      const value = at >= 0 ? nearest(values, at) : newest;
      setText(this.values[line], isDistribution(metric) && mode === 'rate' ? `${plain(value ?? NaN)}/s` : quantity(value, metric.unit, mode === 'rate'));
    });
  }

  /** A line where something is missing. */
  #drawGaps(plot) {
    const pen = plot.ctx;
    const { left, top, width, height } = plot.bbox;
    pen.save();
    pen.fillStyle = colour('--gap');
    for (const { time } of this.gaps) {
      const x = plot.valToPos(time / 1000, 'x', true);
      if (x >= left && x <= left + width) pen.fillRect(x - 2, top, 4, height);
    }
    pen.restore();
  }

  #size() {
    const { clientWidth, clientHeight } = this.plotArea;
    return { width: Math.max(clientWidth, 200), height: Math.max(clientHeight, 100) };
  }

  #resize() {
    const { plot } = this;
    const size = this.#size();
    if (plot && this.plotArea.clientWidth > 0 && (size.width !== plot.width || size.height !== plot.height)) plot.setSize(size);
  }
}

/** How the line of a slot is drawn. */
function seriesOf(slot) {
  return {
    stroke: colour(`--c${slot % COLOURS}`),
    width: 1.5,
    dash: slot >= COLOURS ? [6, 3] : undefined,
    points: { show: false },
    paths: withDots,
  };
}

function freeSlot(slots) {
  const taken = new Set(slots.values());
  let slot = 0;
  while (taken.has(slot)) slot += 1;
  return slot;
}

function isDistribution({ kind }) {
  return kind === 'histogram' || kind === 'exponentialHistogram' || kind === 'summary';
}

/** A value where its unit is named beside: only bytes, times and the like have one of their own. */
export function shortText(value, { unit, kind }, mode, precision) {
  if (value === undefined || value === null) return '–';
  if (isDistribution({ kind }) && mode === 'rate') return `${plain(value, precision)}/s`;
  return quantity(value, unitName(unit) === unit || unit === 'By' ? unit : '1', mode === 'rate', precision);
}

/** What a metric is: `counter, cumulative · bytes`. */
export function kindText({ kind, monotonic, temporality, unit }) {
  const names = { gauge: 'gauge', sum: monotonic ? 'counter' : 'up-down counter', histogram: 'histogram', exponentialHistogram: 'exponential histogram', summary: 'summary' };
  const name = unitName(unit);
  return [names[kind], temporality, name].filter(Boolean).join(' · ');
}

/** The y-axis: with some air, from 0 where that is near. */
function rangeOf(_, least, most) {
  if (least === null || most === null || !Number.isFinite(least)) return [0, 1];
  const span = most - least || Math.abs(most) || 1;
  const low = least >= 0 && least < span * 2 ? 0 : least - span * 0.1;
  return [low, most + span * 0.1];
}

/** As wide as the longest label needs. */
function axisSize(plot, labels) {
  const longest = Math.max(...(labels ?? ['']).map((label) => (label ?? '').length), 3);
  return longest * 7 + 14;
}

/** Times of a day, in the clock of 24 hours. */
function times(_, ticks, __, ___, step) {
  return ticks.map((tick) => clock(tick * 1000).slice(0, step < 60 ? 8 : 5));
}

const linear = uPlot.paths.linear();

/** Straight lines; a single point alone has none, so it gets a dot. */
function withDots(plot, index, first, last) {
  const paths = linear(plot, index, first, last);
  const values = plot.data[index];
  const known = [];
  for (let at = first; at <= last && known.length < 2; at += 1) if (values[at] !== undefined && values[at] !== null) known.push(at);
  if (known.length === 1 && paths) {
    const x = plot.valToPos(plot.data[0][known[0]], 'x', true);
    const y = plot.valToPos(values[known[0]], 'y', true);
    paths.stroke.moveTo(x + 2, y);
    paths.stroke.arc(x, y, 2, 0, 7);
  }
  return paths;
}

/** The value at a place, or the one before it. */
function nearest(values, at) {
  for (let back = at; back >= 0; back -= 1) if (values[back] !== undefined) return values[back];
  return undefined;
}
