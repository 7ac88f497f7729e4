"""HTTP/1.1 over a socket, with as little work as possible: the load generator shares its processors with the server."""

import socket
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple
from urllib.parse import SplitResult, urlsplit


class Reply(NamedTuple):
    """An answer; names of headers are in lower case."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Connection:
    """A connection to one server, kept open from request to request."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        address = urlsplit(url)
        self._address = (str(address.hostname), address.port or 80)
        lines = {"Host": address.netloc, "Connection": "keep-alive"} | dict(headers or {})
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()
        self._socket: socket.socket | None = None
        self._reader: BinaryIO | None = None

    def exchange(self, verb: str, target: str, body: bytes = b"", content_type: str = "") -> Reply:
        """Sends a request for a path (with its query) and waits for the answer."""
        request = self._request(verb, target, body, content_type)
        try:
            return self._send(request)
        except ConnectionError:
            # Servers close connections that were idle or have served long enough.
            self.close()
            return self._send(request)

    def close(self) -> None:
        """Closes it; the next request opens it again."""
        for stream in (self._reader, self._socket):
            if stream:
                stream.close()
        self._socket = self._reader = None

    def _request(self, verb: str, target: str, body: bytes, content_type: str) -> bytes:
        length = f"Content-Length: {len(body)}\r\n" if verb in ("POST", "PUT") else ""
        kind = f"Content-Type: {content_type}\r\n" if content_type else ""
        return f"{verb} {target} HTTP/1.1\r\n{length}{kind}".encode() + self._headers + b"\r\n" + body

    def _send(self, request: bytes) -> Reply:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=120)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._reader = self._socket.makefile("rb")
        assert self._reader
        self._socket.sendall(request)
        reply = _read_reply(self._reader)
        if reply.headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return reply


def target_of(url: str) -> str:
    """The part of a URL that is sent to its server."""
    address: SplitResult = urlsplit(url)
    return f"{address.path}?{address.query}" if address.query else address.path


def _read_reply(reader: BinaryIO) -> Reply:
    status_line = reader.readline()
    if not status_line:
        raise ConnectionResetError
    status = int(status_line.split(None, 2)[1])
    headers: dict[bytes, bytes] = {}
    while (line := reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    return Reply(status, headers, _read_body(reader, status, headers))


def _read_body(reader: BinaryIO, status: int, headers: dict[bytes, bytes]) -> bytes:
    if b"content-length" in headers:
        return reader.read(int(headers[b"content-length"]))
    if headers.get(b"transfer-encoding") == b"chunked":
        return _read_chunks(reader)
    return b"" if status in (204, 304) else reader.read()


def _read_chunks(reader: BinaryIO) -> bytes:
    chunks = []
    while size := int(reader.readline().split(b";")[0], 16):
        chunks.append(reader.read(size))
        reader.readline()
    reader.readline()
    return b"".join(chunks)
