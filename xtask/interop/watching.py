"""The ways to watch and to show a token, by clients of Python: `websockets` and `http.client`.

Usage: watching.py PATH-TO-OTLP-RELAY [MORE-OF-ITS-FLAGS]
"""

import asyncio
import base64
import http.client
import json
import sys
import tempfile
import urllib.parse

import requests
import websockets

from relay import WAIT, next_frame, run

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


async def interop(relay):
    """Each way sees each export; wrong ones see nothing; the end is said to all."""
    address, url = relay.address, f"ws://{relay.address}/ws/metrics"
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
            assert await next_frame(watcher) == sent
        assert json.loads(await asyncio.to_thread(lines.readline)) == sent
        assert json.loads(await asyncio.to_thread(points.readline))["value"] == number
    await relay.stop(by_header, by_query, by_offer)
    for answer in (lines, points):
        assert await asyncio.to_thread(answer.readline) == b""
    return "watching: WebSocket and lines, with a token in each of three ways"


with tempfile.NamedTemporaryFile("w", suffix=".tokens") as tokens:
    tokens.write(f"{TOKEN}\n")
    tokens.flush()
    run(interop, [*sys.argv[1:], "--watch-token-file", tokens.name])
