// Two log records: a plain one in a span, and one whose body is a tree of every kind of value.

import assert from "node:assert/strict";

import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  SimpleLogRecordProcessor,
} from "@opentelemetry/sdk-logs";

import { attributes, attributesJson, resource, resourceJson } from "./resource.mjs";

const SPAN = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
};

/** Records two log records and gives them. */
export async function record() {
  const exporter = new InMemoryLogRecordExporter();
  const processors = [new SimpleLogRecordProcessor({ exporter })];
  const provider = new LoggerProvider({ resource, processors });
  const logger = provider.getLogger("interop.logger", "1.2.3");
  logger.emit({
    timestamp: [1_700_000_000, 1],
    severityNumber: 13,
    severityText: "WARN",
    body: 'careful: ü\n"',
    attributes,
    context: trace.setSpanContext(ROOT_CONTEXT, SPAN),
  });
  // Of doubles, the SDK (0.223.0) tells whole ones as `intValue`, even such as 1e300.
  const bytes = new Uint8Array([0, 255, 16]);
  logger.emit({
    eventName: "interop.event",
    body: { bytes, list: [1, "two", false], inner: { double: 1.5e-300 } },
    context: ROOT_CONTEXT,
  });
  await provider.forceFlush();
  const records = exporter.getFinishedLogRecords().slice();
  await provider.shutdown();
  return records;
}

/** Compares a frame with what was recorded. */
export function check(frame) {
  const [{ resource, scopeLogs }] = frame.resourceLogs;
  assert.deepEqual(resource, resourceJson);
  const [{ scope, logRecords }] = scopeLogs;
  assert.deepEqual(scope, { name: "interop.logger", version: "1.2.3" });
  const [plain, tree] = logRecords;
  assert.equal(logRecords.length, 2);
  assert.equal(plain.timeUnixNano, "1700000000000000001");
  assert.equal(plain.severityNumber, 13);
  assert.equal(plain.severityText, "WARN");
  assert.deepEqual(plain.body, { stringValue: 'careful: ü\n"' });
  assert.deepEqual(plain.attributes, attributesJson);
  assert.equal(plain.traceId, SPAN.traceId);
  assert.equal(plain.spanId, SPAN.spanId);
  assert.equal(plain.flags, 1);
  assert.equal(tree.eventName, "interop.event");
  assert.deepEqual(tree.body.kvlistValue.values, [
    { key: "bytes", value: { bytesValue: "AP8Q" } },
    {
      key: "list",
      value: {
        arrayValue: { values: [{ intValue: "1" }, { stringValue: "two" }, { boolValue: false }] },
      },
    },
    {
      key: "inner",
      value: { kvlistValue: { values: [{ key: "double", value: { doubleValue: 1.5e-300 } }] } },
    },
  ]);
}
