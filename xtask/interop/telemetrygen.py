"""`telemetrygen`, the Collector's own generator of load: every signal, by HTTP and by gRPC.

Usage: telemetrygen.py PATH-TO-TELEMETRYGEN PATH-TO-OTLP-RELAY [FLAGS...]

Every request has to be seen as a frame, and all of them together hold as many items as were asked
for.
"""

import asyncio
import re
import sys

import websockets

from judge import check_same
from relay import WAIT, next_frame, run
from tap import Tap

ITEMS = 20
RUNS = {
    "gauges": ["metrics", "--metrics", str(ITEMS), "--metric-type", "Gauge"],
    "sums": ["metrics", "--metrics", str(ITEMS), "--metric-type", "Sum"],
    "histograms": ["metrics", "--metrics", str(ITEMS), "--metric-type", "Histogram"],
    "exponential": ["metrics", "--metrics", str(ITEMS), "--metric-type", "ExponentialHistogram"],
    # A parent and its child.
    "spans": ["traces", "--traces", str(ITEMS // 2), "--child-spans", "1", "--span-links", "1"],
    "logs": ["logs", "--logs", str(ITEMS)],
}
ATTRIBUTES = ["--telemetry-attributes", 'path="/ü"', "--telemetry-attributes", "ok=true"]


def items(frame):
    """The data points, spans or log records of a frame."""
    for resource in frame.get("resourceMetrics", []):
        assert_service(resource)
        for scope in resource["scopeMetrics"]:
            for metric in scope["metrics"]:
                (data,) = (value for value in metric.values() if isinstance(value, dict))
                yield from data["dataPoints"]
    for resource in frame.get("resourceSpans", []):
        assert_service(resource)
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]
    for resource in frame.get("resourceLogs", []):
        assert_service(resource)
        for scope in resource["scopeLogs"]:
            yield from scope["logRecords"]


def assert_service(resource):
    """Every resource is the generator."""
    service = {"key": "service.name", "value": {"stringValue": "interop"}}
    assert service in resource["resource"]["attributes"], resource["resource"]


def check(item):
    """What every item has to have."""
    attributes = {one["key"]: one["value"] for one in item["attributes"]}
    assert attributes["path"] == {"stringValue": "/ü"}, attributes
    assert attributes["ok"] == {"boolValue": True}, attributes
    times = [value for name, value in item.items() if name.endswith("imeUnixNano")]
    assert times and all(re.fullmatch(r"\d{19}", time) for time in times), item
    if "name" in item:
        assert re.fullmatch(r"[0-9a-f]{32}", item["traceId"]), item
        assert re.fullmatch(r"[0-9a-f]{16}", item["spanId"]), item


async def generate(arguments, flags):
    """Runs the generator to its end."""
    command = (*arguments, *ATTRIBUTES, "--service", "interop", "--rate", "0", *flags)
    process = await asyncio.create_subprocess_exec(
        BINARY, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), WAIT)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()


async def interop(relay):
    """Sends every signal by both transports, and compares."""
    compared = 0
    async with (
        Tap(relay.address) as http,
        Tap(relay.grpc_address) as rpc,
        websockets.connect(f"ws://{relay.address}/ws", max_size=None) as watcher,
    ):
        for tap, transport in ((http, ["--otlp-http"]), (rpc, [])):
            flags = ["--otlp-endpoint", tap.address, "--otlp-insecure", *transport]
            for name, arguments in RUNS.items():
                await generate(arguments, flags)
                found = []
                for sent in tap.rest():
                    frame = await next_frame(watcher)
                    check_same(frame, sent)
                    found += items(frame)
                    compared += 1
                assert len(found) == ITEMS, f"{name}: {len(found)} items"
                for item in found:
                    check(item)
        await relay.stop(watcher)
    return f"telemetrygen: {compared} exports over HTTP and gRPC are the same JSON"


BINARY = sys.argv[1]
run(interop, sys.argv[2:])
