// Exports all signals with the official JavaScript SDK, in every way it has, and watches them
// with `ws`.
//
// Usage: node send.mjs RELAY HTTP GRPC, each HOST:PORT: where to watch, and where to export to.
//
// One and the same collection of spans, records and metrics goes out as HTTP/JSON, HTTP/protobuf
// and gRPC, each with and without gzip. Every frame has to say what was recorded.

import assert from "node:assert/strict";
import { on, once } from "node:events";
import { argv } from "node:process";

import { WebSocket } from "ws";

import { OTLPLogExporter as LogsGrpc } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as LogsJson } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as LogsProto } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter as MetricsGrpc } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPMetricExporter as MetricsJson } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as MetricsProto } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as TracesGrpc } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as TracesJson } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as TracesProto } from "@opentelemetry/exporter-trace-otlp-proto";

import * as logs from "./logs.mjs";
import * as metrics from "./metrics.mjs";
import * as traces from "./traces.mjs";

const WAIT = 60_000; // milliseconds, for all of it
const SIGNALS = [
  { ...metrics, path: "/v1/metrics", ways: [MetricsJson, MetricsProto, MetricsGrpc] },
  { ...traces, path: "/v1/traces", ways: [TracesJson, TracesProto, TracesGrpc] },
  { ...logs, path: "/v1/logs", ways: [LogsJson, LogsProto, LogsGrpc] },
];

/** Exports once; fails unless the relay took it. */
async function send(exporter, items) {
  const { code, error } = await new Promise((resolve) => exporter.export(items, resolve));
  assert.equal(code, 0, error);
  await exporter.shutdown();
}

/** Every way of one signal, one after another. */
async function compare({ record, check, path, ways }, http, grpc, frames) {
  const items = await record();
  for (const Exporter of ways) {
    const url = Exporter === ways.at(-1) ? `http://${grpc}` : `http://${http}${path}`;
    for (const compression of ["none", "gzip"]) {
      await send(new Exporter({ url, compression }), items);
      const [data, isBinary] = (await frames.next()).value;
      assert.equal(isBinary, false, "frames are text");
      check(JSON.parse(data.toString()));
    }
  }
}

const [relay, http, grpc] = argv.slice(2);
const signal = AbortSignal.timeout(WAIT);
// Offers permessage-deflate.
const socket = new WebSocket(`ws://${relay}/ws`);
await once(socket, "open", { signal });
const frames = on(socket, "message", { signal });
for (const one of SIGNALS) {
  await compare(one, http, grpc, frames);
}
socket.close();
await once(socket, "close", { signal });
