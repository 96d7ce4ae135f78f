"""What a scenario of the WebSocket protocol has: a client, and relays of its own, plain or TLS."""

import asyncio
import json

from clients import Closed, Refused
from relay import WAIT, Relay


class Stage:
    """One client over one kind of transport."""

    def __init__(self, command, samples, client, authority):
        self.command, self.samples = command, samples
        self.client, self.authority = client, authority
        self.name = f"{client.name}, {'TLS' if authority else 'plain'}"

    def relay(self, *flags):
        """A relay with more flags, while a block runs."""
        return Relay([*self.command, *flags], self.authority)

    async def watch(self, relay, path, **offer):
        """A session."""
        url = relay.url("ws", path)
        return await self.client.connect(url, authority=self.authority, **offer)

    async def refused(self, relay, path, status, word, **offer):
        """No session, but an answer with this status and, as JSON, a text with this word in it;
        gives its headers."""
        try:
            await self.watch(relay, path, **offer)
        except Refused as answer:
            assert answer.status == status, f"{path}: {answer}"
            error = json.loads(answer.body)
            assert isinstance(error["code"], int) and word in error["message"], f"{path}: {error}"
            return answer.headers
        raise AssertionError(f"{path}: let in")

    async def room(self, relay, path):
        """A session, as soon as there is room for one more."""
        async with asyncio.timeout(WAIT):
            while True:
                try:
                    return await self.watch(relay, path)
                except Refused as answer:
                    assert answer.status == 503, answer
                    await asyncio.sleep(0.1)


async def frame_of(watcher):
    """The next frame, which is text, as JSON."""
    message = await watcher.next()
    assert isinstance(message, str), message
    return json.loads(message)


async def end_of(watcher):
    """The code that a session is closed with; nothing comes before."""
    try:
        message = await watcher.next()
    except Closed as closed:
        return closed.code
    raise AssertionError(f"a message too many: {message[:100]!r}")
