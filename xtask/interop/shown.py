"""Scenarios of what clients are shown: views, parts, history, resumption."""

import asyncio
import functools
import json
import random
import re
import urllib.parse
from datetime import datetime, timedelta, timezone

from clients import Closed
from judge import PROTOBUF, SIGNALS, canonical, otlp_json
from samples import gauge, number_of
from stage import frame_of
from views import Filter, points, rendering

# Each with something to keep and to leave out in the samples.
FILTERS = {
    "metrics": [
        [("metric", "system.cpu.*"), ("metric", "*.memory.?sage")],
        [("attr.state", "us?r")],
        [("scope", "*cpuscraper"), ("resource.service.name", "otelcol-*"), ("attr.cpu", "cpu1*")],
        [("attr.http.response.status_code", "5*"), ("metric", "http.*")],
    ],
    "traces": [
        [("span", "GET *"), ("span", "db.query")],
        [("attr.shop.retry", "false"), ("attr.server.port", "8443")],
    ],
    "logs": [[("severity", "17")], [("severity", "13"), ("attr.url.path", "/api/*")]],
}


def text_of(value, shape):
    """One text for equal values of a format: JSON knows one kind of number, points tell integers
    from doubles."""
    return json.dumps(value, sort_keys=True) if shape == "points" else canonical(value)


@functools.cache
def expected_of(shape, signal, wire):
    """What a frame has to say of a request: bytes, or a text as above. Nothing without a frame."""
    told = rendering(shape, wire, SIGNALS[signal].FromString(wire))
    if shape == "protobuf":
        return told
    return text_of(told, shape) if told else None


def same(got, expected, what, shape="otlp"):
    """Fails, with little of both, unless they are the same; `expected` is a text as above."""
    got = text_of(got, shape)
    if got != expected:
        at = next((at for at, (a, b) in enumerate(zip(got, expected)) if a != b), 0)
        around = slice(max(at - 200, 0), at + 200)
        raise AssertionError(f"{what} as {shape}\ngot {got[around]}\nexpected {expected[around]}")


def content(message, shape):
    """What a frame of a format without an envelope says."""
    if shape == "protobuf":
        assert isinstance(message, bytes), message
        return message
    assert isinstance(message, str), message
    if shape != "points":
        return json.loads(message)
    assert message.endswith("\n"), message[-100:]
    return [json.loads(line) for line in message.splitlines()]


