"""An application that answers with what it was asked, to be served in tests."""

import json
from collections.abc import Callable, Iterable, Iterator
from threading import BoundedSemaphore
from typing import Any

Environ = dict[str, Any]

BIG = b"x" * 2**25
_places = BoundedSemaphore(2)


def application(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/endless":
        return _endless(start)
    if path == "/fails":
        raise RuntimeError("It fails.")
    if path == "/breaks":
        start("200 OK", [])
        return _breaking()
    body = b"" if environ["QUERY_STRING"].endswith("unread") else environ["wsgi.input"].read()
    if path == "/big":
        start("200 OK", [])
        return [BIG]
    if path == "/chunks":
        start("200 OK", [])
        return (chunk for chunk in (b"one", b"", b"two"))
    if path == "/nothing":
        start("204 No Content", [])
        return []
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


def _breaking() -> Iterator[bytes]:
    yield b"one"
    raise RuntimeError("It breaks.")
