"""Requests to send: those of the codec's tests and benchmarks, which have all that OTLP has."""

import gzip
import json
import pathlib

from google.protobuf.unknown_fields import UnknownFieldSet

from judge import SIGNALS

PAYLOADS = {"T": "traces", "G": "logs"}  # by their first letter, those that are not metrics


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


def wires(vectors, payloads):
    """The protobuf of every request, with its signal."""
    for line in pathlib.Path(vectors).read_text().splitlines():
        vector = json.loads(line)
        if vector.get("expected_pb_hex") and vector["signal"] in SIGNALS:
            yield vector["signal"], bytes.fromhex(vector["expected_pb_hex"])
    for payload in sorted(pathlib.Path(payloads).glob("*.pb.gz")):
        yield PAYLOADS.get(payload.name[0], "metrics"), gzip.decompress(payload.read_bytes())


def samples(vectors, payloads, longest=None):
    """The bytes of every request that Python's descriptors know, and what they say, by signal; those
    up to a length, if there is one."""
    found = {signal: [] for signal in SIGNALS}
    for signal, wire in wires(vectors, payloads):
        if longest is not None and len(wire) > longest:
            continue
        request = SIGNALS[signal].FromString(wire)
        if not has_unknown(request):
            found[signal].append((wire, request))
    return found


def gauge(number, name="m", padding=""):
    """Metrics with one data point, as OTLP JSON."""
    point = {"timeUnixNano": "1", "asInt": str(number)}
    if padding:
        point["attributes"] = [{"key": "padding", "value": {"stringValue": padding}}]
    metric = {"name": name, "gauge": {"dataPoints": [point]}}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}


def number_of(frame):
    """The number in a frame of a [`gauge`]."""
    (resource,) = frame["resourceMetrics"]
    return int(resource["scopeMetrics"][0]["metrics"][0]["gauge"]["dataPoints"][0]["asInt"])
