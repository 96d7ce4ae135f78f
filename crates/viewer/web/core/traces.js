/** The newest traces, put together from spans in whatever order they come. */

import { labelsOf, serviceName } from './attributes.js';
import { eachSpan, milliseconds } from './otlp.js';
import { sizeOf } from './size.js';

export const LIMITS = {
  /** Traces; the one that was longest without a span goes. */
  traces: 500,
  /** Spans of all traces; whole traces go. */
  spans: 20_000,
  /** Spans of one trace; of more, only their number is kept. */
  spansOfTrace: 2000,
  /** What all spans take, in characters; whole traces go. */
  characters: 32_000_000,
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
    this.characters = 0;
    /** Traces that had to go. */
    this.gone = 0;
  }

  add(request) {
    let last;
    eachSpan(request, (span, resource, scope) => {
      // The spans of a resource share what is kept of it.
      const size = sizeOf(span) + (resource === last ? 0 : sizeOf(resource.labels));
      last = resource;
      this.#take(span, resource, scope, size);
    });
  }

  #take(sent, resource, scope, size) {
    const id = sent.traceId ?? '';
    const trace = this.byId.get(id) ?? { id, spans: new Map(), size: 0, left: 0, summary: undefined };
    // Behind all others: that is the order in which they go.
    this.byId.delete(id);
    this.byId.set(id, trace);
    trace.summary = undefined;
    const key = sent.spanId ?? '';
    const known = trace.spans.get(key);
    if (!known && trace.spans.size >= this.limits.spansOfTrace) {
      trace.left += 1;
      return;
    }
    trace.spans.set(key, { ...spanOf(sent, resource, scope), size });
    // One that comes again takes the place of the one before.
    const more = size - (known?.size ?? 0);
    this.spans += known ? 0 : 1;
    trace.size += more;
    this.characters += more;
    while (this.#isFull()) this.#forgetOldest();
  }

  /** The newest trace stays, whatever it takes. */
  #isFull() {
    const { traces, spans, characters } = this.limits;
    return this.byId.size > 1 && (this.byId.size > traces || this.spans > spans || this.characters > characters);
  }

  #forgetOldest() {
    const [id, trace] = this.byId.entries().next().value;
    this.byId.delete(id);
    this.spans -= trace.spans.size;
    this.characters -= trace.size;
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

/** Why a span stands at the top that says it has a parent. */
function orphanhood({ parent }, spans) {
  if (parent === '') return '';
  return spans.has(parent) ? 'circle' : 'missing';
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
 * orphan, which is why: `missing`, or `circle` for a span that is its own ancestor; else it is empty.
 * So every span has one row.
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
      rows.push({ span, depth, orphan: depth === 0 ? orphanhood(span, spans) : '' });
      const below = (children.get(span.id) ?? []).sort((one, other) => other.begin - one.begin);
      for (const child of below) stack.push({ span: child, depth: depth + 1 });
    }
  };
  tops.sort((one, other) => one.begin - other.begin).forEach(put);
  // What is left goes in circles.
  for (const span of spans.values()) if (!seen.has(span.id)) put(span);
  return rows;
}
