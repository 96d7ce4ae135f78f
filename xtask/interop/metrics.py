"""Exports metrics with the official Python SDK and compares what a WebSocket client sees.

Usage: metrics.py PATH-TO-OTLP-RELAY

Exports go by HTTP and by gRPC. Each is compared twice: with the values that the program recorded,
and as a whole with what Python's own protobuf library makes of the very bytes that the SDK sent.
"""

import asyncio
import base64
import gzip
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request

import grpc
import requests
import websockets
from google.protobuf import json_format
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
    OTLPMetricExporter as GrpcExporter,
)
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Observation
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    View,
)
from opentelemetry.sdk.resources import Resource

WAIT = 20  # seconds, for anything


class Relay:
    """The relay as a child process, on ports that the system chose."""

    def __init__(self, binary):
        self.process = subprocess.Popen(
            [
                *(binary, "--listen", "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0"),
                *("--log-format", "json"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            if found := re.search(r"http://(127\.0\.0\.1:\d+)", line):
                self.address = found.group(1)
            # Comes behind it.
            if found := re.search(r"OTLP/gRPC on (127\.0\.0\.1:\d+)", line):
                self.grpc_address = found.group(1)
                return
        raise SystemExit("the relay said no addresses")

    def stop(self):
        """SIGTERM, and the exit code."""
        self.process.terminate()
        self.process.stderr.close()
        return self.process.wait(WAIT)


def otlp_json(wire):
    """OTLP JSON as Python's protobuf writes it, ids turned from base64 into hex."""
    request = ExportMetricsServiceRequest.FromString(wire)
    tree = json_format.MessageToDict(request, use_integers_for_enums=True)

    def hex_ids(node):
        if isinstance(node, list):
            return [hex_ids(element) for element in node]
        if not isinstance(node, dict):
            return node
        return {
            key: base64.b64decode(value).hex() if key in ("traceId", "spanId") else hex_ids(value)
            for key, value in node.items()
        }

    return hex_ids(tree)


def export(relay, compression):
    """Records one of each instrument and exports them; gives the bodies that were sent. The type
    of `compression` says how: by HTTP or by gRPC."""
    bodies = []
    if isinstance(compression, Compression):
        record(http_exporter(relay.address, compression, bodies))
    else:
        record(grpc_exporter(relay.grpc_address, compression, bodies))
    return bodies


def grpc_exporter(address, compression, bodies):
    """Exports by gRPC, and keeps a copy of what goes out, without the compression."""
    exporter = GrpcExporter(endpoint=address, insecure=True, compression=compression)
    call = exporter._client.Export

    def recorded(request, **kwargs):
        bodies.append(request.SerializeToString())
        return call(request=request, **kwargs)

    exporter._client.Export = recorded
    return exporter


def http_exporter(address, compression, bodies):
    """Exports by HTTP, and keeps a copy of what goes out, without the compression."""

    class Recorder(requests.Session):
        """Keeps a copy of what goes out, without the compression."""

        def send(self, request, **kwargs):
            zipped = request.headers.get("Content-Encoding") == "gzip"
            assert zipped == (compression is Compression.Gzip), request.headers
            bodies.append(gzip.decompress(request.body) if zipped else request.body)
            return super().send(request, **kwargs)

    return OTLPMetricExporter(
        endpoint=f"http://{address}/v1/metrics", compression=compression, session=Recorder()
    )


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


def check(frame, expected):
    """Compares a frame with the reference, and with what was recorded."""
    assert isinstance(frame, str), "frames are text"
    got = json.loads(frame)
    assert got == expected, f"got {got}\nexpected {expected}"
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
    """Exports with and without compression, watched by two clients."""
    url = f"ws://{relay.address}/ws/metrics"
    # `websockets` offers permessage-deflate by default; the second client doesn't.
    async with (
        websockets.connect(url, max_size=None) as offering,
        websockets.connect(url, max_size=None, compression=None) as plain,
    ):
        for compression in (
            *(Compression.NoCompression, Compression.Gzip),
            *(grpc.Compression.NoCompression, grpc.Compression.Gzip),
        ):
            # What clients send is ignored, text and binary.
            await offering.send("hello")
            await offering.send(b"\x00\xff")
            bodies = await asyncio.to_thread(export, relay, compression)
            assert len(bodies) == 1, f"{len(bodies)} exports"
            for body in bodies:
                frames = [await asyncio.wait_for(c.recv(), WAIT) for c in (offering, plain)]
                assert frames[0] == frames[1], "everybody gets the same bytes"
                check(frames[0], otlp_json(body))
            # The same export as JSON, as other SDKs send it, gives the same frame.
            text = gzip.compress(json.dumps(otlp_json(bodies[0])).encode())
            headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            status = await asyncio.to_thread(post, relay.address, text, **headers)
            assert status == 200, status
            again = [await asyncio.wait_for(c.recv(), WAIT) for c in (offering, plain)]
            assert json.loads(again[0]) == json.loads(frames[0])
        # Refused, and nobody sees it.
        assert await asyncio.to_thread(post, relay.address, b"\xff") == 415
        pong = await plain.ping()
        await asyncio.wait_for(pong, WAIT)
        code = await asyncio.to_thread(relay.stop)
        assert code == 0, f"exit code {code}"
        for client in (offering, plain):
            try:
                raise SystemExit(f"a frame too many: {await asyncio.wait_for(client.recv(), WAIT)}")
            except websockets.ConnectionClosed as closed:
                assert closed.rcvd.code == 1001, closed


def main():
    """Starts the relay, and stops it whatever happens."""
    relay = Relay(sys.argv[1])
    try:
        asyncio.run(interop(relay))
    finally:
        if relay.process.poll() is None:
            relay.process.kill()


main()
