"""Scenarios of connections: refusals, tokens, ends, slow clients, pings, compression."""

import asyncio
import base64
import itertools
import random
import signal
import tempfile
import urllib.parse

import requests

from clients import Closed, Websockets
from judge import PROTOBUF
from relay import WAIT
from samples import gauge, number_of
from stage import end_of, frame_of
from wire import Wire, inflated

TOKEN = "the/first+token~of-this_test=="
OTHER = "another-token-of-this-test"
METRICS = 80_083  # bytes of the sample that docs/websocket.md tells the length of, compressed
LONGEST = 1 << 20  # bytes of a message of a client

# What is asked for, the status, and a word of the text that tells what is wrong.
REFUSALS = [
    ("/ws?format=xml", 400, "protojson"),
    ("/ws?metrics=a", 400, "allowed"),
    ("/ws?envelope=yes", 400, "envelope"),
    ("/ws?format=otlp&format=points", 400, "two values"),
    ("/ws?format=protobuf&envelope=true", 400, "protobuf"),
    ("/ws?since=00:1", 400, "envelope"),
    ("/ws?envelope=true&replay=1&since=00:1", 400, "replay"),
    ("/ws?max_frame=1023", 400, "1024 at least"),
    ("/ws/logs?severity=worse", 400, "severity"),
    ("/ws?attr.a=" + "x" * 257, 400, "256"),
    ("/ws?metric=%zz", 400, "%"),
]


async def refusals(stage):
    """Before the upgrade, an answer of HTTP that says what is wrong, and when to come again."""
    with stage.relay("--max-sessions", "2", "--max-views", "1") as relay:
        for path, status, word in REFUSALS:
            await stage.refused(relay, path, status, word)
        await stage.refused(relay, "/ws", 403, "Origin", origin="https://evil.example")
        await stage.watch(relay, "/ws", origin=relay.url("http", ""))
        headers = await stage.refused(relay, "/ws?metric=a", 503, "views")
        assert headers["retry-after"] == "1", headers
        last = await stage.watch(relay, "/ws")
        headers = await stage.refused(relay, "/ws", 503, "sessions")
        assert headers["retry-after"] == "1", headers
        await last.close(1000, "")
        await stage.room(relay, "/ws")
    return f"{len(REFUSALS) + 3} kinds"


def offers(token):
    """The subprotocols that show a token."""
    encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    return ["otlp-relay", f"bearer.{encoded}"]


def ways(token):
    """The ways to show a token: what goes behind the path, and what is offered."""
    query = urllib.parse.urlencode({"access_token": token})
    yield "", {"headers": {"Authorization": f"Bearer {token}"}}
    yield f"?{query}", {}
    yield "", {"protocols": offers(token)}


async def tokens(stage):
    """A token in each of three ways; none, wrong ones, and one that is taken back."""
    with tempfile.NamedTemporaryFile("w", suffix=".tokens") as file:
        file.write(f"{TOKEN}\n{OTHER}\n")
        file.flush()
        with stage.relay("--watch-token-file", file.name) as relay:
            asks = await stage.refused(relay, "/ws/metrics", 401, "token")
            assert asks["www-authenticate"] == "Bearer", asks
            for query, offer in ways("a-wrong-token-of-this-test"):
                asks = await stage.refused(relay, f"/ws/metrics{query}", 401, "token", **offer)
                assert asks["www-authenticate"] == 'Bearer error="invalid_token"', asks
            await stage.refused(relay, "/ws", 400, "otlp-relay", protocols=offers(TOKEN)[1:])
            watchers = []
            for token in (TOKEN, OTHER):
                for query, offer in ways(token):
                    watcher = await stage.watch(relay, f"/ws/metrics{query}", **offer)
                    chosen = "otlp-relay" if "protocols" in offer else None
                    assert watcher.subprotocol == chosen, watcher.subprotocol
                    watchers.append(watcher)
            await relay.post("metrics", gauge(1))
            for watcher in watchers:
                assert number_of(await frame_of(watcher)) == 1
            file.seek(0)
            file.truncate()
            file.write(f"{OTHER}\n")
            file.flush()
            relay.process.send_signal(signal.SIGHUP)
            for watcher in watchers[:3]:
                assert await end_of(watcher) == 3500
            for query, offer in ways(TOKEN):
                await stage.refused(relay, f"/ws/metrics{query}", 401, "token", **offer)
            await relay.post("metrics", gauge(2))
            for watcher in watchers[3:]:
                assert number_of(await frame_of(watcher)) == 2
    return "three ways, and 3500"


