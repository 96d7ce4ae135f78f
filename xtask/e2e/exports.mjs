/** OTLP JSON to send: requests as short as they can be. Times are seconds. */

/** A list of attributes. */
export function attributes(values) {
  return Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: String(value) } }));
}

export function nanos(seconds) {
  return `${Math.round(seconds * 1000)}000000`;
}

/** Now. */
export function seconds() {
  return Math.floor(Date.now() / 1000);
}

function resourceOf(service) {
  return { attributes: attributes({ 'service.name': service }) };
}

/** A request of some metrics. */
export function metrics(list, service = 'shop') {
  return { resourceMetrics: [{ resource: resourceOf(service), scopeMetrics: [{ scope: { name: 'e2e' }, metrics: list }] }] };
}

/** A point of a number. */
export function point(time, value, labels = {}, start = 0) {
  const one = { timeUnixNano: nanos(time), asDouble: value, attributes: attributes(labels) };
  return start ? { ...one, startTimeUnixNano: nanos(start) } : one;
}

export function gauge(name, points, unit = '') {
  return { name, unit, gauge: { dataPoints: points } };
}

export function counter(name, points, unit = '') {
  return { name, unit, sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: points } };
}

/** A histogram of one interval. */
export function histogram(name, time, bounds, counts, unit = 's') {
  const count = String(counts.reduce((sum, one) => sum + one, 0));
  const dataPoints = [{ startTimeUnixNano: nanos(time - 10), timeUnixNano: nanos(time), count, sum: 1, explicitBounds: bounds, bucketCounts: counts.map(String) }];
  return { name, unit, histogram: { aggregationTemporality: 1, dataPoints } };
}

/** An exponential histogram of one interval. */
export function exponential(name, time, scale, offset, counts, unit = 's') {
  const count = String(counts.reduce((sum, one) => sum + one, 0));
  const dataPoints = [{ startTimeUnixNano: nanos(time - 10), timeUnixNano: nanos(time), count, sum: 1, scale, positive: { offset, bucketCounts: counts.map(String) } }];
  return { name, unit, exponentialHistogram: { aggregationTemporality: 1, dataPoints } };
}

/** A request of spans, each `{ id, parent, name, from, to, error }`, times from `time` on. */
export function spans(trace, time, list, service = 'shop') {
  const sent = list.map(({ id, parent = '', name, from, to, error }) => ({
    traceId: trace,
    spanId: id,
    parentSpanId: parent,
    name,
    kind: 2,
    startTimeUnixNano: nanos(time + from),
    endTimeUnixNano: nanos(time + to),
    attributes: attributes({ 'http.route': '/checkout' }),
    ...(error && { status: { code: 2, message: error } }),
  }));
  return { resourceSpans: [{ resource: resourceOf(service), scopeSpans: [{ scope: { name: 'e2e' }, spans: sent }] }] };
}

/** A request of log records, each `[severity, body, attributes]`. */
export function logs(time, list, { service = 'shop', trace } = {}) {
  const logRecords = list.map(([severityNumber, text, labels = {}]) => ({
    timeUnixNano: nanos(time),
    severityNumber,
    body: { stringValue: text },
    attributes: attributes(labels),
    ...(trace && { traceId: trace, spanId: '00000000000000aa' }),
  }));
  return { resourceLogs: [{ resource: resourceOf(service), scopeLogs: [{ scope: { name: 'e2e' }, logRecords }] }] };
}
