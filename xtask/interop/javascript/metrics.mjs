// One of each kind of instrument, with both kinds of histogram.

import assert from "node:assert/strict";

import { ValueType } from "@opentelemetry/api";
import { AggregationType, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";

import { attributes, attributesJson, resource, resourceJson } from "./resource.mjs";

const VIEWS = [
  {
    instrumentName: "latency",
    aggregation: {
      type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
      options: { boundaries: [1, 10] },
    },
  },
  { instrumentName: "size", aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } },
];

/** Collects when it is told to. */
class Reader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

/** Records one of each instrument and gives what was collected. */
export async function record() {
  const reader = new Reader();
  const provider = new MeterProvider({ resource, views: VIEWS, readers: [reader] });
  const meter = provider.getMeter("interop.meter", "1.2.3");
  const whole = { unit: "1", description: "so many", valueType: ValueType.INT };
  meter.createCounter("requests", whole).add(Number.MAX_SAFE_INTEGER, attributes);
  meter.createUpDownCounter("queue", { valueType: ValueType.INT }).add(-7);
  meter.createGauge("temperature").record(21.5);
  meter.createObservableGauge("level").addCallback((result) => result.observe(1e300));
  const latency = meter.createHistogram("latency");
  [0.5, 5, 50].forEach((value) => latency.record(value));
  const size = meter.createHistogram("size");
  [0, 1, 1000].forEach((value) => size.record(value));
  const { resourceMetrics, errors } = await reader.collect();
  assert.deepEqual(errors, []);
  await provider.shutdown();
  return resourceMetrics;
}

/** Compares a frame with what was recorded. */
export function check(frame) {
  const [{ resource, scopeMetrics }] = frame.resourceMetrics;
  assert.deepEqual(resource, resourceJson);
  const [{ scope, metrics }] = scopeMetrics;
  assert.deepEqual(scope, { name: "interop.meter", version: "1.2.3" });
  const point = (name, kind) => {
    const { [kind]: data } = metrics.find((metric) => metric.name === name);
    assert.equal(data.dataPoints.length, 1);
    assert.match(data.dataPoints[0].timeUnixNano, /^\d{19}$/);
    return { ...data, point: data.dataPoints[0] };
  };
  const requests = point("requests", "sum");
  assert.equal(requests.point.asInt, "9007199254740991");
  assert.deepEqual(requests.point.attributes, attributesJson);
  assert.equal(requests.aggregationTemporality, 2);
  assert.equal(requests.isMonotonic, true);
  assert.equal(point("queue", "sum").point.asInt, "-7");
  assert.equal(point("temperature", "gauge").point.asDouble, 21.5);
  assert.equal(point("level", "gauge").point.asDouble, 1e300);
  const latency = point("latency", "histogram").point;
  assert.deepEqual(latency.explicitBounds, [1, 10]);
  assert.deepEqual(latency.bucketCounts, ["1", "1", "1"]);
  assert.deepEqual([latency.count, latency.sum, latency.max], ["3", 55.5, 50]);
  const size = point("size", "exponentialHistogram").point;
  assert.deepEqual([size.count, size.zeroCount, size.sum], ["3", "1", 1001]);
}
