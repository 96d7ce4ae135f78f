/**
 * The worker: holds the connection, reads frames and keeps what they say, so that the page itself
 * never has to. The page asks for what it shows, and gets that and no more.
 */

import { Watch } from './watch.js';
import { edgeOf } from './core/clock.js';
import { globPattern, holdsAll, matcher, parseFilter } from './core/filter.js';
import { Frames } from './core/frames.js';
import { Logs, select, severityNumber } from './core/logs.js';
import { Metrics } from './core/metrics.js';
import { countItems, signalOf } from './core/otlp.js';
import { Flow } from './core/meter.js';
import { chart, frameDetail, frameRow, gapText, knownLabels, logDetail, logRow, metricRow, spanDetail, spanRow } from './core/rows.js';
import { Traces, waterfall } from './core/traces.js';

const metrics = new Metrics();
const logs = new Logs();
const traces = new Traces();
const frames = new Frames();
const flow = new Flow();
/** Where points of metrics are missing, the newest last: `{ time, text }`. */
let gaps = [];
const MAX_GAPS = 100;
/** The newest gap of traces, and how many there were. */
let missing;
/** When the newest data point came. */
let received = 0;
/** What lists stood at when they were paused. */
let paused;

const watch = new Watch({ opened: () => flow.opened(), data, raw, gap, replaced: forget, changed: () => postMessage({ status: status() }) });

/** The time by a clock that nobody sets, in milliseconds. */
function ticks() {
  return performance.timeOrigin + performance.now();
}

/** Takes a frame that was read. */
function data(signal, request, time, length) {
  flow.take({ items: countItems(signal, request), bytes: length }, time, ticks());
  if (signal === 'metrics') {
    const newest = metrics.newest;
    metrics.add(request);
    if (metrics.newest > newest) received = Date.now();
  } else if (signal === 'traces') {
    traces.add(request);
  } else if (signal === 'logs') {
    logs.add(request, time);
  }
}

/** Takes a frame as it came. */
function raw(text) {
  let signal = '';
  let items = 0;
  try {
    const request = JSON.parse(text);
    signal = signalOf(request);
    items = countItems(signal, request);
  } catch {
    // Several lines, or none of JSON: it is shown as it is.
  }
  // Frames don't say when the relay received them.
  const now = ticks();
  flow.take({ items, bytes: text.length }, now, now);
  frames.add(text, { time: Date.now(), signal, items });
}

/** Takes note of what is missing, where it is: in time, from when the connection was lost. */
function gap({ kind, dropped, since }) {
  const text = gapText(kind, dropped);
  const time = since || Date.now();
  if (watch.store === 'raw') frames.addGap(text, time);
  else if (watch.store === 'logs') logs.addGap(text, time);
  else if (watch.store === 'traces') missing = { time, text, times: (missing?.times ?? 0) + 1 };
  else if (watch.store === 'metrics') gaps = [...gaps, { time: edge(time), text }].slice(-MAX_GAPS);
}

/** The right edge of charts. */
function edge(now = Date.now()) {
  return edgeOf(now, metrics.newest, received);
}

/** The span of time that is shown. What comes while it is paused is later than what was there. */
function spanOf(length) {
  const { to, until } = paused ?? { to: edge(), until: Infinity };
  return { from: to - length, to, until };
}

/** What the bar of the page shows. */
function status() {
  const { state, reason, lost, breaks } = watch.link;
  return {
    state,
    reason,
    needsToken: watch.needsToken,
    lost,
    breaks,
    ...flow.rates(ticks()),
    paused: paused !== undefined,
  };
}