def assert_recent(received, before):
    """Within a minute of a time on this machine."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", received), received
    late = datetime.fromisoformat(received[:26] + "+00:00") - before
    assert abs(late) < timedelta(minutes=1), late


async def formats(stage):
    """Every request of the samples in every format, with envelopes and without, at the paths of
    one signal and of all."""
    with stage.relay() as relay:
        plain, enveloped = {}, {}
        for shape in ("otlp", "protojson", "points", "protobuf"):
            plain[shape] = await stage.watch(relay, f"/ws?format={shape}")
        for shape in ("otlp", "protojson", "points"):
            enveloped[shape] = await stage.watch(relay, f"/ws?format={shape}&envelope=true")
        hellos = [await frame_of(watcher) for watcher in enveloped.values()]
        epoch = hellos[0]["epoch"]
        hello = {"type": "hello", "epoch": epoch, "seq": "0", "recovered": False}
        assert all(one == hello for one in hellos), hellos
        seq = 0
        for signal, pairs in stage.samples.items():
            alone = await stage.watch(relay, f"/ws/{signal}")
            for wire, _ in pairs:
                seq += 1
                before = datetime.now(timezone.utc)
                await relay.post(signal, wire, PROTOBUF)
                same(await frame_of(alone), expected_of("otlp", signal, wire), signal)
                for shape, watcher in plain.items():
                    if expected := expected_of(shape, signal, wire):
                        got = content(await watcher.next(), shape)
                        if shape == "protobuf":
                            assert got == expected, signal
                        else:
                            same(got, expected, signal, shape)
                for shape, watcher in enveloped.items():
                    if expected := expected_of(shape, signal, wire):
                        envelope = await frame_of(watcher)
                        same(envelope.pop("data"), expected, f"{signal}, in an envelope", shape)
                        assert_recent(envelope.pop("receivedAt"), before)
                        about = {"type": "data", "epoch": epoch, "seq": str(seq), "signal": signal}
                        assert envelope == about, envelope
            # Another signal's exports are not for it.
            await alone.close(1000, "")
    return f"{seq} requests in {len(plain) + len(enveloped)} views"


async def filters(stage):
    """Filters leave what they say, in OTLP JSON and in protobuf; nothing left, no frame."""
    compared = 0
    with stage.relay() as relay:
        for signal, several in FILTERS.items():
            for clauses in several:
                judge = Filter(clauses)
                query = urllib.parse.urlencode(clauses)
                text = await stage.watch(relay, f"/ws/{signal}?{query}")
                binary = await stage.watch(relay, f"/ws/{signal}?{query}&format=protobuf")
                changed = 0
                for wire, request in stage.samples[signal]:
                    await relay.post(signal, wire, PROTOBUF)
                    left = judge.left(request)
                    if left is None:
                        continue
                    expected = canonical(otlp_json(left))
                    same(await frame_of(text), expected, query)
                    same(otlp_json(type(left).FromString(await binary.next())), expected, query)
                    changed += left != request
                assert changed > 0, f"{query}: of every request all or nothing was left"
                compared += changed
                for watcher in (text, binary):
                    assert (await watcher.close(1000, "")).code == 1000, "a frame too many"
    return f"{compared} requests of which a filter leaves a part"


async def parts_of(watcher, limit):
    """All parts of the first export."""
    found, of = [], 1
    while len(found) < of:
        message = await watcher.next()
        assert len(message.encode()) <= limit, len(message)
        part = json.loads(message)
        found.append(message)
        of = part["parts"]
        assert (part["type"], part["seq"], part["part"]) == ("data", "1", len(found)), part
    assert of > 20, of
    return found


async def parts(stage):
    """A client that takes short messages gets long exports in parts that say the same; what can't
    be parted, and what is longer than the relay's own limit, is told as lost."""
    limit = 4096
    wire, request = max(stage.samples["metrics"], key=lambda pair: len(pair[0]))
    with stage.relay("--max-frame", "64KiB") as relay:
        lines = await stage.watch(relay, f"/ws?format=points&max_frame={limit}")
        parted = await stage.watch(relay, f"/ws?envelope=true&max_frame={limit}")
        whole = await stage.watch(relay, "/ws?envelope=true")
        # The relay's own limit, said by the client: parts instead of losses.
        same_limit = await stage.watch(relay, f"/ws?max_frame={64 << 10}")
        for watcher in (parted, whole):
            hello = await frame_of(watcher)
            assert hello["type"] == "hello", hello
        await relay.post("metrics", wire, PROTOBUF)
        expected = points(request)
        got = []
        while len(got) < len(expected):
            message = await lines.next()
            assert len(message.encode()) <= limit, len(message)
            got += content(message, "points")
        same(got, text_of(expected, "points"), "in parts", "points")
        all_parts = await parts_of(parted, limit)
        # Who has only some of them names the export before, and gets all of them anew.
        again = await stage.watch(
            relay, f"/ws?envelope=true&max_frame={limit}&since={hello['epoch']}:0"
        )
        assert (await frame_of(again))["recovered"] is True
        assert await parts_of(again, limit) == all_parts
        resources = 0
        while resources < len(request.resource_metrics[0].scope_metrics):
            part = await frame_of(same_limit)
            (resource,) = part["resourceMetrics"]
            resources += len(resource["scopeMetrics"])
        gap = {"type": "gap", "dropped": "1", "afterSeq": "0", "reason": "too_big"}
        found = await frame_of(whole)
        assert found == gap, found
        await relay.post("metrics", gauge(1, padding="x" * limit))
        found = await frame_of(parted)
        assert found == gap | {"afterSeq": "1"}, found
        assert number_of((await frame_of(whole))["data"]) == 1
    return f"an export in {len(all_parts)} parts"


async def large(stage):
    """The longest frame that there is comes; one byte more is nothing to see."""
    longest = 16 << 20
    with stage.relay() as relay:
        packed = await stage.watch(relay, "/ws/metrics")
        plain = await stage.watch(relay, "/ws/metrics", deflate=False)
        await relay.post("metrics", gauge(0, padding="x"))
        around = {len(await watcher.next()) for watcher in (packed, plain)}.pop() - 1
        for number, length in ((1, longest), (2, longest + 1), (3, longest)):
            await relay.post("metrics", gauge(number, padding="x" * (length - around)))
            for watcher in (packed, plain) if number != 2 else ():
                message = await watcher.next()
                assert len(message) == longest, len(message)
                assert number_of(json.loads(message)) == number
    return "frames of 16 MiB"


