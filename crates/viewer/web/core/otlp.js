/** Walks over OTLP JSON: from a request to its data points, spans and log records. */

import { labelsKey, labelsOf } from './attributes.js';

/** The kinds of metrics, by the member that holds their points. */
const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

/** `AggregationTemporality` of OTLP's metrics.proto. */
const DELTA = 1;
const CUMULATIVE = 2;

/** Milliseconds since 1970 of a time in nanoseconds, as a number with a fraction; 0 for none. */
export function milliseconds(nanoseconds) {
  if (!nanoseconds) return 0;
  const text = String(nanoseconds);
  // Whole milliseconds are exact; what is below them is not needed to the last digit.
  return Number(text.slice(0, -6) || 0) + Number(text.slice(-6).padStart(6, '0')) / 1e6;
}

/** A number of OTLP JSON: 64-bit integers and special doubles come as strings. */
export function number(value) {
  return value === undefined || value === null ? undefined : Number(value);
}

/** Calls `visit(resource, scopes)` for each resource of a request, by the names of its members. */
function eachScope(request, resources, scopes, visit) {
  for (const entry of request?.[resources] ?? []) {
    const labels = labelsOf(entry.resource?.attributes);
    const resource = { labels, key: labelsKey(labels) };
    for (const scoped of entry[scopes] ?? []) visit(resource, scoped);
  }
}

/**
 * Calls `visit(metric, point, resource, scope)` for each data point.
 *
 * `metric` is `{ name, unit, description, kind, temporality, monotonic }`, the same object for all
 * points of a metric in the request; `resource` is `{ labels, key }`; `scope` is a name.
 */
export function eachPoint(request, visit) {
  eachScope(request, 'resourceMetrics', 'scopeMetrics', (resource, scoped) => {
    const scope = scoped.scope?.name ?? '';
    for (const sent of scoped.metrics ?? []) {
      const kind = KINDS.find((kind) => sent[kind]);
      if (!kind) continue;
      const metric = describe(sent, kind);
      for (const point of sent[kind].dataPoints ?? []) visit(metric, point, resource, scope);
    }
  });
}

function describe(sent, kind) {
  const { aggregationTemporality, isMonotonic } = sent[kind];
  const temporality = { [DELTA]: 'delta', [CUMULATIVE]: 'cumulative' }[aggregationTemporality];
  return {
    name: sent.name ?? '',
    unit: sent.unit ?? '',
    description: sent.description ?? '',
    kind,
    temporality: temporality ?? '',
    monotonic: isMonotonic === true,
  };
}

/** Calls `visit(span, resource, scope)` for each span. */
export function eachSpan(request, visit) {
  eachScope(request, 'resourceSpans', 'scopeSpans', (resource, scoped) => {
    const scope = scoped.scope?.name ?? '';
    for (const span of scoped.spans ?? []) visit(span, resource, scope);
  });
}

/** Calls `visit(record, resource, scope)` for each log record. */
export function eachRecord(request, visit) {
  eachScope(request, 'resourceLogs', 'scopeLogs', (resource, scoped) => {
    const scope = scoped.scope?.name ?? '';
    for (const record of scoped.logRecords ?? []) visit(record, resource, scope);
  });
}

/** The signal of a request, by what it holds. */
export function signalOf(request) {
  if (request?.resourceMetrics) return 'metrics';
  if (request?.resourceSpans) return 'traces';
  if (request?.resourceLogs) return 'logs';
  return '';
}

/** How many items a request of a signal holds. */
export function countItems(signal, request) {
  let items = 0;
  const walk = { metrics: eachPoint, traces: eachSpan, logs: eachRecord }[signal];
  walk?.(request, () => (items += 1));
  return items;
}
