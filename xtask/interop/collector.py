"""The OpenTelemetry Collector: host metrics by every exporter, compression and encoding at once.

Usage: collector.py PATH-TO-COLLECTOR PATH-TO-OTLP-RELAY [FLAGS...]

One pipeline takes metrics of this machine a few times and hands each collection to an exporter for
every way: `otlp_http` in both encodings, and `otlp_grpc`, each in each compression that both sides
have. Every exporter has a tap of its own, and every request has to be seen as a frame.
"""

import asyncio
import json
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack

import websockets

from judge import GRPC, JSON, PROTOBUF, canonical
from relay import WAIT, next_frame, run
from tap import Tap

HTTP_COMPRESSIONS = ("none", "gzip", "deflate", "zlib", "zstd", "snappy", "x-snappy-framed")
GRPC_COMPRESSIONS = ("none", "gzip", "zstd", "snappy")
# The scrapers that find something on any machine, in a container too.
SCRAPERS = ("cpu", "memory", "network", "load")
TIMES = 2  # requests by each exporter, at least


def ways():
    """The content type and the compression of each exporter."""
    for content_type in (PROTOBUF, JSON):
        yield from ((content_type, compression) for compression in HTTP_COMPRESSIONS)
    yield from ((GRPC, compression) for compression in GRPC_COMPRESSIONS)


def exporter(content_type, compression, address):
    """The name of an exporter and its settings. It sends at once, and what fails isn't repeated:
    nothing may be missing, and nothing may come twice."""
    settings = {
        "compression": compression,
        "sending_queue": {"enabled": False},
        "retry_on_failure": {"enabled": False},
    }
    if content_type == GRPC:
        settings |= {"endpoint": address, "tls": {"insecure": True}}
        return f"otlp_grpc/{compression}", settings
    encoding = "json" if content_type == JSON else "proto"
    settings |= {"endpoint": f"http://{address}", "encoding": encoding}
    return f"otlp_http/{encoding}-{compression}", settings


def configuration(exporters):
    """The Collector's configuration: JSON, which is YAML too."""
    scrapers = {name: {} for name in SCRAPERS}
    return {
        "receivers": {"host_metrics": {"collection_interval": "1s", "scrapers": scrapers}},
        "exporters": exporters,
        "service": {
            # It opens no port for metrics of its own.
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
            "pipelines": {
                "metrics": {"receivers": ["host_metrics"], "exporters": list(exporters)}
            },
        },
    }


async def collect(binary, exporters, taps):
    """Runs the Collector until each exporter has sent; gives what each has."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(configuration(exporters), file)
        file.flush()
        command = (binary, "--config", file.name)
        process = await asyncio.create_subprocess_exec(*command)
        try:
            sent = {way: [await tap.next() for _ in range(TIMES)] for way, tap in taps.items()}
            process.terminate()
            code = await asyncio.wait_for(process.wait(), WAIT)
            assert code == 0, f"exit code {code}"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return {way: sent[way] + tap.rest() for way, tap in taps.items()}


async def interop(relay):
    """Sends in every way; what was sent and what is seen are the same, but for the order."""
    url = f"ws://{relay.address}/ws/metrics"
    async with AsyncExitStack() as stack, websockets.connect(url, max_size=None) as watcher:
        taps, exporters = {}, {}
        for content_type, compression in ways():
            upstream = relay.grpc_address if content_type == GRPC else relay.address
            tap = taps[content_type, compression] = await stack.enter_async_context(Tap(upstream))
            name, settings = exporter(content_type, compression, tap.address)
            exporters[name] = settings
        requests = await collect(BINARY, exporters, taps)
        expected = Counter()
        for (content_type, compression), several in requests.items():
            coding = "identity" if compression == "none" else compression
            for sent in several:
                assert (sent.content_type, sent.coding) == (content_type, coding), sent
                expected[canonical(sent.otlp_json())] += 1
        seen = Counter()
        for _ in range(expected.total()):
            seen[canonical(await next_frame(watcher))] += 1
        assert seen == expected, f"missing {expected - seen}\nunexpected {seen - expected}"
        await relay.stop(watcher)
    return f"Collector: {expected.total()} exports in {len(taps)} ways are the same JSON"


BINARY = sys.argv[1]
run(interop, sys.argv[2:])
