/**
 * What the page shows, as it stands in the address: `#/metrics?m=http.requests&window=5m`. And what
 * has to be asked of the relay for it.
 */

import { globOf, parseFilter } from './filter.js';

export const TABS = ['metrics', 'logs', 'traces', 'raw'];
/** Spans of time that charts show, in milliseconds. */
export const WINDOWS = { '1m': 60_000, '5m': 300_000, '15m': 900_000, '30m': 1_800_000, '1h': 3_600_000 };
export const DEFAULT_WINDOW = '5m';
/** What may be watched as it comes. */
export const PATHS = ['ws', 'ws/metrics', 'ws/traces', 'ws/logs'];
export const FORMATS = ['otlp', 'points', 'protojson'];
/** The most charts at a time. A filter leaves room for a clause of each. */
export const MAX_CHARTS = 12;

/** The view that nothing was asked for. */
export function initialView() {
  return {
    tab: 'metrics',
    filter: '',
    metrics: [],
    list: false,
    window: DEFAULT_WINDOW,
    charts: {},
    severity: '',
    trace: '',
    failed: false,
    path: 'ws',
    format: 'otlp',
  };
}

/** Reads the fragment of an address. What makes no sense is left out. */
export function readView(fragment) {
  const view = initialView();
  const [path, query] = fragment.replace(/^#?\/?/, '').split(/\?(.*)/s);
  if (TABS.includes(path)) view.tab = path;
  const parameters = new URLSearchParams(query ?? '');
  view.filter = parameters.get('filter') ?? '';
  view.metrics = [...new Set(parameters.getAll('m'))].slice(0, MAX_CHARTS);
  view.list = parameters.has('list');
  view.window = oneOf(Object.keys(WINDOWS), parameters.get('window'), view.window);
  view.severity = oneOf(['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'], parameters.get('severity'), '');
  view.trace = parameters.get('trace') ?? '';
  view.failed = parameters.has('failed');
  view.path = oneOf(PATHS, parameters.get('path'), view.path);
  view.format = oneOf(FORMATS, parameters.get('format'), view.format);
  for (const name of view.metrics) {
    const chart = { mode: parameters.get(`as.${name}`) ?? '', by: parameters.get(`by.${name}`) ?? '' };
    if (chart.mode || chart.by) view.charts[name] = chart;
  }
  return view;
}

function oneOf(allowed, value, otherwise) {
  return allowed.includes(value) ? value : otherwise;
}

/** The fragment for a view: only what differs from the initial one, and what its tab uses. */
export function writeView(view) {
  const parameters = new URLSearchParams();
  const put = (name, value, initial = '') => value !== initial && parameters.append(name, value);
  put('filter', view.filter);
  if (view.tab === 'metrics') {
    for (const name of view.metrics) {
      parameters.append('m', name);
      put(`as.${name}`, view.charts[name]?.mode ?? '');
      put(`by.${name}`, view.charts[name]?.by ?? '');
    }
    if (view.list && view.metrics.length > 0) parameters.append('list', '');
    put('window', view.window, DEFAULT_WINDOW);
  }
  if (view.tab === 'logs') put('severity', view.severity);
  if (view.tab === 'traces') {
    put('trace', view.trace);
    if (view.failed) parameters.append('failed', '');
  }
  if (view.tab === 'raw') {
    put('path', view.path, 'ws');
    put('format', view.format, 'otlp');
  }
  const query = parameters.toString().replace(/=(?=&|$)/g, '');
  return `#/${view.tab}${query && `?${query}`}`;
}

/** Whether the metrics tab shows charts, and not the list to choose from. */
export function showsCharts(view) {
  return view.tab === 'metrics' && view.metrics.length > 0 && !view.list;
}

/** Which clauses have a say in a tab. */
const CLAUSES = {
  metrics: /^(metric|scope|resource\..*|attr\..*)$/s,
  logs: /^(scope|severity|resource\..*|attr\..*)$/s,
  traces: /^(span|scope|resource\..*|attr\..*)$/s,
  raw: /^/,
};

/**
 * What to ask the relay for: `{ path, parameters, replay }`, parameters being pairs, without those
 * that make a connection go on.
 */
export function requestOf(view) {
  const { clauses } = parseFilter(view.filter);
  const fitting = clauses.filter(({ name }) => CLAUSES[view.tab].test(name));
  const parameters = fitting.map(({ name, value }) => [name, value]);
  if (view.tab === 'raw') {
    if (view.format !== 'otlp') parameters.unshift(['format', view.format]);
    return { path: view.path, parameters, replay: '20' };
  }
  if (showsCharts(view)) {
    // A clause about metrics would widen what was chosen.
    const others = parameters.filter(([name]) => name !== 'metric');
    const chosen = view.metrics.map((name) => ['metric', globOf(name)]);
    return { path: 'ws/metrics', parameters: [...chosen, ...others], replay: 'all' };
  }
  if (view.tab === 'logs' && view.severity) parameters.push(['severity', view.severity]);
  return { path: `ws/${view.tab}`, parameters, replay: 'all' };
}

/** A query string; an empty one for no parameters. */
export function queryOf(parameters) {
  return parameters.length ? `?${new URLSearchParams(parameters)}` : '';
}

/** The address of a request, for an address of the page like `https://host/prefix/`. */
export function addressOf(base, path, parameters, scheme = 'ws') {
  const address = new URL(path, base);
  const secure = address.protocol === 'https:';
  address.protocol = `${scheme}${secure ? 's' : ''}:`;
  address.search = queryOf(parameters);
  address.hash = '';
  return address.href;
}
