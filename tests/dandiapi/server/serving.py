"""A real server of `web` in a process of its own, and clients that say every byte themselves."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

READY_SECONDS = 60.0
SECONDS = 10.0
# How patient the server under test is; no test waits much longer.
PATIENCE = 1.5


class Server:
    """A server of an application, on a port of its own; it may have so many `files` open, of so many `blocks`."""

    def __init__(self, application: str, *, files: int = 4096, blocks: str = "unlimited", **environment: str) -> None:
        self.port = _free_port()
        self.process = subprocess.Popen(
            [
                *("sh", "-c", f'ulimit -n {files} && ulimit -f {blocks} && exec "$@"', "sh"),
                *(sys.executable, "-m", "gunicorn", "--config", "python:dandiapi.server.options"),
                *("--bind", f"127.0.0.1:{self.port}", "--workers", "1", "--log-level", "warning", application),
            ],
            env={**os.environ, "REQUEST_PATIENCE": str(PATIENCE), **environment},
        )

    def wait_until_ready(self, path: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError):
                self.get(path)
                return
            time.sleep(0.1)
        raise RuntimeError("The server does not answer.")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def connect(self, sent: bytes = b"") -> socket.socket:
        """A connection on which so much has been sent."""
        sock = socket.create_connection(("127.0.0.1", self.port), SECONDS)
        sock.sendall(sent)
        return sock

    def exchange(self, sent: bytes) -> bytes:
        """All that is answered, until the server ends the connection."""
        with self.connect(sent) as sock:
            return rest_of(sock)

    def get(self, path: str) -> bytes:
        """The answer to a request that is like others."""
        return self.exchange(request("GET", path, Connection="close"))

    def status(self, path: str) -> int:
        return status_of(self.get(path))

    @contextmanager
    def connections(self, sent: list[bytes]) -> Iterator[list[socket.socket]]:
        """One connection for each thing to send."""
        sockets: list[socket.socket] = []
        try:
            sockets.extend(self.connect(each) for each in sent)
            yield sockets
        finally:
            for sock in sockets:
                sock.close()


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request, or as much of its body as is given."""
    named: Mapping[str, str] = {"Host": "127.0.0.1", **{name.replace("_", "-"): headers[name] for name in headers}}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def rest_of(sock: socket.socket) -> bytes:
    """What comes until the end; what came, if it is no clean end."""
    chunks = []
    with suppress(ConnectionError):
        while chunk := sock.recv(2**16):
            chunks.append(chunk)
    return b"".join(chunks)


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
