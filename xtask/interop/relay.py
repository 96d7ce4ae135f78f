"""The relay as a child process, and its clients' view of it."""

import asyncio
import json
import os
import re
import subprocess

import websockets

WAIT = 60  # seconds, for anything; long, for machines that do much else


class Relay:
    """The relay on ports of loopback that the system chose; stopped when the block ends."""

    def __init__(self, command):
        """`command` is the path of the binary, and more flags for it."""
        listen = ("--listen", "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0")
        # Neither does the caller's environment configure the relay, nor its proxy the clients.
        for name in list(os.environ):
            if name == "RUST_LOG" or name.startswith("OTLP_RELAY_"):
                del os.environ[name]
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
        self.process = subprocess.Popen(
            [command[0], *listen, "--log-format", "json", *command[1:]],
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        for line in self.process.stderr:
            if found := re.search(r"http://(127\.0\.0\.1:\d+)", line):
                self.address = found.group(1)
            # Comes behind it.
            if found := re.search(r"OTLP/gRPC on (127\.0\.0\.1:\d+)", line):
                self.grpc_address = found.group(1)
                return self
        self.kill()
        raise SystemExit("the relay said no addresses")

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        """Ends it if it runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()

    async def stop(self, *watchers):
        """SIGTERM: the exit code is 0, and watchers get no frame more, but 1001."""
        self.process.terminate()
        code = await asyncio.to_thread(self.process.wait, WAIT)
        assert code == 0, f"exit code {code}"
        for watcher in watchers:
            try:
                frame = await asyncio.wait_for(watcher.recv(), WAIT)
            except websockets.ConnectionClosed as closed:
                assert closed.rcvd.code == 1001, closed
            else:
                raise AssertionError(f"a frame too many: {frame}")


async def next_frame(watcher):
    """The next frame, which is text, as JSON."""
    frame = await asyncio.wait_for(watcher.recv(), WAIT)
    assert isinstance(frame, str), "frames are text"
    return json.loads(frame)


def run(interop, command):
    """Runs a comparison with a relay of its own; `command` as for [`Relay`]."""
    with Relay(command) as relay:
        print(asyncio.run(interop(relay)))
