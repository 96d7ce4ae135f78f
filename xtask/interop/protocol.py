"""The WebSocket protocol of docs/websocket.md, spoken by clients that nobody here wrote.

Usage: protocol.py VECTORS PAYLOADS FOLDER PATH-TO-OTLP-RELAY [FLAGS...]

Python's `websockets` and Node's `ws` go through the same scenarios, plain and over TLS, with relays
of their own. Requests are those of VECTORS and PAYLOADS; what clients have to see of them is told by
`views.py` and Python's protobuf. FOLDER has `client.mjs` and `ws`; without Node.js it is empty.
"""

import asyncio
import sys
import tempfile

import connection
import shown
from clients import Websockets, Ws
from relay import Authority
from samples import samples
from stage import Stage

LONGEST = 300_000  # bytes of a request; each is sent many times


async def play(scenario, stages):
    """One scenario on all stages at once."""

    async def on(stage):
        try:
            return await scenario(stage)
        except Exception as error:
            raise RuntimeError(f"{scenario.__name__}: {stage.name}") from error

    async with asyncio.TaskGroup() as group:
        told = [group.create_task(on(stage)) for stage in stages]
    print(f"  {scenario.__name__}: {told[0].result()}")


async def main(vectors, payloads, folder, *command):
    requests = samples(vectors, payloads, LONGEST)
    clients = [Websockets()]
    if folder:
        clients.append(await Ws(folder).start())
    with tempfile.TemporaryDirectory() as certificates:
        ways = (None, Authority(certificates))
        stages = [Stage(command, requests, client, way) for client in clients for way in ways]
        for scenario in (*shown.SCENARIOS, *connection.SCENARIOS):
            await play(scenario, stages)
    for client in clients:
        await client.end()
    names = " and ".join(client.name for client in clients)
    print(f"protocol: {names} saw what they should, plain and over TLS")


asyncio.run(main(*sys.argv[1:]))
