/** The buckets of the newest interval, as bars. */

import { clock, count, quantity } from '../core/format.js';
import { fill, h } from './dom.js';

/** Shows the buckets of a chart, if it has any. */
export function bucketBars(area, { bars, metric }) {
  area.hidden = !bars?.buckets.length;
  if (area.hidden) return;
  const signature = JSON.stringify(bars);
  if (area.dataset.shown === signature) return;
  area.dataset.shown = signature;
  const most = Math.max(...bars.buckets.map(({ count }) => count));
  const edge = (value) => quantity(value, metric.unit);
  const columns = bars.buckets.map(({ low, high, count: amount }) => {
    const bar = h('span', { className: 'bucket', title: `${rangeText(low, high, edge)}: ${count(amount, 'value')}` });
    bar.style.setProperty('--size', String(most > 0 ? amount / most : 0));
    return bar;
  });
  const [first, last] = [bars.buckets[0], bars.buckets.at(-1)];
  const summary = `${count(bars.count, 'value')}, from ${edge(finite(first.low, first.high))} to ${edge(finite(last.high, last.low))}`;
  fill(
    area,
    h('h3', {}, 'Newest interval ', h('span', {}, `${clock(bars.time).slice(0, 8)} · ${count(bars.count, 'value')}`)),
    h('div', { className: 'bars', role: 'img', 'aria-label': `Buckets of the newest interval: ${summary}` }, columns),
    h('div', { className: 'bars-ends', 'aria-hidden': 'true' }, h('span', {}, lowText(first, edge)), h('span', {}, highText(last, edge))),
  );
}

function rangeText(low, high, edge) {
  if (low === -Infinity) return `up to ${edge(high)}`;
  if (high === Infinity) return `over ${edge(low)}`;
  return `${edge(low)} to ${edge(high)}`;
}

function finite(value, otherwise) {
  return Number.isFinite(value) ? value : otherwise;
}

function lowText({ low, high }, edge) {
  return low === -Infinity ? `≤ ${edge(high)}` : edge(low);
}

function highText({ low, high }, edge) {
  return high === Infinity ? `> ${edge(low)}` : edge(high);
}
