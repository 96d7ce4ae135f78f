"""Lines over plain HTTP, as `requests` and Python's own `http.client` read them (docs/stream.md).

Usage: lines.py PATH-TO-OTLP-RELAY [MORE-OF-ITS-FLAGS]
"""

import asyncio
import http.client
import json
import sys
import tempfile
import urllib.parse

import requests
import websockets

from relay import WAIT, Authority, Relay, next_frame
from samples import gauge

TOKEN = "the/first+token~of-this_test=="
QUERY = urllib.parse.urlencode({"access_token": TOKEN})
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def by_requests(relay, path, headers):
    """The lines of a stream."""
    verify = relay.authority.path if relay.authority else True
    url = relay.url("http", path)
    answer = requests.get(url, headers=headers, stream=True, timeout=WAIT, verify=verify)
    assert answer.status_code == 200, answer.status_code
    assert answer.headers["content-type"] == "application/x-ndjson", answer.headers
    return answer.iter_lines(chunk_size=None)


def by_http_client(relay, path, headers):
    """The same, by a library that asks for an end."""
    if relay.authority:
        context = relay.authority.context
        connection = http.client.HTTPSConnection(relay.address, timeout=WAIT, context=context)
    else:
        connection = http.client.HTTPConnection(relay.address, timeout=WAIT)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    return iter(answer.readline, b"")


async def streams(relay):
    """Each reader sees what a WebSocket client of the same query sees, and the end is said."""
    context = relay.authority.context if relay.authority else None
    watcher = await websockets.connect(relay.url("ws", f"/ws/metrics?{QUERY}"), ssl=context)
    readers = []
    for open_stream in (by_requests, by_http_client):
        for path, headers in (("/stream/metrics", BEARER), (f"/stream?{QUERY}", {})):
            readers.append(await asyncio.to_thread(open_stream, relay, path, headers))
    for number in range(3):
        sent = gauge(number)
        await relay.post("metrics", sent)
        assert await next_frame(watcher) == sent
        for reader in readers:
            assert json.loads(await asyncio.to_thread(next, reader)) == sent
    await relay.stop(watcher)
    for reader in readers:
        # The last chunk: without it, the libraries raise.
        assert await asyncio.to_thread(next, reader, None) is None
    return len(readers)


def main(*command):
    with (
        tempfile.NamedTemporaryFile("w", suffix=".tokens") as tokens,
        tempfile.TemporaryDirectory() as folder,
    ):
        tokens.write(f"{TOKEN}\n")
        tokens.flush()
        for authority in (None, Authority(folder)):
            with Relay([*command, "--watch-token-file", tokens.name], authority) as relay:
                count = asyncio.run(streams(relay))
    print(f"lines: {count} readers by `requests` and `http.client`, plain and over TLS")


main(*sys.argv[1:])
