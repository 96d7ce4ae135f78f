"""The ways to watch and to show a token, by clients of Python: `websockets` and `http.client`.

Usage: watching.py PATH-TO-OTLP-RELAY
"""

import asyncio
import base64
import http.client
import json
import re
import subprocess
import sys
import tempfile
import urllib.parse

import requests
import websockets

WAIT = 20  # seconds, for anything
TOKEN = "the/first+token~of-this_test=="
QUERY = urllib.parse.urlencode({"access_token": TOKEN})
BEARER = {"Authorization": f"Bearer {TOKEN}"}
OFFERS = [
    "otlp-relay",
    "bearer." + base64.urlsafe_b64encode(TOKEN.encode()).decode().rstrip("="),
]


def export(number):
    """Metrics with one data point."""
    point = {"timeUnixNano": "1", "asInt": str(number)}
    metric = {"name": "m", "gauge": {"dataPoints": [point]}}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}


def stream(address, path, headers):
    """The body of an answer that has no end yet."""
    connection = http.client.HTTPConnection(address, timeout=WAIT)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    assert answer.headers["content-type"] == "application/x-ndjson"
    return answer


async def refused(url, status, **arguments):
    """No session without the token."""
    try:
        async with websockets.connect(url, **arguments):
            raise AssertionError("let in")
    except websockets.exceptions.InvalidStatus as error:
        assert error.response.status_code == status, error


async def interop(address, relay):
    """Each way sees each export; wrong ones see nothing; the end is said to all."""
    url = f"ws://{address}/ws/metrics"
    await refused(url, 401)
    await refused(f"{url}?access_token=wrong", 401)
    await refused(url, 400, subprotocols=OFFERS[1:])
    by_header = await websockets.connect(url, additional_headers=BEARER)
    by_query = await websockets.connect(f"{url}?{QUERY}")
    by_offer = await websockets.connect(url, subprotocols=OFFERS)
    assert by_offer.subprotocol == OFFERS[0], by_offer.subprotocol
    lines = await asyncio.to_thread(stream, address, "/stream/metrics", BEARER)
    points = await asyncio.to_thread(stream, address, f"/stream?format=points&{QUERY}", {})
    for number in range(3):
        sent = export(number)
        answer = await asyncio.to_thread(
            requests.post, f"http://{address}/v1/metrics", json=sent, timeout=WAIT
        )
        assert answer.status_code == 200, answer.status_code
        for watcher in (by_header, by_query, by_offer):
            assert json.loads(await asyncio.wait_for(watcher.recv(), WAIT)) == sent
        assert json.loads(await asyncio.to_thread(lines.readline)) == sent
        assert json.loads(await asyncio.to_thread(points.readline))["value"] == number
    relay.terminate()
    for answer in (lines, points):
        assert await asyncio.to_thread(answer.readline) == b""
    for watcher in (by_header, by_query, by_offer):
        await asyncio.wait_for(watcher.wait_closed(), WAIT)
        assert watcher.close_code == 1001, watcher.close_code
    assert await asyncio.to_thread(relay.wait, WAIT) == 0


def main():
    """Starts the relay, and stops it whatever happens."""
    with tempfile.NamedTemporaryFile("w", suffix=".tokens") as tokens:
        tokens.write(f"{TOKEN}\n")
        tokens.flush()
        flags = ["--listen", "127.0.0.1:0", "--log-format", "json"]
        relay = subprocess.Popen(
            [sys.argv[1], *flags, "--watch-token-file", tokens.name],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            found = None
            while not found:
                line = relay.stderr.readline()
                assert line, "the relay said no address"
                found = re.search(r"http://(127\.0\.0\.1:\d+)", line)
            asyncio.run(interop(found.group(1), relay))
            print("watching: WebSocket and lines, with a token in each of three ways")
        finally:
            relay.kill()


main()
