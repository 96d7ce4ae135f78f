"""The relay as a child process, and its clients' view of it."""

import asyncio
import json
import os
import re
import ssl
import subprocess

import requests
import trustme
import websockets

WAIT = 60  # seconds, for anything; long, for machines that do much else


class Authority:
    """Who has signed the relay's certificate; everything is in files below a folder."""

    def __init__(self, folder):
        authority, self.path = trustme.CA(), f"{folder}/authority.pem"
        authority.cert_pem.write_to_path(self.path)
        pair = authority.issue_cert("localhost", "127.0.0.1")
        cert, key = f"{folder}/relay.pem", f"{folder}/relay.key"
        for part, pem in enumerate(pair.cert_chain_pems):
            pem.write_to_path(cert, append=part > 0)
        pair.private_key_pem.write_to_path(key)
        self.flags = ("--tls-cert", cert, "--tls-key", key)
        self.context = ssl.create_default_context(cafile=self.path)


class Relay:
    """The relay on ports of loopback that the system chose; stopped when the block ends."""

    def __init__(self, command, authority=None):
        """`command` is the path of the binary, and more flags for it. With an authority, everything
        is over TLS."""
        self.authority = authority
        tls = authority.flags if authority else ()
        listen = ("--listen", "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0")
        # Neither does the caller's environment configure the relay, nor its proxy the clients.
        for name in list(os.environ):
            if name == "RUST_LOG" or name.startswith("OTLP_RELAY_"):
                del os.environ[name]
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
        self.process = subprocess.Popen(
            [command[0], *listen, *tls, "--log-format", "json", *command[1:]],
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        for line in self.process.stderr:
            if found := re.search(r"https?://(127\.0\.0\.1:\d+)", line):
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

    def url(self, scheme, path):
        """The address of something; `scheme` is the one without TLS."""
        return f"{scheme}{'s' if self.authority else ''}://{self.address}{path}"

    async def post(self, signal, body, media_type="application/json"):
        """Sends an export, of OTLP JSON or of these bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body)
        answer = await asyncio.to_thread(
            requests.post,
            self.url("http", f"/v1/{signal}"),
            data=data,
            headers={"Content-Type": media_type},
            verify=self.authority.path if self.authority else True,
            timeout=WAIT,
        )
        assert answer.status_code == 200, (answer.status_code, answer.text)

    async def lost_by_slow(self):
        """How many publications slow sessions have lost so far, as `/metrics` says."""
        verify = self.authority.path if self.authority else True
        url = self.url("http", "/metrics")
        answer = await asyncio.to_thread(requests.get, url, verify=verify, timeout=WAIT)
        name = "otlp_relay_publications_dropped_total"
        lines = [line for line in answer.text.splitlines() if line.startswith(name)]
        slow = [line.rsplit(" ", 1)[1] for line in lines if 'cause="slow"' in line]
        assert slow, answer.text
        return sum(int(count) for count in slow)

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
