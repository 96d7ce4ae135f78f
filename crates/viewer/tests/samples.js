/** OTLP JSON for tests: requests as short as they can be. */

/** A list of attributes. */
export function attributes(values) {
  return Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: String(value) } }));
}

/** A time in nanoseconds, from seconds. */
export function nanos(seconds) {
  return `${Math.round(seconds * 1000)}000000`;
}

/** A request of one metric. `data` is like `{ sum: { … } }`. */
export function metricOf(name, data, resource = {}) {
  return { resourceMetrics: [{ resource: { attributes: attributes(resource) }, scopeMetrics: [{ scope: { name: 'tests' }, metrics: [{ name, ...data }] }] }] };
}

/** A request of one point of a gauge. */
export function gauge(name, seconds, value, labels = {}, resource = {}) {
  return metricOf(name, { gauge: { dataPoints: [{ timeUnixNano: nanos(seconds), asDouble: value, attributes: attributes(labels) }] } }, resource);
}

/** A request of one point of a counter. */
export function counter(name, seconds, value, { start = 0, labels = {}, temporality = 2, monotonic = true } = {}) {
  const point = { timeUnixNano: nanos(seconds), asInt: String(value), attributes: attributes(labels) };
  if (start) point.startTimeUnixNano = nanos(start);
  return metricOf(name, { sum: { aggregationTemporality: temporality, isMonotonic: monotonic, dataPoints: [point] } });
}

/** A request of spans, each `{ id, parent, trace, from, to, … }`, times in seconds. */
export function spans(list, resource = { 'service.name': 'shop' }) {
  const sent = list.map(({ id, parent = '', trace = 't', name = id, from = 0, to = from + 1, ...others }) => ({
    traceId: trace,
    spanId: id,
    parentSpanId: parent,
    name,
    startTimeUnixNano: nanos(from),
    endTimeUnixNano: nanos(to),
    ...others,
  }));
  return { resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans: [{ spans: sent }] }] };
}

/** A request of log records, given as OTLP has them. */
export function records(list, resource = { 'service.name': 'shop' }) {
  return { resourceLogs: [{ resource: { attributes: attributes(resource) }, scopeLogs: [{ scope: { name: 'tests' }, logRecords: list }] }] };
}
