"""Exports by the official JavaScript SDK: every signal, HTTP/JSON, HTTP/protobuf and gRPC.

Usage: javascript.py PATH-TO-FOLDER PATH-TO-OTLP-RELAY [FLAGS...]

The folder holds `send.mjs` and its modules, which sends all in every way, one after another, and
watches with `ws` for what it has recorded. Beside it, each frame is compared as a whole with what
Python's own protobuf library makes of the very bytes that were sent.
"""

import asyncio
import sys

import websockets

from judge import GRPC, JSON, PROTOBUF, check_same
from relay import WAIT, next_frame, run
from tap import Tap

SIGNALS = 3
# In the order in which `send.mjs` has them.
WAYS = [
    (content_type, coding)
    for content_type in (JSON, PROTOBUF, GRPC)
    for coding in ("identity", "gzip")
]


async def interop(relay):
    """Runs the program to its end, and compares what was sent with what has come."""
    async with (
        Tap(relay.address) as http,
        Tap(relay.grpc_address) as rpc,
        websockets.connect(f"ws://{relay.address}/ws", max_size=None) as watcher,
    ):
        addresses = (relay.address, http.address, rpc.address)
        sender = await asyncio.create_subprocess_exec("node", f"{FOLDER}/send.mjs", *addresses)
        try:
            code = await asyncio.wait_for(sender.wait(), 2 * WAIT)
        finally:
            if sender.returncode is None:
                sender.kill()
                await sender.wait()
        assert code == 0, f"exit code {code}"
        for content_type, coding in WAYS * SIGNALS:
            sent = await (rpc if content_type == GRPC else http).next()
            assert (sent.content_type, sent.coding) == (content_type, coding), sent
            check_same(await next_frame(watcher), sent)
        assert not http.rest() + rpc.rest(), "more was sent"
        await relay.stop(watcher)
    return f"JavaScript SDK: {len(WAYS) * SIGNALS} exports over HTTP and gRPC are the same JSON"


FOLDER = sys.argv[1]
run(interop, sys.argv[2:])
