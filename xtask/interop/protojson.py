"""Compares the format `protojson` with what Python's own protobuf library writes.

Usage: protojson.py PATH-TO-OTLP-RELAY PATH-TO-VECTORS PATH-TO-PAYLOADS

Every request of the vectors, and the payloads of the benchmarks, are converted by
`otlp-relay convert --to protojson` and by `MessageToJson`; both texts have to be the same JSON.
"""

import gzip
import json
import pathlib
import subprocess
import sys

from google.protobuf import json_format
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {
    "metrics": ExportMetricsServiceRequest,
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
}
SIGNALS = {"T": "traces", "G": "logs"}  # of the payloads that are not metrics
AT_LEAST = 40  # comparisons; what Python's older descriptors don't know is left out


def has_unknown(message):
    """Whether the SDK's descriptors are older than the message."""
    if len(UnknownFieldSet(message)) > 0:
        return True
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        inner = [value] if field.is_repeated is False else value
        if any(has_unknown(one) for one in inner):
            return True
    return False


def requests(vectors, payloads):
    """The protobuf of every request, by signal."""
    found = {signal: [] for signal in REQUESTS}
    for line in pathlib.Path(vectors).read_text().splitlines():
        vector = json.loads(line)
        if vector.get("expected_pb_hex") and vector["signal"] in found:
            found[vector["signal"]].append(bytes.fromhex(vector["expected_pb_hex"]))
    for payload in sorted(pathlib.Path(payloads).glob("*.pb.gz")):
        signal = SIGNALS.get(payload.name[0], "metrics")
        found[signal].append(gzip.decompress(payload.read_bytes()))
    return found


def convert(relay, signal, wires):
    """One JSON value for each request."""
    framed = b"".join(len(wire).to_bytes(4, "big") + wire for wire in wires)
    command = [relay, "convert", "--quiet", "--signal", signal, "--to", "protojson"]
    done = subprocess.run(
        [*command, "--from", "protobuf-delimited"],
        input=framed,
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def main(relay, vectors, payloads):
    compared = 0
    for signal, wires in requests(vectors, payloads).items():
        pairs = [(wire, REQUESTS[signal].FromString(wire)) for wire in wires if wire]
        pairs = [(wire, request) for wire, request in pairs if not has_unknown(request)]
        got = convert(relay, signal, [wire for wire, _ in pairs])
        assert len(got) == len(pairs), (signal, len(got), len(pairs))
        for ours, (wire, request) in zip(got, pairs):
            theirs = json.loads(json_format.MessageToJson(request))
            assert ours == theirs, f"{signal} {wire.hex()}\ngot {ours}\nexpected {theirs}"
        compared += len(pairs)
    assert compared >= AT_LEAST, f"only {compared} requests were compared"
    print(f"protojson: {compared} requests are the same JSON")


if __name__ == "__main__":
    main(*sys.argv[1:])
