"""`curl -N … | jq`, as docs/stream.md has it.

Usage: curl.py PATH-TO-OTLP-RELAY [MORE-OF-ITS-FLAGS]
"""

import asyncio
import json
import os
import sys
import tempfile

from relay import WAIT, Authority, Relay
from samples import gauge, number_of

VERSIONS = ("--http1.1", "--http1.0")
PARTIAL_FILE = 18  # curl: an answer without its end
RECEIVE_ERROR = 56  # curl: TLS without its end


class Curl:
    """`curl -N`, and behind it `jq` if there is a program for it."""

    def __init__(self, relay, version, path, program=None):
        trust = ("--cacert", relay.authority.path) if relay.authority else ()
        self.command = ("curl", "-s", "-N", version, *trust, relay.url("http", path))
        self.program = program

    async def __aenter__(self):
        if self.program is None:
            self.curl = self.last = await started(self.command, stdout=asyncio.subprocess.PIPE)
            return self
        reading, writing = os.pipe()
        self.curl = await started(self.command, stdout=writing)
        os.close(writing)
        jq = ("jq", "-c", "--unbuffered", self.program)
        self.last = await started(jq, stdin=reading, stdout=asyncio.subprocess.PIPE)
        os.close(reading)
        return self

    async def __aexit__(self, *_):
        for process in (self.curl, self.last):
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def line(self):
        """The next line that comes out; empty at the end."""
        return await asyncio.wait_for(self.last.stdout.readline(), WAIT)

    async def code(self):
        """The exit code of curl, behind the last line."""
        assert await self.line() == b"", "a line too many"
        return await asyncio.wait_for(self.curl.wait(), WAIT)


async def started(command, **pipes):
    return await asyncio.create_subprocess_exec(*command, **pipes)


async def live(relay, version):
    """Lines come as exports do, from before and from now; jq works on each, and passes over empty
    ones. The end of the relay is that of the answer."""
    await relay.post("metrics", gauge(0))
    query = "replay=all&format=points"
    async with (
        Curl(relay, version, "/stream/metrics?replay=all", ".") as whole,
        Curl(relay, version, f"/stream?{query}", "[.name, .value]") as points,
        Curl(relay, version, "/stream/logs") as silent,
    ):
        for number in range(1, 5):
            assert json.loads(await whole.line()) == gauge(number - 1)
            assert json.loads(await points.line()) == ["m", number - 1]
            assert await silent.line() == b"\n", "nothing but a sign of life"
            await relay.post("metrics", gauge(number))
        for readers in (whole, points):
            await readers.line()
        await relay.stop()
        for reader in (whole, points):
            assert await reader.code() == 0
        while (line := await silent.line()) == b"\n":
            pass
        assert line == b"" and await silent.code() == 0


async def cut(relay, version):
    """A relay that is killed says no end: an answer in chunks is known to be cut off. With HTTP/1.0,
    nothing can tell."""
    await relay.post("metrics", gauge(7))
    async with Curl(relay, version, "/stream?replay=all") as curl:
        assert number_of(json.loads(await curl.line())) == 7
        relay.kill()
        code = await curl.code()
        if version == "--http1.1":
            assert code == PARTIAL_FILE or relay.authority and code == RECEIVE_ERROR, code


async def head(relay, version):
    """What the head says, and how the body is delimited."""
    async with Curl(relay, version, "/stream/traces") as curl:
        url, *others = reversed(curl.command)
        asked = await started((*reversed(others), "-I", url), stdout=asyncio.subprocess.PIPE)
        text, _ = await asyncio.wait_for(asked.communicate(), WAIT)
    lines = text.decode().lower().split("\r\n")
    assert " 200 " in lines[0], lines
    for line in ("content-type: application/x-ndjson", "cache-control: no-store"):
        assert line in lines, lines


def main(*command):
    with tempfile.TemporaryDirectory() as folder:
        for authority in (None, Authority(folder)):
            for version in VERSIONS:
                for scenario in (live, cut, head):
                    with Relay([*command, "--ping-interval", "200ms"], authority) as relay:
                        asyncio.run(scenario(relay, version))
    print("lines: `curl -N … | jq`, HTTP/1.1 and HTTP/1.0, plain and over TLS")


main(*sys.argv[1:])
