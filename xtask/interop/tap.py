"""A proxy between a client and the relay that passes bytes on as they are and reads along.

Whatever a client is written in, over HTTP/1.1 or gRPC: what it really sent is told by `h11`,
`hyperframe` and `hpack`, which know neither the client nor the relay.
"""

import asyncio

import h11
from hpack import Decoder
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame

from judge import GRPC, Sent
from relay import WAIT

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
READ = 1 << 16  # bytes
ENDS = (h11.NEED_DATA, h11.PAUSED)  # of the events in the bytes so far


class Tap:
    """Listens on a port of its own while the block runs; `address` is for the client."""

    def __init__(self, relay_address):
        self.upstream = relay_address.split(":")
        self.requests = asyncio.Queue()
        self.connections = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.address = "{}:{}".format(*self.server.sockets[0].getsockname())
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for connection in self.connections:
            connection.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)

    async def next(self):
        """The next request that a client has sent to its end."""
        return await asyncio.wait_for(self.requests.get(), WAIT)

    def rest(self):
        """Those that nobody has taken yet."""
        return [self.requests.get_nowait() for _ in range(self.requests.qsize())]

    def reading(self, begin):
        """What reads a connection that begins so."""
        return (Http2 if begin.startswith(PREFACE[:3]) else Http1)()

    def answered(self, data):
        """Sees what the relay sends."""

    async def serve(self, client, to_client):
        """One connection: bytes both ways, until either side ends."""
        self.connections.add(asyncio.current_task())
        relay, to_relay = await asyncio.open_connection(*self.upstream)
        answers = asyncio.create_task(self.answer(relay, to_client))
        try:
            reading = None
            while data := await client.read(READ):
                reading = reading or self.reading(data)
                # Before the relay has it all: what a client knows to be sent is in the queue.
                for sent in reading.feed(data):
                    self.requests.put_nowait(sent)
                to_relay.write(data)
                await to_relay.drain()
        except ConnectionError:
            pass  # The client's and the relay's business; what is missing will be missed.
        finally:
            to_relay.close()
            answers.cancel()
            self.connections.discard(asyncio.current_task())

    async def answer(self, relay, to_client):
        """Passes the relay's answers on."""
        try:
            while data := await relay.read(READ):
                self.answered(data)
                to_client.write(data)
                await to_client.drain()
        except ConnectionError:
            pass
        finally:
            to_client.close()


class Http1:
    """Requests of one connection of HTTP/1.1."""

    def __init__(self):
        self.connection = h11.Connection(h11.SERVER)

    def feed(self, data):
        """The requests that end with these bytes."""
        self.connection.receive_data(data)
        while (event := self.connection.next_event()) not in ENDS:
            if isinstance(event, h11.Request):
                self.head, self.body = event, bytearray()
            elif isinstance(event, h11.Data):
                self.body += event.data
            elif isinstance(event, h11.EndOfMessage):
                yield self.sent()
                # The relay answers; `h11` goes on to the next request when it has seen one.
                self.connection.send(h11.Response(status_code=200, headers=[]))
                self.connection.send(h11.EndOfMessage())
                if self.connection.our_state is h11.DONE:
                    self.connection.start_next_cycle()

    def sent(self):
        """The request that has just ended."""
        headers = {name.decode(): value.decode() for name, value in self.head.headers}
        coding = headers.get("content-encoding", "identity")
        return Sent(self.head.target.decode(), headers["content-type"], coding, bytes(self.body))


class Stream:
    """What has come of one gRPC call."""

    def __init__(self):
        self.block, self.headers, self.body = bytearray(), {}, bytearray()


class Http2:
    """Calls with one message each on one connection of gRPC."""

    def __init__(self):
        self.buffer, self.streams, self.decoder = bytearray(), {}, Decoder()
        self.preface = len(PREFACE)

    def feed(self, data):
        """The messages that end with these bytes."""
        self.buffer += data
        if self.preface and len(self.buffer) >= self.preface:
            assert self.buffer.startswith(PREFACE), self.buffer[: self.preface]
            del self.buffer[: self.preface]
            self.preface = 0
        while not self.preface and len(self.buffer) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(bytes(self.buffer[:9])))
            if len(self.buffer) < 9 + length:
                return
            frame.parse_body(memoryview(bytes(self.buffer[9 : 9 + length])))
            del self.buffer[: 9 + length]
            yield from self.take(frame)

    def take(self, frame):
        """The message, if it ends with this frame."""
        if not isinstance(frame, (HeadersFrame, ContinuationFrame, DataFrame)):
            return
        stream = self.streams.setdefault(frame.stream_id, Stream())
        if isinstance(frame, DataFrame):
            stream.body += frame.data
        else:
            stream.block += frame.data
            if "END_HEADERS" in frame.flags:
                stream.headers = dict(self.decoder.decode(bytes(stream.block)))
        if "END_STREAM" in frame.flags:
            yield self.sent(self.streams.pop(frame.stream_id))

    def sent(self, stream):
        """The one message of a call, without its prefix, which says whether it is compressed."""
        headers, (compressed, *length) = stream.headers, stream.body[:5]
        body = bytes(stream.body[5:])
        assert len(body) == int.from_bytes(length, "big"), "one message a call"
        assert headers["content-type"].startswith(GRPC), headers
        coding = headers["grpc-encoding"] if compressed else "identity"
        return Sent(headers[":path"], GRPC, coding, body)