/** The answers to what the page asks, by name. */
const answers = {
  metrics({ filter, from, count, span }) {
    const { words, matches, names } = prepared(filter);
    const fits = (metric) =>
      holdsAll(`${metric.name} ${metric.unit}`.toLowerCase(), words) &&
      (!names || names(metric)) &&
      (!matches || some(metric.series, matches));
    const all = metrics.all().filter(fits);
    const now = Date.now();
    const shown = spanOf(span);
    const rows = all.slice(from, from + count).map((metric) => metricRow(metric, matches, shown, now));
    return { total: all.length, known: metrics.byKey.size, rows, limits: limitsReached() };
  },

  charts({ names, charts, filter, span }) {
    const { matches } = prepared(filter);
    const time = spanOf(span);
    const now = Date.now();
    const seen = gaps.filter((gap) => gap.time >= time.from);
    const shown = names.map((name) => {
      const settings = { mode: '', by: '', ...charts[name] };
      return { name, charts: metrics.named(name).map((metric) => chart(metric, settings, matches, time, now, seen)) };
    });
    return { shown, gaps: seen, limits: limitsReached(), points: metrics.points };
  },

  logs({ filter, severity, from, count }) {
    const entries = paused?.logs ?? logs.ring.toArray();
    const selected = select(entries, parseFilter(filter), severityNumber(severity));
    const begin = Math.max(from < 0 ? selected.length + from : from, 0);
    const rows = selected.slice(begin, begin + count).map(logRow);
    return { total: selected.length, of: entries.length, gone: logs.gone, from: begin, rows, fresh: paused ? logs.next - paused.next : 0 };
  },

  log({ of }) {
    const entries = paused?.logs ?? logs.ring.toArray();
    const entry = entries.find((entry) => entry.id === of);
    return { detail: entry && !entry.gap ? logDetail(entry) : undefined };
  },

  traces({ filter, failed, from, count }) {
    const all = paused?.traces ?? traces.summaries();
    const { words } = parseFilter(filter);
    const fits = ({ id, name, service, errors }) => (!failed || errors > 0) && holdsAll(`${name}\n${service}\n${id}`.toLowerCase(), words);
    const selected = all.filter(fits);
    return { total: selected.length, of: all.length, gone: traces.gone, missing, rows: selected.slice(from, from + count) };
  },

  /** A trace, but for its version alone if that is `known`. */
  trace({ of, known }) {
    const trace = traces.get(of);
    if (!trace) return { rows: [] };
    const records = logs.ring.toArray().filter(({ record }) => record?.traceId === of);
    const version = `${of} ${trace.spans.size} ${trace.left} ${records.length}`;
    if (version === known) return { version };
    return { version, trace: of, rows: waterfall(trace).map(spanRow), left: trace.left, logs: records.slice(-200).map(logRow) };
  },

  span({ trace, of }) {
    const span = traces.get(trace)?.spans.get(of);
    return { detail: span && spanDetail(span) };
  },

  frames({ from, count }) {
    const all = paused?.frames ?? frames.ring.toArray();
    const begin = Math.max(from < 0 ? all.length + from : from, 0);
    return { total: all.length, gone: frames.gone, from: begin, rows: all.slice(begin, begin + count).map(frameRow), fresh: paused ? frames.next - paused.nextFrame : 0 };
  },

  frame({ of }) {
    const all = paused?.frames ?? frames.ring.toArray();
    const frame = all.find((frame) => frame.id === of);
    return { detail: frame && frameDetail(frame) };
  },

  labels: () => ({ labels: knownLabels([...metrics.byKey.values()].slice(0, 200)) }),
};

/** The predicates of the newest filter: they stay the same objects as long as it does. */
let filtered = { text: '', words: [], matches: undefined, names: undefined };
function prepared(text) {
  if (filtered.text !== text) {
    const { clauses, words } = parseFilter(text);
    const globs = clauses.filter(({ name }) => name === 'metric').map(({ value }) => globPattern(value));
    const names = globs.length > 0 ? ({ name }) => globs.some((glob) => glob.test(name)) : undefined;
    filtered = { text, words, matches: matcher(clauses), names };
  }
  return filtered;
}

function some(series, matches) {
  for (const one of series.values()) if (matches(one)) return true;
  return false;
}

function limitsReached() {
  const { limits, points, share, mostSeries, refused } = metrics;
  return { refused, points: points < limits.points ? points : 0, trimmed: share < Infinity, metrics: limits.metrics, series: mostSeries, characters: limits.characters };
}

const orders = {
  watch: (order) => watch.show(order),
  pause({ on }) {
    paused = on
      ? {
          to: edge(),
          until: metrics.newest,
          logs: logs.ring.toArray(),
          next: logs.next,
          traces: traces.summaries(),
          frames: frames.ring.toArray(),
          nextFrame: frames.next,
        }
      : undefined;
  },
  clear({ what }) {
    forget(what);
    watch.clear(what);
  },
};

/** Forgets all that a store holds. */
function forget(store) {
  ({ metrics, logs, traces, raw: frames })[store].clear();
  if (store === 'metrics') gaps = [];
  if (store === 'traces') missing = undefined;
}

onmessage = ({ data: message }) => {
  if (message.order) orders[message.order](message);
  if (message.ask) postMessage({ ...answers[message.ask](message), id: message.id, status: status() });
};
