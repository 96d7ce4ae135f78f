"""A proxy between a WebSocket client and the relay that keeps what both have sent: which frames
were really compressed, and what the handshake said. Plain connections alone."""

import zlib
from dataclasses import replace

from websockets.frames import Frame
from websockets.streams import StreamReader

from tap import Tap


class Wire(Tap):
    """For one connection."""

    def __init__(self, relay_address):
        super().__init__(relay_address)
        self.from_client, self.from_relay = bytearray(), bytearray()

    def reading(self, begin):
        return self

    def feed(self, data):
        """Keeps what the client sends; there is no request for the judge in it."""
        self.from_client += data
        return ()

    def answered(self, data):
        self.from_relay += data

    def client_frames(self):
        """The frames that the client has sent."""
        return frames(self.from_client, mask=True)

    def relay_frames(self):
        """The frames that the relay has sent."""
        return frames(self.from_relay, mask=False)


def frames(data, mask):
    """The whole frames behind a head, as they are: nothing is inflated."""
    head, _, rest = bytes(data).partition(b"\r\n\r\n")
    assert b"websocket" in head.lower(), head
    reader, seen = StreamReader(), Seen()
    reader.feed_data(rest)
    reader.feed_eof()
    while True:
        # The library reads in a generator that stops where bytes are missing.
        parsing = Frame.parse(reader.read_exact, mask=mask, extensions=[seen])
        try:
            next(parsing)
        except StopIteration:
            pass
        except EOFError:
            return seen.frames


class Seen:
    """An extension, for the library, which inflates nothing and keeps frames as they came."""

    def __init__(self):
        self.frames = []

    def decode(self, frame, *, max_size=None):
        self.frames.append(frame)
        return replace(frame, rsv1=False)


def inflated(frame):
    """What a compressed message says (RFC 7692, section 7.2.2), without a window from before."""
    return zlib.decompressobj(wbits=-15).decompress(frame.data + b"\x00\x00\xff\xff")
