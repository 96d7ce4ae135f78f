// Two spans, one in the other, with all that spans have.

import assert from "node:assert/strict";

import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";

import { attributes, attributesJson, resource, resourceJson } from "./resource.mjs";

let outerContext, innerContext;

/** Records two spans and gives them. */
export async function record() {
  const memory = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(memory)];
  const provider = new BasicTracerProvider({ resource, spanProcessors });
  const tracer = provider.getTracer("interop.tracer", "1.2.3");
  const outer = tracer.startSpan("outer", { kind: SpanKind.SERVER, startTime: [1_700_000_000, 1] });
  outerContext = outer.spanContext();
  const links = [{ context: outerContext, attributes: { why: "to link" } }];
  const options = { attributes, links, startTime: [1_700_000_000, 2] };
  const inner = tracer.startSpan("inner", options, trace.setSpan(ROOT_CONTEXT, outer));
  innerContext = inner.spanContext();
  inner.addEvent("it happened", { zones: ["a", "b"] }, [1_700_000_000, 999_999_999]);
  inner.setStatus({ code: SpanStatusCode.ERROR, message: 'broken "thing"' });
  inner.end([1_700_000_001, 0]);
  outer.end([1_700_000_001, 0]);
  const spans = memory.getFinishedSpans().slice();
  await provider.shutdown();
  return spans;
}

/** Compares a frame with what was recorded. */
export function check(frame) {
  const [{ resource, scopeSpans }] = frame.resourceSpans;
  assert.deepEqual(resource, resourceJson);
  const [{ scope, spans }] = scopeSpans;
  assert.deepEqual(scope, { name: "interop.tracer", version: "1.2.3" });
  const [inner, outer] = spans;
  assert.equal(spans.length, 2);
  assert.equal(outer.traceId, outerContext.traceId);
  assert.equal(outer.spanId, outerContext.spanId);
  assert.equal(outer.name, "outer");
  assert.equal(outer.kind, 2);
  assert.equal(outer.startTimeUnixNano, "1700000000000000001");
  assert.equal(outer.endTimeUnixNano, "1700000001000000000");
  assert.equal(inner.traceId, outerContext.traceId);
  assert.equal(inner.parentSpanId, outerContext.spanId);
  assert.equal(inner.spanId, innerContext.spanId);
  assert.deepEqual(inner.attributes, attributesJson);
  assert.deepEqual(inner.status, { message: 'broken "thing"', code: 2 });
  const [event] = inner.events;
  assert.equal(event.name, "it happened");
  assert.equal(event.timeUnixNano, "1700000000999999999");
  const [link] = inner.links;
  assert.equal(link.traceId, outerContext.traceId);
  assert.equal(link.spanId, outerContext.spanId);
  assert.deepEqual(link.attributes, [{ key: "why", value: { stringValue: "to link" } }]);
}
