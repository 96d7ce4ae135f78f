"""What a request that was sent says, by Python's own protobuf library: the judge of all frames."""

import base64
import gzip
import json
import zlib
from dataclasses import dataclass

import cramjam
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PROTOBUF, JSON, GRPC = "application/x-protobuf", "application/json", "application/grpc"
SIGNALS = {
    "metrics": ExportMetricsServiceRequest,
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
}
REQUESTS = {f"/v1/{signal}": kind for signal, kind in SIGNALS.items()} | {
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": ExportMetricsServiceRequest,
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": ExportTraceServiceRequest,
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": ExportLogsServiceRequest,
}
SNAPPY_FRAMES = b"\xff\x06\x00\x00sNaPpY"  # how a stream of frames begins, and no block


def snappy(body):
    """A stream of frames or a block; which of them is told by how it begins."""
    framed = body.startswith(SNAPPY_FRAMES)
    return bytes((cramjam.snappy.decompress if framed else cramjam.snappy.decompress_raw)(body))


INFLATE = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zlib": zlib.decompress,
    "zstd": lambda body: bytes(cramjam.zstd.decompress(body)),
    "snappy": snappy,
    "x-snappy-framed": snappy,
}


@dataclass
class Sent:
    """One request as it was on the wire."""

    path: str
    content_type: str
    coding: str
    body: bytes

    def otlp_json(self):
        """What it says, as OTLP JSON."""
        body = INFLATE[self.coding](self.body)
        kind = REQUESTS[self.path]
        if self.content_type == JSON:
            request = json_format.ParseDict(recode_ids(json.loads(body), to_base64), kind())
        else:
            request = kind.FromString(body)
        return otlp_json(request)


def otlp_json(request):
    """A request as OTLP JSON: protobuf's own, but for ids and enums."""
    return recode_ids(json_format.MessageToDict(request, use_integers_for_enums=True), to_hex)


def to_hex(text):
    """Ids of OTLP JSON from those of protobuf's JSON."""
    return base64.b64decode(text).hex()


def to_base64(text):
    """And back."""
    return base64.b64encode(bytes.fromhex(text)).decode()


def recode_ids(node, recode):
    """The same tree with its ids in another form."""
    if isinstance(node, list):
        return [recode_ids(element, recode) for element in node]
    if not isinstance(node, dict):
        return node
    ids = ("traceId", "spanId", "parentSpanId")
    return {
        key: recode(value) if key in ids else recode_ids(value, recode)
        for key, value in node.items()
    }


def canonical(value):
    """One text for equal JSON values: members by name, numbers as doubles."""
    numbers_alike = json.loads(json.dumps(value), parse_int=float)
    return json.dumps(numbers_alike, sort_keys=True)


def check_same(frame, sent):
    """Fails unless the frame says what was sent."""
    expected = sent.otlp_json()
    assert canonical(frame) == canonical(expected), (
        f"{sent.content_type} {sent.coding}\ngot {frame}\nexpected {expected}"
    )
