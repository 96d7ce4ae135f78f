"""Compares the format `protojson` with what Python's own protobuf library writes.

Usage: protojson.py PATH-TO-OTLP-RELAY PATH-TO-VECTORS PATH-TO-PAYLOADS

Every request of the vectors, and the payloads of the benchmarks, are converted by
`otlp-relay convert --to protojson` and by `MessageToJson`; both texts have to be the same JSON.
"""

import json
import subprocess
import sys

from google.protobuf import json_format

from samples import samples

AT_LEAST = 40  # comparisons


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
    for signal, pairs in samples(vectors, payloads).items():
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