async def closings(stage):
    """Closes of clients are answered in kind; faults get their code; a shutdown is told, behind
    what there was to send."""
    with stage.relay() as relay:
        for code in (1000, 1001, 3000, 4999):
            watcher = await stage.watch(relay, "/ws")
            closed = await watcher.close(code, "reason")
            assert (closed.code, closed.reason) == (code, ""), closed
        for deflate in (True, False):
            for code, message, text in (
                (1007, b"not UTF-8: \xff\xfe", True),
                (1009, "x" * (LONGEST + 1), None),
                (1009, b"\0" * (8 * LONGEST), None),
            ):
                watcher = await stage.watch(relay, "/ws", deflate=deflate)
                await watcher.send(message, text)
                assert await end_of(watcher) == code, (deflate, code)
        for frame in (b"\x81\x02hi", b"\x83\x80\0\0\0\0", b"\xc1\x80\0\0\0\0", b"\x89\xfe\x01\0"):
            watcher = await stage.watch(relay, "/ws", deflate=False)
            await watcher.write(frame)
            assert await end_of(watcher) == 1002, frame
        watchers = [await stage.watch(relay, "/ws") for _ in range(3)]
        await relay.post("metrics", gauge(1))
        stopping = asyncio.create_task(relay.stop())
        for watcher in watchers:
            assert number_of(await frame_of(watcher)) == 1
            assert await end_of(watcher) == 1001
        await stopping
    return "1000 to 4999, 1002, 1007, 1009, 1001"


async def slow(stage):
    """A client that stops reading loses its oldest and is told how many; one that asked for it is
    closed with 3008."""
    exports, padding = 40, "x" * (200 << 10)
    flags = ("--max-lag", "1MiB", "--ping-interval", "1h", "--history-bytes", "0")
    with stage.relay(*flags) as relay:
        loses = await stage.watch(relay, "/ws?envelope=true", deflate=False)
        assert (await frame_of(loses))["type"] == "hello"
        await loses.pause()
        for number in range(exports):
            await relay.post("metrics", gauge(number, padding=padding))
        await loses.resume()
        lost, found = 0, []
        while not found or found[-1] < exports - 1:
            frame = await frame_of(loses)
            if frame["type"] == "gap":
                assert frame["reason"] == "slow", frame
                lost += int(frame["dropped"])
            else:
                found.append(number_of(frame["data"]))
        assert lost > 0 and lost + len(found) == exports, (lost, found)
        assert found == sorted(set(found)), found

        goes = await stage.watch(relay, "/ws?slow=disconnect", deflate=False)
        await goes.pause()
        # More than what both kernels and the libraries take, and then more than it may lie behind.
        before, sent = await relay.lost_by_slow(), 0
        while await relay.lost_by_slow() == before:
            await relay.post("metrics", gauge(0, padding="x" * (900 << 10)))
            sent += 1
            assert sent <= 64, "58 MB, and nothing was lost"
        await goes.resume()
        for _ in range(sent):
            try:
                assert number_of(await frame_of(goes)) == 0
            except Closed as closed:
                assert closed.code == 3008, closed
                break
        else:
            raise AssertionError("no Close")
    return f"{lost} of {exports} lost, and 3008"


async def pings(stage):
    """Pings of a client are answered; a client that answers those of the relay stays, and one that
    doesn't is closed with 3012."""
    with stage.relay("--ping-interval", "2s", "--max-sessions", "3") as relay:
        stays, silent = [await stage.watch(relay, "/ws/metrics") for _ in range(2)]
        for payload in (b"", b"hello", bytes(range(125))):
            await stays.ping(payload)
        await silent.pause()
        verify = stage.authority.path if stage.authority else True
        url = relay.url("http", "/stream/metrics")
        lines = await asyncio.to_thread(requests.get, url, stream=True, timeout=WAIT, verify=verify)
        # Until the one that is silent has gone.
        more = await stage.room(relay, "/ws/metrics")
        assert await asyncio.to_thread(next, lines.iter_content(1)) == b"\n", "an empty line"
        lines.close()
        await silent.resume()
        assert await end_of(silent) == 3012
        await relay.post("metrics", gauge(1))
        for watcher in (stays, more):
            assert number_of(await frame_of(watcher)) == 1
    return "answered both ways, and 3012"