async def history(stage):
    """Who comes late gets the newest first; who comes back, everything since; to another life of
    the relay, what is live."""
    with stage.relay() as relay:
        watcher = await stage.watch(relay, "/ws/metrics?envelope=true")
        epoch = (await frame_of(watcher))["epoch"]
        for number in range(1, 11):
            await relay.post("metrics", gauge(number))
        late = await stage.watch(relay, "/ws/metrics?replay=3")
        everything = await stage.watch(relay, "/ws/metrics?replay=all&format=points")
        for number in range(1, 6):
            assert (await frame_of(watcher))["seq"] == str(number)
        await watcher.drop()
        since = f"/ws/metrics?envelope=true&since={epoch}:5"
        back = await stage.watch(relay, since)
        other = await stage.watch(relay, f"{since}&format=points")
        for one in (back, other):
            hello = await frame_of(one)
            expected = {"type": "hello", "epoch": epoch, "seq": "5", "recovered": True}
            assert hello == expected, hello
        await relay.post("metrics", gauge(11))
        for number in range(8, 12):
            assert number_of(await frame_of(late)) == number
        for number in range(1, 12):
            assert content(await everything.next(), "points")[0]["value"] == number
        for number in range(6, 12):
            frame = await frame_of(back)
            assert (frame["seq"], number_of(frame["data"])) == (str(number), number)
            assert (await frame_of(other))["data"][0]["value"] == number
        # Exports are counted, whatever a filter leaves of them.
        for name in ("other", "m", "other"):
            await relay.post("metrics", gauge(12, name))
        few = await stage.watch(relay, "/ws/metrics?replay=2&metric=m")
        assert number_of(await frame_of(few)) == 12
        none = await stage.watch(relay, "/ws/metrics?replay=1&metric=m")
        await relay.post("metrics", gauge(13))
        for one in (few, none):
            assert number_of(await frame_of(one)) == 13
        future = await stage.watch(relay, f"/ws/metrics?envelope=true&since={epoch}:99")
        assert (await frame_of(future))["recovered"] is False
    with stage.relay("--history-bytes", "2KiB") as relay:
        stranger = await stage.watch(relay, since)
        hello = await frame_of(stranger)
        assert hello["epoch"] != epoch and hello["recovered"] is False, hello
        for number in range(100):
            await relay.post("metrics", gauge(number))
            assert (await frame_of(stranger))["seq"] == str(number + 1)
        forgetful = await stage.watch(relay, f"/ws?envelope=true&since={hello['epoch']}:0")
        assert (await frame_of(forgetful))["recovered"] is False
        frame = await frame_of(forgetful)
        if frame["type"] == "gap":
            frame = await frame_of(forgetful)
        assert 0 < number_of(frame["data"]) < 100, frame
    return "replay and since"


async def resumed(stage):
    """Exports all the while; a client whose connection breaks again and again, and that comes back
    with `since` each time, has each of them once and in order."""
    exports, breaks, chance = 200, 12, random.Random(stage.name)

    async def publish(relay):
        for number in range(exports):
            await relay.post("metrics", gauge(number))

    with stage.relay() as relay:
        watcher = await stage.watch(relay, "/ws?envelope=true")
        hello = await frame_of(watcher)
        epoch, seq, found = hello["epoch"], hello["seq"], []
        publishing = asyncio.create_task(publish(relay))
        for turn in range(breaks + 1):
            last = turn == breaks
            count = chance.randrange(2 * exports // breaks)
            while len(found) < exports and (last or count > 0):
                frame = await frame_of(watcher)
                found.append(number_of(frame["data"]))
                seq, count = frame["seq"], count - 1
            if not last:
                await watcher.drop()
                path = f"/ws?envelope=true&since={epoch}:{seq}"
                watcher = await stage.watch(relay, path)
                hello = await frame_of(watcher)
                assert (hello["recovered"], hello["seq"]) == (True, seq), hello
        await publishing
        assert found == list(range(exports)), found
        try:
            await relay.stop()
            frame = await frame_of(watcher)
            raise AssertionError(f"a frame too many: {frame}")
        except Closed as closed:
            assert closed.code == 1001, closed
    return f"{exports} exports over {breaks} breaks, each once"


SCENARIOS = (formats, filters, parts, large, history, resumed)
