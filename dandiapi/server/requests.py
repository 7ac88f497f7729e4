"""Requests as WSGI (PEP 3333) has them."""

import re
import sys
from functools import lru_cache
from typing import IO, Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from httptools import parse_url

from .bodies import Body

# Content and pushes may be of any size: they are answered before they are whole, and only to known users.
STREAMED = re.compile(
    rb"^/git/(\d+/ds)?\d{6}(\.git)?/(git-receive-pack|annex/[^/?]+)(\?|$)"
    rb"|^/git-annex/[^/]+/v\d/put(\?|$)|^/uploads/"
)
# A client of git-annex that has content locked ends its request when it lets go, and goes by ten minutes anyway. Such a
# request is handed over after so many seconds, whole or not: docs/dialects/git.md#locks says why not at once.
UNENDING = re.compile(rb"^/git-annex/[^/]+/v\d/keeplocked(\?|$)")
UNENDING_SECONDS = 5.0
UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
# The characters that stay as they are in the first line; some clients send others there without quoting them.
ASCII = "".join(map(chr, range(0x80)))

_ALWAYS: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "archive",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.url_scheme": "http",
    "wsgi.version": (1, 0),
}


class Request:
    """A request of a client."""

    def __init__(self, body: Body) -> None:
        self.url = b""
        self.target = b""
        self.method = ""
        self.version = ""
        self.headers: dict[str, str] = {}
        self.has_head = False
        self.input: IO[bytes] | None = None
        self.keeps_alive = False
        self.body = body

    def add_header(self, name: bytes, value: bytes) -> None:
        """Add a header. Repeated ones are joined by commas; names that could pass for another are left out."""
        key = _key(name)
        if not key:
            return
        text = value.decode("latin-1")
        if key in self.headers:
            text = f"{self.headers[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        self.headers[key] = text

    def take_target(self) -> None:
        """Set path and query from the address, which proxies send whole. Raises HttpParserInvalidURLError."""
        if self.url.startswith((b"/", b"*")):
            self.target = self.url
            return
        parsed = parse_url(self.url)
        self.target = (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")

    def hand_over(self) -> None:
        """Let another thread read the body, whole or not."""
        self.input = self.body.handed_over()

    @property
    def is_handed_over(self) -> bool:
        """Return whether another thread reads the body."""
        return self.input is not None

    @property
    def announces_body(self) -> bool:
        """Return whether a body is to follow."""
        return self.announced > 0 or "HTTP_TRANSFER_ENCODING" in self.headers

    @property
    def expects_continue(self) -> bool:
        """Return whether the client waits for a 100 before it sends the body."""
        return self.version == "1.1" and self.headers.get("HTTP_EXPECT", "").lower() == "100-continue"

    @property
    def announced(self) -> int:
        """Return the announced length of the body."""
        return int(self.headers.get("CONTENT_LENGTH", "0"))

    @property
    def is_streamed(self) -> bool:
        """Return whether the body may be larger than what is spooled."""
        return STREAMED.match(self.target) is not None

    @property
    def is_unending(self) -> bool:
        """Return whether the request is answered before its body has ended."""
        return UNENDING.match(self.target) is not None

    def variables(self, server: tuple[str, int], client: tuple[str, int]) -> dict[str, Any]:
        """Return the variables that WSGI gives to the application."""
        path, _, query = self.target.partition(b"?")
        variables = {
            **_ALWAYS,
            **self.headers,
            "REQUEST_METHOD": self.method,
            "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
            "REMOTE_ADDR": client[0],
            "REMOTE_PORT": str(client[1]),
            "wsgi.input": self.input,
        }
        variables.pop("HTTP_TRANSFER_ENCODING", None)
        if self.body.is_whole and self.body.size:
            variables["CONTENT_LENGTH"] = str(self.body.size)
        return variables


def quoted_line(data: bytes) -> bytes:
    """Return the beginning of a request with what is not ASCII in its first line percent-encoded."""
    line, end, rest = data.partition(b"\r\n")
    return quote_from_bytes(line, safe=ASCII).encode() + end + rest


def without_upgrade(data: bytes) -> bytes:
    """Return the beginning of a request without `Upgrade`, for which the parser would skip the body."""
    head, end, rest = data.partition(b"\r\n\r\n")
    return UPGRADE.sub(b"\r\nX-Upgrade-Ignored:", head) + end + rest


# A small cache, since clients choose the names and their lengths.
@lru_cache(maxsize=128)
def _key(name: bytes) -> str:
    if b"_" in name:
        return ""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
