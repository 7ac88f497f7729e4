"""An application that answers with what it was asked, to be served in tests."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from threading import BoundedSemaphore
from typing import Any, cast

Environ = dict[str, Any]

BIG = b"x" * 2**25
_places = BoundedSemaphore(2)


def application(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
    name, _, size = environ["PATH_INFO"].removeprefix("/").partition("/")
    if name == "endless":
        return _endless(start)
    if name == "fails":
        raise RuntimeError("It fails.")
    if name == "says":
        return _saying(start, size)
    if name == "sleeps":
        time.sleep(0.3)
    body = b"" if environ["QUERY_STRING"].endswith("unread") else environ["wsgi.input"].read()
    if name in _ANSWERS:
        status, headers, make = _ANSWERS[name]
        start(status, headers)
        return make()
    told = {key: value for key, value in environ.items() if isinstance(value, str)} | {"body": body.decode("latin-1")}
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


def _endless(start: Callable[..., Any]) -> Iterable[bytes]:
    """As long an answer as somebody reads, from one of two places; 503 where both are taken."""
    if not _places.acquire(blocking=False):
        start("503 Service Unavailable", [])
        return []
    start("200 OK", [])
    return _Endless()


class _Endless:
    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b"x" * 2**16

    def close(self) -> None:
        _places.release()


def _saying(start: Callable[..., Any], size: str) -> Iterable[bytes]:
    """An answer of six bytes that is said to be of another size."""
    start("200 OK", [("Content-Length", size)])
    return iter([b"one", b"two"])


def _breaking() -> Iterator[bytes]:
    yield b"one"
    raise RuntimeError("It breaks.")


# Status, headers and body of answers that are always the same.
_ANSWERS: dict[str, tuple[str, list[tuple[str, str]], Callable[[], Iterable[bytes]]]] = {
    "big": ("200 OK", [], lambda: [BIG]),
    "breaks": ("200 OK", [], _breaking),
    "chunks": ("200 OK", [], lambda: iter([b"one", b"", b"two"])),
    "injects": ("302 Found", [("Location", "/\r\nSet-Cookie: a=b")], list),
    "late-fault": ("200 OK", [], lambda: [b"one", cast("bytes", None)]),
    "nothing": ("204 No Content", [], list),
}
