"""Two WebSocket libraries that know nothing of each other, behind one face: Python's `websockets`
and, in a process of Node.js, `ws`.

Offers of compression are `True` for what a library offers by itself, `False` for none, or the
parameters of RFC 7692 by their names, `False` for one that is not to be offered; `websockets` takes a
list of those, too.
"""

import asyncio
import base64
import itertools
import json

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from relay import WAIT

LONGEST_LINE = 256 << 20  # bytes: a frame as JSON


class Refused(Exception):
    """An answer instead of an upgrade."""

    def __init__(self, status, headers, body):
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers.items()}


class Closed(Exception):
    """The end of a session, as the relay's Close frame says; 1006 without one."""

    def __init__(self, code, reason):
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


async def soon(awaitable):
    """Waits as long as anything may take."""
    return await asyncio.wait_for(awaitable, WAIT)


def permessage_deflate(**parameters):
    """An offer of `websockets`, which has `None` for a window that is not offered."""
    given = {name: parameter or None for name, parameter in parameters.items()}
    return ClientPerMessageDeflateFactory(**given)


class Websockets:
    """`websockets`."""

    name = "websockets"

    async def connect(
        self, url, *, headers=None, origin=None, protocols=(), deflate=True, authority=None
    ):
        """A session, or [`Refused`]."""
        several = [deflate] if isinstance(deflate, dict) else deflate
        extensions = []
        if not isinstance(deflate, bool):
            extensions = [permessage_deflate(**offer) for offer in several]
        try:
            connection = await websockets.connect(
                url,
                additional_headers=headers,
                origin=origin,
                subprotocols=protocols or None,
                compression="deflate" if deflate is True else None,
                extensions=extensions,
                ssl=authority.context if authority else None,
                max_size=None,
                max_queue=None,
                ping_interval=None,
                open_timeout=WAIT,
                close_timeout=WAIT,
                proxy=None,
            )
        except websockets.InvalidStatus as error:
            answer = error.response
            raise Refused(answer.status_code, answer.headers, answer.body.decode()) from None
        return WebsocketsSession(connection)

    async def end(self):
        """Nothing is left of it."""


class WebsocketsSession:
    """A session of `websockets`."""

    def __init__(self, connection):
        self.connection = connection
        self.subprotocol = connection.subprotocol
        self.extensions = connection.response.headers.get("Sec-WebSocket-Extensions", "")

    async def next(self):
        """The next message: a text, or bytes. Or [`Closed`]."""
        try:
            return await soon(self.connection.recv())
        except websockets.ConnectionClosed as error:
            raise self.closed(error.rcvd) from None

    def closed(self, close):
        return Closed(close.code, close.reason) if close else Closed(1006, "")

    async def send(self, message, text=None):
        """Sends a message; with `text`, bytes as a text."""
        await soon(self.connection.send(message, text=text))

    async def ping(self, payload):
        """Until the pong with this payload is there."""
        await soon(await self.connection.ping(payload))

    async def close(self, code, reason):
        """Closes; gives what the relay answers."""
        await soon(self.connection.close(code, reason))
        return self.closed(self.connection.protocol.close_rcvd)

    async def pause(self):
        """Reads nothing more from the socket."""
        self.connection.transport.pause_reading()

    async def resume(self):
        self.connection.transport.resume_reading()

    async def write(self, data):
        """Writes bytes past the library."""
        self.connection.transport.write(data)

    async def drop(self):
        """Ends the connection without a word."""
        self.connection.transport.abort()


class Ws:
    """`ws`, in a process that speaks lines of JSON (`javascript/client.mjs`)."""

    name = "ws"

    def __init__(self, folder):
        self.script = f"{folder}/client.mjs"
        self.numbers, self.sessions = itertools.count(), {}

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            "node",
            self.script,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        self.reading = asyncio.create_task(self.read())
        return self

    async def read(self):
        """Hands each line to its session. At the end all of them are told."""
        while line := await self.process.stdout.readline():
            event = json.loads(line)
            self.sessions[event["id"]].take(event)
        for session in self.sessions.values():
            session.take({"is": "error", "text": "Node.js has ended"})

    async def tell(self, **command):
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        await self.process.stdin.drain()

    async def end(self):
        """Ends the process."""
        self.process.stdin.close()
        await soon(self.process.wait())
        await self.reading

    async def connect(
        self, url, *, headers=None, origin=None, protocols=(), deflate=True, authority=None
    ):
        """A session, or [`Refused`]."""
        options = {"perMessageDeflate": deflate, "headers": headers or {}}
        if isinstance(deflate, dict):
            offer = {camel(name): parameter for name, parameter in deflate.items()}
            options["perMessageDeflate"] = offer
        if origin:
            options["origin"] = origin
        if authority:
            options["ca"] = authority.path
        session = WsSession(self, next(self.numbers))
        self.sessions[session.id] = session
        await session.tell("open", url=url, protocols=list(protocols), options=options)
        event = await soon(session.events.get())
        if event["is"] == "refused":
            raise Refused(event["status"], event["headers"], event["body"])
        assert event["is"] == "open", event
        session.subprotocol = event["subprotocol"] or None
        session.extensions = event["extensions"]
        return session


def camel(name):
    """`server_max_window_bits` as JavaScript has it."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


class WsSession:
    """A session of `ws`."""

    def __init__(self, client, number):
        self.client, self.id = client, number
        self.events, self.pongs = asyncio.Queue(), asyncio.Queue()

    def take(self, event):
        """An event from the process."""
        (self.pongs if event["is"] == "pong" else self.events).put_nowait(event)

    async def tell(self, do, **more):
        await self.client.tell(id=self.id, do=do, **more)

    async def next(self):
        """As [`WebsocketsSession.next`]."""
        event = await soon(self.events.get())
        match event:
            case {"is": "message", "text": text}:
                return text
            case {"is": "message", "bytes": data}:
                return base64.b64decode(data)
            case {"is": "close", "code": code, "reason": reason}:
                raise Closed(code, reason)
        raise AssertionError(event)

    async def send(self, message, text=None):
        data = message.encode() if isinstance(message, str) else message
        binary = not (isinstance(message, str) or text)
        await self.tell("send", bytes=base64.b64encode(data).decode(), binary=binary)

    async def ping(self, payload):
        await self.tell("ping", bytes=base64.b64encode(payload).decode())
        pong = await soon(self.pongs.get())
        assert base64.b64decode(pong["bytes"]) == payload, pong

    async def close(self, code, reason):
        await self.tell("close", code=code, reason=reason)
        try:
            message = await self.next()
        except Closed as closed:
            return closed
        raise AssertionError(f"behind a Close: {message}")

    async def pause(self):
        await self.tell("pause")

    async def resume(self):
        await self.tell("resume")

    async def write(self, data):
        await self.tell("write", bytes=base64.b64encode(data).decode())

    async def drop(self):
        await self.tell("drop")
