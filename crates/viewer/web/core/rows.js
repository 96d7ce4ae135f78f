/** What lists show: rows that can be sent from the worker to the page, small and without cycles. */

import { hasText, namedLabels } from './attributes.js';
import { buckets, compact, merge } from './distribution.js';
import { count } from './format.js';
import { MAX_SHOWN, pretty } from './frames.js';
import { alike, breakLines, combinesBy, linesOf, modesOf } from './lines.js';

/** How much of a log record's body a row shows, in characters. */
const MAX_BODY = 500;
/** The most values of a sparkline. */
const SPARK_STEPS = 60;
/** How long a sparkline is kept, as a multiple of the time that it took. */
const THRIFT = 20;
/** How long it is kept at least, in milliseconds. */
const LEAST_AGE = 900;
/** How long the lines of a chart are not chosen anew, in milliseconds: they would come and go. */
const CHOICE_LASTS = 10_000;
/** The most bars of a chart of buckets. */
const MAX_BARS = 40;
/** The most labels that are offered to group by, and values that are named of each. */
const MAX_LABELS = 40;
const MAX_VALUES = 30;

/** The row of a metric, its sparkline over a span of time. */
export function metricRow(metric, matches, { from, to, until }, now) {
  const { key, name, unit, kind, temporality, monotonic, description } = metric;
  const known = metric.row;
  const fresh = known && known.matches === matches && known.to <= to && now - known.at < known.age;
  if (!fresh) {
    const began = performance.now();
    const mode = sparkMode(metric);
    const { lines } = linesOf(metric, { from, to, until, mode, groupBy: '*', matches, steps: SPARK_STEPS });
    const line = lines[0];
    const took = performance.now() - began;
    metric.row = { mode, values: line?.values ?? [], newest: line?.newest, matches, to, at: now, age: Math.max(LEAST_AGE, took * THRIFT) };
  }
  const { mode, values, newest } = metric.row;
  const several = metric.series.size > 1;
  const how = several && kind !== 'histogram' && kind !== 'exponentialHistogram' ? combinesBy(metric, mode) : '';
  return { key, name, unit, kind, temporality, monotonic, description, series: metric.series.size, mode, values, newest, how };
}

function sparkMode(metric) {
  const [usual] = modesOf(metric);
  if (usual !== 'quantiles') return usual;
  return metric.kind === 'summary' ? 'rate' : 'p90';
}

/** A chart of a metric: its lines, and what else there is to choose from. */
export function chart(metric, settings, matches, { from, to, until }, now, gaps = []) {
  const modes = modesOf(metric);
  const mode = modes.includes(settings.mode) ? settings.mode : modes[0];
  const { name, unit, kind, temporality, monotonic, description } = metric;
  const distributed = kind === 'histogram' || kind === 'exponentialHistogram';
  // Three lines a series are too many to begin with.
  const by = settings.by || (distributed ? '*' : 'each');
  const kept = keptOf(metric, { mode, by, matches }, now);
  const found = linesOf(metric, { from, to, until, mode, groupBy: by, matches, kept });
  breakLines(found, gaps.map(({ time }) => time));
  kept.clear();
  for (const { key } of found.lines) kept.add(key);
  return {
    key: metric.key,
    metric: { name, unit, kind, temporality, monotonic, description },
    series: metric.series.size,
    mode,
    modes,
    by,
    from,
    to,
    ...found,
    labels: labelsOfMetric(metric),
    bars: distributed ? bars(metric, matches, until) : undefined,
  };
}

/** The keys of the lines that were shown, unless it was another choice or too long ago. */
function keptOf(metric, { mode, by, matches }, now) {
  const known = metric.choice;
  const lasts = known && known.mode === mode && known.by === by && known.matches === matches && now - known.at < CHOICE_LASTS;
  if (!lasts) metric.choice = { mode, by, matches, at: now, kept: new Set() };
  return metric.choice.kept;
}

/** The labels of a metric's series, with the values of each that filters can name: those that differ
 * first. */