def offered():
    """What the libraries can ask of compression, each with each."""
    # As the library has it by itself, without a value; not at all; with values.
    for window in (None, False, 9, 15):
        for client, server in itertools.product((True, False), repeat=2):
            takeovers = {"client_no_context_takeover": client, "server_no_context_takeover": server}
            offer = {name: value for name, value in takeovers.items() if value}
            yield offer if window is None else offer | {"client_max_window_bits": window}
    yield {"server_max_window_bits": 15}
    yield {"server_max_window_bits": 15, "client_max_window_bits": 11}


async def compression(stage):
    """Whatever a client asks of compression, both sides read the same; frames are compressed, alone
    each, and so are messages of clients."""
    wire, _ = max(stage.samples["logs"], key=lambda pair: len(pair[0]))
    # Of the payloads, the medium one.
    metrics, _ = next(pair for pair in stage.samples["metrics"] if len(pair[0]) == METRICS)
    agreed = {"permessage-deflate", "server_no_context_takeover", "client_no_context_takeover"}
    variants = [True, *offered()]
    with stage.relay() as relay, stage.relay("--compression", "off") as off:
        plain = await stage.watch(relay, "/ws", deflate=False)
        assert plain.extensions == "", plain.extensions
        for variant in variants:
            asks_window = isinstance(variant, dict) and "server_max_window_bits" in variant
            expected = agreed | ({"server_max_window_bits=15"} if asks_window else set())
            watcher = await stage.watch(relay, "/ws", deflate=variant)
            found = {part.strip() for part in watcher.extensions.split(";")}
            assert found == expected, (variant, found)
            await compressed_both_ways(relay, watcher, plain, wire, variant)
            await watcher.close(1000, "")
        for bits in (8, 10, 14):
            declined = await stage.watch(relay, "/ws", deflate={"server_max_window_bits": bits})
            assert declined.extensions == "", declined.extensions
        assert (await stage.watch(off, "/ws")).extensions == ""
        if not stage.authority:
            await on_the_wire(stage, relay, metrics)
    return f"{len(variants)} offers"


async def compressed_both_ways(relay, watcher, plain, wire, variant):
    """Messages of the client, some of which it compresses, and two frames."""
    text = "what clients send is ignored, ü " * 1000
    for message in ("short", text, text.encode(), random.Random(1).randbytes(100_000)):
        await watcher.send(message)
    await watcher.ping(b"behind them")
    for _ in range(2):
        await relay.post("logs", wire, PROTOBUF)
        assert await watcher.next() == await plain.next(), variant


async def on_the_wire(stage, relay, wire):
    """The same, seen by whoever is between."""
    async with Wire(relay.address) as between:
        url = f"ws://{between.address}/ws"
        watcher = await stage.client.connect(url, deflate=True)
        texts = []
        for export in (gauge(1), wire, wire):
            media_type = PROTOBUF if export is wire else "application/json"
            await relay.post("metrics", export, media_type)
            texts.append(await watcher.next())
        await watcher.send("x" * 100_000)
        await watcher.ping(b"seen")
        short, *long = [frame for frame in between.relay_frames() if frame.opcode == 1]
        assert not short.rsv1 and short.data.decode() == texts[0], short
        for frame, text in zip(long, texts[1:], strict=True):
            assert frame.rsv1 and len(frame.data) < len(text) / 10, (len(frame.data), len(text))
            assert inflated(frame).decode() == text, "alone"
        assert long[0].data == long[1].data, "nothing is kept from one to the next"
        await watcher.close(1000, "")
        (sent,) = [frame for frame in between.client_frames() if frame.opcode == 1]
        assert sent.rsv1 and len(sent.data) < 1000, len(sent.data)


async def fallback(stage):
    """Of several offers, the first that can be accepted: `ws` can't make more than one."""
    if stage.client.name != Websockets.name:
        return "is not for it"
    with stage.relay() as relay:
        watcher = await stage.watch(relay, "/ws", deflate=[{"server_max_window_bits": 9}, {}])
        assert "server_max_window_bits" not in watcher.extensions, watcher.extensions
        assert "permessage-deflate" in watcher.extensions, watcher.extensions
        await relay.post("metrics", gauge(1, padding="x" * 10_000))
        assert number_of(await frame_of(watcher)) == 1
    return "the second of two offers"


SCENARIOS = (refusals, tokens, closings, slow, pings, compression, fallback)
