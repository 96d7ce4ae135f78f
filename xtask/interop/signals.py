"""Traces and logs by the official Python SDK, in every compression it has, watched at `/ws`.

Usage: signals.py PATH-TO-OTLP-RELAY

What a client sees is compared with what Python's own protobuf library makes of the very bytes
that the SDK sent.
"""

import asyncio
import base64
import gzip
import json
import logging
import re
import subprocess
import sys
import zlib

import requests
import websockets
from google.protobuf import json_format
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode

WAIT = 20  # seconds, for anything
INFLATE = {"gzip": gzip.decompress, "deflate": zlib.decompress, None: bytes}
CODINGS = {
    Compression.NoCompression: None,
    Compression.Gzip: "gzip",
    Compression.Deflate: "deflate",
}


class Recorder(requests.Session):
    """Keeps what goes out, inflated, and its coding."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def send(self, request, **kwargs):
        coding = request.headers.get("Content-Encoding")
        self.sent.append((coding, INFLATE[coding](request.body)))
        return super().send(request, **kwargs)


def otlp_json(request):
    """OTLP JSON as Python's protobuf writes it, ids turned from base64 into hex."""

    def hex_ids(node):
        if isinstance(node, list):
            return [hex_ids(element) for element in node]
        if not isinstance(node, dict):
            return node
        ids = ("traceId", "spanId", "parentSpanId")
        return {
            key: base64.b64decode(value).hex() if key in ids else hex_ids(value)
            for key, value in node.items()
        }

    return hex_ids(json_format.MessageToDict(request, use_integers_for_enums=True))


def traces(address, compression):
    """Two spans, one in the other, with all that spans have."""
    recorder = Recorder()
    exporter = OTLPSpanExporter(
        endpoint=f"http://{address}/v1/traces", compression=compression, session=recorder
    )
    provider = TracerProvider(resource=Resource({"service.name": "interop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("interop.tracer", "1.2.3")
    with tracer.start_as_current_span("outer", kind=SpanKind.SERVER) as outer:
        link = Link(outer.get_span_context(), {"why": "to link"})
        with tracer.start_as_current_span("inner", links=[link]) as inner:
            inner.set_attributes({"path": "/ü", "ok": True, "big": 2**62, "ratio": 0.5})
            inner.add_event("it happened", {"zones": ["a", "b"]})
            inner.set_status(StatusCode.ERROR, "broken \"thing\"")
    provider.shutdown()
    return [(coding, ExportTraceServiceRequest.FromString(body)) for coding, body in recorder.sent]


def logs(address, compression):
    """Two records, from Python's own logging."""
    recorder = Recorder()
    exporter = OTLPLogExporter(
        endpoint=f"http://{address}/v1/logs", compression=compression, session=recorder
    )
    provider = LoggerProvider(resource=Resource({"service.name": "interop"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = logging.getLogger(f"interop.{compression}")
    logger.propagate = False
    logger.addHandler(LoggingHandler(logger_provider=provider))
    logger.warning("careful: %s", "ü\n\"", extra={"attempt": 3})
    logger.error("broken")
    provider.shutdown()
    return [(coding, ExportLogsServiceRequest.FromString(body)) for coding, body in recorder.sent]


async def interop(address):
    """Sends both signals in every compression; each request is one frame, in order."""
    async with websockets.connect(f"ws://{address}/ws", max_size=None) as watcher:
        for compression, expected_coding in CODINGS.items():
            for send in (traces, logs):
                sent = await asyncio.to_thread(send, address, compression)
                assert len(sent) == 2, f"{len(sent)} requests"
                for coding, request in sent:
                    assert coding == expected_coding, coding
                    frame = json.loads(await asyncio.wait_for(watcher.recv(), WAIT))
                    expected = otlp_json(request)
                    assert frame == expected, f"got {frame}\nexpected {expected}"


def main():
    """Starts the relay, and stops it whatever happens."""
    relay = subprocess.Popen(
        [sys.argv[1], "--listen", "127.0.0.1:0", "--log-format", "json"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        found = None
        while not found:
            line = relay.stderr.readline()
            assert line, "the relay said no address"
            found = re.search(r"http://(127\.0\.0\.1:\d+)", line)
        asyncio.run(interop(found.group(1)))
        print("signals: traces and logs in three compressions are the same JSON")
    finally:
        relay.kill()


main()
