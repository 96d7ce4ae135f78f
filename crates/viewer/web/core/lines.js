/**
 * From the series of a metric to the lines of a chart: filtered, turned into rates or quantiles,
 * grouped, and put on one grid of times.
 *
 * On the grid, `undefined` is a time of which a line has nothing to say and that it passes over;
 * `null` breaks it. That is how uPlot takes them.
 */

import { namedLabels, NO_TEXT } from './attributes.js';
import { isAlike, merge, quantile } from './distribution.js';
import { labelIn } from './filter.js';
import { START, TIME, VALUE } from './metrics.js';
import { cumulativeRate, deltaRate } from './rates.js';

/** The most lines of a chart: those that are kept, then those with the greatest newest values. */
export const MAX_LINES = 20;
/** The most times on the grid. */
const MAX_STEPS = 360;
/** Lengths of steps, in milliseconds. */
const STEPS = [250, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000];
/** For how many of its intervals a series still counts in a sum after its newest point. */
const LASTING = 2.5;

/** The ways to look at a metric, the usual first. */
export function modesOf({ kind, monotonic, temporality }) {
  if (kind === 'gauge') return ['value'];
  if (kind === 'sum' && (monotonic || temporality === 'delta')) return ['rate', 'value'];
  if (kind === 'sum') return ['value'];
  if (kind === 'summary') return ['quantiles', 'rate', 'mean'];
  return ['quantiles', 'p50', 'p90', 'p99', 'rate', 'mean'];
}

/** How the values of a group become one: sums add up, everything else is averaged. */
export function combinesBy(metric, mode) {
  return mode === 'rate' || (metric.kind === 'sum' && mode === 'value') ? 'sum' : 'mean';
}

/**
 * The lines of a metric.
 *
 * @param {object} metric of `Metrics`
 * @param {object} view `{ from, to, mode, groupBy, matches }`: a span of time in milliseconds, one
 *   of `modesOf`, a label like `attr.KEY` or `resource.KEY`, or `each` (each series its own line),
 *   or `*` (all in one), and a predicate of series; and `steps`, the most times, `until`, the time
 *   after which points are left out, and `kept`, keys of lines that come before others
 * @returns {object} `{ times, lines, hidden, step }`; times in seconds, lines as
 *   `{ key, labels, values, newest }`, and how many lines there was no room for
 */
export function linesOf(metric, view) {
  const step = stepOf(view.to - view.from, view.steps);
  const first = Math.floor(view.from / step);
  const steps = Math.floor(view.to / step) - first + 1;
  const grid = { step, first, steps, until: view.until ?? Infinity };
  const groups = groupsOf(metric, view);
  let lines = groups.flatMap((group) => linesOfGroup(metric, group, view, grid));
  lines = lines.filter(({ newest }) => newest !== undefined);
  const isKept = ({ key }) => view.kept?.has(key) ?? false;
  if (view.mode !== 'quantiles') lines.sort((one, other) => isKept(other) - isKept(one) || other.newest - one.newest);
  const times = Array.from({ length: steps }, (_, at) => ((first + at) * step) / 1000);
  return { times, lines: lines.slice(0, MAX_LINES), hidden: Math.max(lines.length - MAX_LINES, 0), step };
}

/** Breaks lines at some times, in milliseconds, where they have no value anyway. */
export function breakLines({ lines, times, step }, at) {
  for (const time of at) {
    const place = Math.floor(time / step) - Math.round((times[0] * 1000) / step);
    for (const { values } of lines) if (place in values && values[place] === undefined) values[place] = null;
  }
}

/** The step of a grid for a span of time. */
export function stepOf(span, most = MAX_STEPS) {
  return STEPS.find((step) => span / step <= most) ?? STEPS[STEPS.length - 1];
}