export function labelsOfMetric(metric) {
  const known = new Map();
  for (const { resource, labels } of metric.series.values()) {
    for (const label of [...namedLabels('resource', resource), ...namedLabels('attr', labels)]) note(known, label);
  }
  const all = [...known].map(([name, values]) => ({ name, count: values.size, values: namable(values).slice(0, MAX_VALUES).sort() }));
  all.sort((one, other) => (other.count > 1) - (one.count > 1) || (one.name < other.name ? -1 : 1));
  return all.slice(0, MAX_LABELS);
}

function note(known, label) {
  const [name, text] = label;
  const values = known.get(name);
  if (!values) known.set(name, new Map([[text, hasText(label)]]));
  else if (values.size < 1000) values.set(text, hasText(label));
}

function namable(values) {
  return [...values].filter(([, isNamable]) => isNamable).map(([text]) => text);
}

/** The buckets of the newest interval, of all series that match. */
function bars(metric, matches, until) {
  const newest = [];
  for (const series of metric.series.values()) {
    const entry = newestOf(series, until);
    if (entry && (!matches || matches(series))) newest.push(entry);
  }
  if (newest.length === 0) return undefined;
  const merged = compact(merge(alike(newest)), MAX_BARS);
  return { count: merged.count, time: Math.max(...newest.map(({ time }) => time)), buckets: trimmed(buckets(merged)) };
}

/** The newest entry up to a time; of a cumulative series that has one point yet, all that it says. */
function newestOf({ ring, last }, until) {
  let index = ring.length - 1;
  while (index >= 0 && ring.at(index).time > until) index -= 1;
  return ring.at(index < 0 ? ring.length : index) ?? (last?.time <= until ? last : undefined);
}

/** Without the empty buckets at both ends. */
function trimmed(all) {
  const filled = ({ count }) => count > 0;
  const first = all.findIndex(filled);
  return first < 0 ? [] : all.slice(first, all.findLastIndex(filled) + 1);
}

/** The row of a log record. */
export function logRow({ id, gap, time, severity, severityText, service, body, record }) {
  if (gap) return { id, gap, time };
  const line = body.length > MAX_BODY ? `${body.slice(0, MAX_BODY)}…` : body;
  return { id, time, severity, severityText, service, body: line, traceId: record.traceId ?? '' };
}

/** All of a log record. */
export function logDetail({ id, time, severity, severityText, service, body, labels, resource, scope, record }) {
  return { id, time, severity, severityText, service, body, labels, resource, scope, record };
}

/** The row of a waterfall. */
export function spanRow({ span, depth, orphan }) {
  const { id, parent, name, kind, begin, end, failed, service } = span;
  return { id, parent, name, kind, begin, end, failed, service, depth, orphan };
}

/** All of a span that its row doesn't say. */
export function spanDetail({ labels, resource, scope, sent }) {
  return { labels, resource, scope, sent };
}

/** What is said of a gap, by its kind. */
export function gapText(kind, dropped) {
  if (kind === 'lost') return `${count(dropped, 'export')} lost here`;
  if (kind === 'restart') return 'the relay was started again: nobody knows what is missing here';
  if (kind === 'away') return 'other views were open for so long that not all that came is here';
  return 'what came before the relay was reached again is not known';
}

/** The row of a frame: how it begins. */
export function frameRow({ id, gap, time, text, signal, items }) {
  if (gap) return { id, gap, time };
  return { id, time, length: text.length, signal, items, begin: text.slice(0, 200) };
}

/** All of a frame, and so much of it to be read as is shown. */
export function frameDetail({ id, time, text, signal, items }) {
  const whole = pretty(text);
  return { id, time, text, signal, items, shown: whole.slice(0, MAX_SHOWN), length: whole.length };
}

/** The labels that any series has, to complete filters with. */
export function knownLabels(metrics) {
  const names = new Map();
  for (const metric of metrics) {
    for (const { name, values } of labelsOfMetric(metric)) {
      const all = names.get(name) ?? new Set();
      for (const value of values) if (all.size < MAX_VALUES) all.add(value);
      names.set(name, all);
      if (names.size >= MAX_LABELS) break;
    }
  }
  return [...names].map(([name, values]) => ({ name, values: [...values] }));
}
