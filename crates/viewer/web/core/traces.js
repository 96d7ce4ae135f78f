/** The newest traces, put together from spans in whatever order they come. */

import { labelsOf, serviceName } from './attributes.js';
import { eachSpan, milliseconds } from './otlp.js';

export const LIMITS = {
  /** Traces; the one that was longest without a span goes. */
  traces: 500,
  /** Spans of all traces; whole traces go. */
  spans: 20_000,
  /** Spans of one trace; of more, only their number is kept. */
  spansOfTrace: 2000,
};

/** `Status.StatusCode` of OTLP's trace.proto. */
const ERROR = 2;

export const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'];

export class Traces {
  constructor(limits = LIMITS) {
    this.limits = limits;
    this.clear();
  }

  clear() {
    /** By their id, the one that got a span last at the end. */
    this.byId = new Map();
    this.spans = 0;
    /** Traces that had to go. */
    this.gone = 0;
  }

  add(request) {
    eachSpan(request, (span, resource, scope) => this.#take(span, resource, scope));
  }

  #take(sent, resource, scope) {
    const id = sent.traceId ?? '';
    const trace = this.byId.get(id) ?? { id, spans: new Map(), left: 0, summary: undefined };
    // Behind all others: that is the order in which they go.
    this.byId.delete(id);
    this.byId.set(id, trace);
    trace.summary = undefined;
    if (trace.spans.size >= this.limits.spansOfTrace) {
      trace.left += 1;
      return;
    }
    const known = trace.spans.size;
    trace.spans.set(sent.spanId ?? '', spanOf(sent, resource, scope));
    this.spans += trace.spans.size - known;
    while (this.byId.size > this.limits.traces || this.spans > this.limits.spans) this.#forgetOldest();
  }

  #forgetOldest() {
    const [id, trace] = this.byId.entries().next().value;
    this.byId.delete(id);
    this.spans -= trace.spans.size;
    this.gone += 1;
  }

  /** A summary of each trace, the one that began last first. */
  summaries() {
    const all = [...this.byId.values()].map((trace) => (trace.summary ??= summaryOf(trace)));
    return all.sort((one, other) => other.begin - one.begin);
  }

  get(id) {
    return this.byId.get(id);
  }
}

function spanOf(sent, resource, scope) {
  const begin = milliseconds(sent.startTimeUnixNano);
  return {
    id: sent.spanId ?? '',
    parent: sent.parentSpanId ?? '',
    name: sent.name ?? '',
    kind: KINDS[sent.kind] ?? '',
    begin,
    end: Math.max(milliseconds(sent.endTimeUnixNano), begin),
    failed: sent.status?.code === ERROR,
    service: serviceName(resource.labels),
    resource: resource.labels,
    labels: labelsOf(sent.attributes),
    scope,
    sent,
  };
}

/** What a table shows of a trace. Without a root, the earliest span stands for it. */
export function summaryOf({ id, spans, left }) {
  let [begin, end, errors] = [Infinity, -Infinity, 0];
  let first;
  const services = new Set();
  for (const span of spans.values()) {
    begin = Math.min(begin, span.begin);
    end = Math.max(end, span.end);
    if (span.failed) errors += 1;
    if (span.service) services.add(span.service);
    if (!first || comesBefore(span, first)) first = span;
  }
  return {
    id,
    begin,
    duration: end - begin,
    name: first.name,
    service: first.service,
    services: services.size,
    rooted: first.parent === '',
    spans: spans.size + left,
    errors,
    failed: first.failed,
  };
}

/** Whether a span is a better root: one without a parent, then the earlier one. */
function comesBefore(span, other) {
  const [rooted, otherRooted] = [span.parent === '', other.parent === ''];
  return rooted === otherRooted ? span.begin < other.begin : rooted;
}

/**
 * The spans of a trace as rows of a waterfall: each span before its children, siblings by time.
 *
 * A row is `{ span, depth, orphan }`; one whose parent has not come (yet) stands at the top as an
 * orphan. Parents that are their own descendants are taken for missing, so every span has one row.
 */
export function waterfall({ spans }) {
  const children = new Map();
  const tops = [];
  for (const span of spans.values()) {
    if (span.parent !== '' && span.parent !== span.id && spans.has(span.parent)) {
      children.set(span.parent, [...(children.get(span.parent) ?? []), span]);
    } else {
      tops.push(span);
    }
  }
  const rows = [];
  const seen = new Set();
  const put = (top) => {
    const stack = [{ span: top, depth: 0 }];
    while (stack.length > 0) {
      const { span, depth } = stack.pop();
      if (seen.has(span.id)) continue;
      seen.add(span.id);
      const orphan = depth === 0 && span.parent !== '';
      rows.push({ span, depth, orphan });
      const below = (children.get(span.id) ?? []).sort((one, other) => other.begin - one.begin);
      for (const child of below) stack.push({ span: child, depth: depth + 1 });
    }
  };
  tops.sort((one, other) => one.begin - other.begin).forEach(put);
  // What is left goes in circles.
  for (const span of spans.values()) if (!seen.has(span.id)) put(span);
  return rows;
}
