"""Traces and logs by the official Python SDK, by HTTP and gRPC in every compression it has.

Usage: signals.py PATH-TO-OTLP-RELAY [FLAGS...]

What a client of `/ws` sees is compared with what Python's own protobuf library makes of the very
bytes that the SDK sent.
"""

import asyncio
import logging
import sys
from functools import partial

import grpc
import websockets
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter, trace_exporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode

from judge import check_same
from relay import next_frame, run
from tap import Tap

HTTP = {
    Compression.NoCompression: "identity",
    Compression.Gzip: "gzip",
    Compression.Deflate: "deflate",
}
GRPC = {
    grpc.Compression.NoCompression: "identity",
    grpc.Compression.Gzip: "gzip",
    grpc.Compression.Deflate: "deflate",
}
# gRPC leaves a message as it is that compression would make no shorter.
RESOURCE = Resource({"service.name": "interop", "long": "round and round " * 40})


def traces(exporter):
    """Two spans, one in the other, with all that spans have; one request each."""
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("interop.tracer", "1.2.3")
    with tracer.start_as_current_span("outer", kind=SpanKind.SERVER) as outer:
        link = Link(outer.get_span_context(), {"why": "to link"})
        with tracer.start_as_current_span("inner", links=[link]) as inner:
            inner.set_attributes({"path": "/ü", "ok": True, "big": 2**62, "ratio": 0.5})
            inner.add_event("it happened", {"zones": ["a", "b"]})
            inner.set_status(StatusCode.ERROR, "broken \"thing\"")
    provider.shutdown()


def logs(exporter):
    """Two records, from Python's own logging; one request each."""
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = logging.Logger("interop")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    logger.warning("careful: %s", "ü\n\"", extra={"attempt": 3})
    logger.error("broken")
    provider.shutdown()


def exporters(compressions, spans, records):
    """Each signal in each compression: the coding, who sends it, and the exporter for it."""
    for compression, coding in compressions.items():
        yield coding, traces, spans(compression=compression)
        yield coding, logs, records(compression=compression)


def over_http(address):
    spans = partial(OTLPSpanExporter, f"http://{address}/v1/traces")
    return exporters(HTTP, spans, partial(OTLPLogExporter, f"http://{address}/v1/logs"))


def over_grpc(address):
    spans = partial(trace_exporter.OTLPSpanExporter, address, insecure=True)
    return exporters(GRPC, spans, partial(_log_exporter.OTLPLogExporter, address, insecure=True))


async def interop(relay):
    """Sends both signals in every way; each request is one frame, in order."""
    compared = 0
    async with (
        Tap(relay.address) as http,
        Tap(relay.grpc_address) as rpc,
        websockets.connect(f"ws://{relay.address}/ws", max_size=None) as watcher,
    ):
        for tap, ways in ((http, over_http(http.address)), (rpc, over_grpc(rpc.address))):
            for coding, send, exporter in ways:
                await asyncio.to_thread(send, exporter)
                requests = tap.rest()
                assert len(requests) == 2, f"{len(requests)} requests"
                for sent in requests:
                    assert sent.coding == coding, sent.coding
                    check_same(await next_frame(watcher), sent)
                    compared += 1
        await relay.stop(watcher)
    return f"Python SDK, traces and logs: {compared} exports over HTTP and gRPC are the same JSON"


run(interop, sys.argv[1:])