/** The series that match, by the value of the label that they are grouped by. */
function groupsOf(metric, { groupBy, matches }) {
  const groups = new Map();
  for (const [key, series] of metric.series) {
    if (matches && !matches(series)) continue;
    const value = groupBy === '*' ? '' : groupBy === 'each' ? key : (labelIn(series, groupBy)?.[1] ?? '');
    const group = groups.get(value);
    if (group) group.series.push(series);
    else groups.set(value, { key: value, labels: labelsOfGroup(series, groupBy), series: [series] });
  }
  return [...groups.values()];
}

function labelsOfGroup(series, groupBy) {
  if (groupBy === '*') return [];
  if (groupBy === 'each') return [...namedLabels('resource', series.resource), ...namedLabels('attr', series.labels)];
  // Of a label that isn't there, no filter says so.
  const [, ...text] = labelIn(series, groupBy) ?? ['', '', NO_TEXT];
  return [[groupBy, ...text]];
}

function linesOfGroup(metric, group, view, grid) {
  const { kind } = metric;
  if (kind === 'gauge' || kind === 'sum') {
    const how = combinesBy(metric, view.mode);
    const columns = group.series.map((series) => numbers(metric, series, view.mode, grid));
    return [line(group, combine(columns, how, grid))];
  }
  if (kind === 'summary') return linesOfSummary(group, view.mode, grid);
  return linesOfHistogram(group, view.mode, grid);
}

/** A line of a group, or one of its quantiles. */
function line({ key, labels }, values, quantile) {
  let newest;
  for (let at = values.length - 1; at >= 0 && newest === undefined; at -= 1) newest = values[at] ?? undefined;
  if (!quantile) return { key, labels, values, newest };
  return { key: `${key}\n${quantile}`, labels: [...labels, ['quantile', quantile]], values, newest };
}

/** The values of a series of numbers on the grid: the last of a step, or the mean of its rates. */
function numbers(metric, { rows }, mode, grid) {
  const values = new Array(grid.steps).fill(undefined);
  const amounts = mode === 'rate' ? new Array(grid.steps).fill(0) : undefined;
  let previous;
  for (let row = firstRow(rows, grid); row < rows.length; row += 1) {
    const point = { time: rows.get(row, TIME), value: rows.get(row, VALUE), start: rows.get(row, START) };
    if (point.time > grid.until) break;
    const at = Math.floor(point.time / grid.step) - grid.first;
    const value = valueOf(metric, mode, previous, point);
    previous = point;
    if (at < 0 || at >= grid.steps || value === undefined) continue;
    if (amounts) {
      amounts[at] += 1;
      values[at] = (values[at] ?? 0) + (value - (values[at] ?? 0)) / amounts[at];
    } else {
      values[at] = value;
    }
  }
  return values;
}

/** The first row that the grid has need of: the last one before it begins. */
function firstRow(rows, grid) {
  const begin = grid.first * grid.step;
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows.get(middle, TIME) < begin) low = middle + 1;
    else high = middle;
  }
  return Math.max(low - 1, 0);
}

function valueOf({ kind, temporality }, mode, previous, point) {
  if (kind !== 'sum' || mode !== 'rate') return Number.isFinite(point.value) ? point.value : undefined;
  return temporality === 'delta' ? deltaRate(previous, point) : cumulativeRate(previous, point);
}

/** Several series as one. Each counts from point to point, and a while after its newest one. */
function combine(columns, how, { steps }) {
  if (columns.length === 1) return columns[0];
  const sums = new Array(steps).fill(undefined);
  const counts = new Array(steps).fill(0);
  for (const values of columns) {
    const lasting = Math.ceil(intervalOf(values) * LASTING);
    let [held, since] = [undefined, 0];
    for (let at = 0; at < steps; at += 1) {
      if (values[at] !== undefined) [held, since] = [values[at], at];
      if (held === undefined || at - since > lasting) continue;
      sums[at] = (sums[at] ?? 0) + held;
      counts[at] += 1;
    }
  }
  // A time at which nobody said anything is passed over, whatever lasts.
  const said = (at) => columns.some((values) => values[at] !== undefined);
  return sums.map((sum, at) => (sum === undefined || !said(at) ? undefined : how === 'mean' ? sum / counts[at] : sum));
}

