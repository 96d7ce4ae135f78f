"""Exports metrics with the official Python SDK and compares what WebSocket clients see.

Usage: metrics.py PATH-TO-OTLP-RELAY [FLAGS...]

Exports go by HTTP and by gRPC, in every compression that the SDK has. Each is compared twice: with
the values that the program recorded, and as a whole with what Python's own protobuf library makes
of the very bytes that the SDK sent.
"""

import asyncio
import gzip
import json
import re
import sys
import urllib.error
import urllib.request

import grpc
import websockets
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
    OTLPMetricExporter as GrpcExporter,
)
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    View,
)
from opentelemetry.sdk.resources import Resource

from judge import canonical, check_same
from relay import WAIT, next_frame, run
from tap import Tap

COMPRESSIONS = {
    Compression.NoCompression: "identity",
    Compression.Gzip: "gzip",
    Compression.Deflate: "deflate",
    grpc.Compression.NoCompression: "identity",
    grpc.Compression.Gzip: "gzip",
    grpc.Compression.Deflate: "deflate",
}


def exporter(http, rpc, compression):
    """The exporter to one of two taps; the type of `compression` says which."""
    if isinstance(compression, Compression):
        endpoint = f"http://{http.address}/v1/metrics"
        return OTLPMetricExporter(endpoint=endpoint, compression=compression)
    return GrpcExporter(endpoint=rpc.address, insecure=True, compression=compression)


def record(exporter):
    """Records one of each instrument and exports them."""
    provider = MeterProvider(
        metric_readers=[PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)],
        resource=Resource({"service.name": "interop", "instances": 3, "zones": ["a", "b"]}),
        views=[
            View(
                instrument_name="latency",
                aggregation=ExplicitBucketHistogramAggregation(boundaries=(1.0, 10.0)),
            ),
            View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation()),
        ],
    )
    meter = provider.get_meter("interop.meter", "1.2.3")
    meter.create_counter("requests", unit="1", description="so many").add(
        2**53 + 1, {"path": "/ü", "ok": True, "code": 200, "ratio": 0.5}
    )
    meter.create_up_down_counter("queue").add(-7)
    meter.create_gauge("temperature").set(21.5)
    meter.create_observable_gauge("level", callbacks=[lambda _: [Observation(1e300)]])
    latency = meter.create_histogram("latency")
    for value in (0.5, 5.0, 50.0):
        latency.record(value)
    size = meter.create_histogram("size")
    for value in (0.0, 1.0, 1000.0):
        size.record(value)
    provider.shutdown()


def check(got):
    """Compares a frame with what was recorded."""
    (resource,) = got["resourceMetrics"]
    attributes = {a["key"]: a["value"] for a in resource["resource"]["attributes"]}
    assert attributes["service.name"] == {"stringValue": "interop"}
    assert attributes["instances"] == {"intValue": "3"}
    assert attributes["zones"] == {
        "arrayValue": {"values": [{"stringValue": "a"}, {"stringValue": "b"}]}
    }
    (scope,) = resource["scopeMetrics"]
    assert (scope["scope"]["name"], scope["scope"]["version"]) == ("interop.meter", "1.2.3")
    metrics = {metric["name"]: metric for metric in scope["metrics"]}

    def point(name, kind):
        (only,) = metrics[name][kind]["dataPoints"]
        assert re.fullmatch(r"\d{19}", only["timeUnixNano"])
        return only

    requests = point("requests", "sum")
    assert requests["asInt"] == "9007199254740993"
    assert metrics["requests"]["sum"]["aggregationTemporality"] == 2
    assert metrics["requests"]["sum"]["isMonotonic"] is True
    assert {"key": "path", "value": {"stringValue": "/ü"}} in requests["attributes"]
    assert {"key": "ok", "value": {"boolValue": True}} in requests["attributes"]
    assert {"key": "code", "value": {"intValue": "200"}} in requests["attributes"]
    assert {"key": "ratio", "value": {"doubleValue": 0.5}} in requests["attributes"]
    assert point("queue", "sum")["asInt"] == "-7"
    assert point("temperature", "gauge")["asDouble"] == 21.5
    assert point("level", "gauge")["asDouble"] == 1e300
    latency = point("latency", "histogram")
    assert latency["bucketCounts"] == ["1", "1", "1"]
    assert (latency["count"], latency["sum"], latency["max"]) == ("3", 55.5, 50.0)
    size = point("size", "exponentialHistogram")
    assert (size["count"], size["zeroCount"], size["min"]) == ("3", "1", 0.0)


def post(address, body, **headers):
    """Posts by hand; gives the status."""
    request = urllib.request.Request(f"http://{address}/v1/metrics", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


async def interop(relay):
    """Exports in every compression, watched by two clients."""
    url = f"ws://{relay.address}/ws/metrics"
    # `websockets` offers permessage-deflate by default; the second client doesn't.
    async with (
        Tap(relay.address) as http,
        Tap(relay.grpc_address) as rpc,
        websockets.connect(url, max_size=None) as offering,
        websockets.connect(url, max_size=None, compression=None) as plain,
    ):
        for compression, coding in COMPRESSIONS.items():
            # What clients send is ignored, text and binary.
            await offering.send("hello")
            await offering.send(b"\x00\xff")
            await asyncio.to_thread(record, exporter(http, rpc, compression))
            (sent,) = http.rest() + rpc.rest()
            assert sent.coding == coding, (compression, sent.coding)
            frame, same = [await next_frame(watcher) for watcher in (offering, plain)]
            assert frame == same, "everybody gets the same"
            check_same(frame, sent)
            check(frame)
        # The same export as JSON gives the same frame.
        text = gzip.compress(json.dumps(frame).encode())
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        status = await asyncio.to_thread(post, relay.address, text, **headers)
        assert status == 200, status
        for watcher in (offering, plain):
            assert canonical(await next_frame(watcher)) == canonical(frame)
        # Refused, and nobody sees it.
        assert await asyncio.to_thread(post, relay.address, b"\xff") == 415
        pong = await plain.ping()
        await asyncio.wait_for(pong, WAIT)
        await relay.stop(offering, plain)
    return f"Python SDK, metrics: {len(COMPRESSIONS)} exports over HTTP and gRPC are the same JSON"


run(interop, sys.argv[1:])