/** The usual distance of two values of a column, in steps. */
function intervalOf(values) {
  let [first, last, count] = [-1, -1, 0];
  values.forEach((value, at) => {
    if (value === undefined) return;
    if (first < 0) first = at;
    last = at;
    count += 1;
  });
  return count > 1 ? (last - first) / (count - 1) : 1;
}

/** The entries of a group's rings, by step of the grid. */
function entriesOf(group, grid) {
  const steps = Array.from({ length: grid.steps }, () => []);
  for (const { ring } of group.series) {
    for (let index = ring.length - 1; index >= 0; index -= 1) {
      const entry = ring.at(index);
      const at = Math.floor(entry.time / grid.step) - grid.first;
      if (at < 0) break;
      if (entry.time <= grid.until) steps[at]?.push(entry);
    }
  }
  return steps;
}

const QUANTILES = { p50: 0.5, p90: 0.9, p99: 0.99 };

function linesOfHistogram(group, mode, grid) {
  const steps = entriesOf(group, grid);
  const values = (compute) => steps.map((entries) => (entries.length ? compute(entries) : undefined));
  if (mode === 'rate') return [line(group, values(rateOf))];
  if (mode === 'mean') return [line(group, values(meanOf))];
  const merged = steps.map((entries) => (entries.length ? merge(alike(entries)) : undefined));
  const names = mode === 'quantiles' ? Object.keys(QUANTILES) : [mode];
  return names.map((name) => {
    const values = merged.map((one) => (one ? quantile(one, QUANTILES[name]) : undefined));
    return line(group, values, mode === 'quantiles' ? name : undefined);
  });
}

/** Those that can be added to the first: a sender that changes its bounds begins anew. */
export function alike(entries) {
  return entries.filter((entry) => isAlike(entries[0], entry));
}

function rateOf(entries) {
  let rate = 0;
  for (const { count, time, start } of entries) if (start && time > start) rate += (count * 1000) / (time - start);
  return rate;
}

function meanOf(entries) {
  let [sum, count] = [0, 0];
  for (const entry of entries) {
    sum += entry.sum ?? 0;
    count += entry.count;
  }
  return count > 0 ? sum / count : undefined;
}

/** Quantiles of summaries can't be added, so a group shows the mean of each. */
function linesOfSummary(group, mode, grid) {
  const steps = entriesOf(group, grid);
  if (mode !== 'quantiles') {
    const columns = group.series.map((series) => cumulative(series, mode, grid));
    return [line(group, combine(columns, mode === 'rate' ? 'sum' : 'mean', grid))];
  }
  const all = steps.flat().flatMap(({ quantiles }) => quantiles.map(({ quantile }) => quantile));
  const known = [...new Set(all)].sort((one, other) => one - other);
  return known.map((q) => {
    const values = steps.map((entries) => {
      const said = entries.flatMap(({ quantiles }) => quantiles.filter(({ quantile }) => quantile === q));
      const finite = said.map(({ value }) => value).filter(Number.isFinite);
      return finite.length ? finite.reduce((sum, value) => sum + value, 0) / finite.length : undefined;
    });
    return line(group, values, `p${Number((q * 100).toFixed(3))}`);
  });
}

/** Counts and sums of summaries, which are cumulative. */
function cumulative({ ring }, mode, grid) {
  const values = new Array(grid.steps).fill(undefined);
  let previous;
  for (const { time, start, count, sum } of ring) {
    if (time > grid.until) break;
    const at = Math.floor(time / grid.step) - grid.first;
    const point = { time, start, value: count, sum };
    const rate = cumulativeRate(previous, point);
    const fresh = previous && count > previous.value;
    if (at >= 0 && at < grid.steps && rate !== undefined) {
      if (mode === 'rate') values[at] = rate;
      else if (fresh) values[at] = (sum - previous.sum) / (count - previous.value);
    }
    previous = point;
  }
  return values;
}
