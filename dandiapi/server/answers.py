"""Answering one request: what a WSGI application says, as HTTP has it."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING, Any

from .requests import Request

if TYPE_CHECKING:
    from .connection import Connection

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

logger = logging.getLogger(__name__)

BODILESS = {"204", "304"}


class _Head:
    """The status and headers of an answer; WSGI calls it as `start_response`."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.is_said = False

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        self.status = status
        self.headers = headers

    @property
    def length(self) -> int | None:
        """Return the announced length of the body, or None."""
        return next((int(value) for key, value in self.headers if key.lower() == "content-length"), None)

    def encoded(self, *more: str) -> bytes:
        lines = [f"HTTP/1.1 {self.status}", *(f"{key}: {value}" for key, value in self.headers), *more]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("A header of an answer has more than one line.")
        encoded = "\r\n".join([*lines, f"Date: {_date(int(time()))}", "", ""]).encode("latin-1")
        self.is_said = True
        return encoded


def answer(application: Application, variables: dict[str, Any], request: Request, connection: "Connection") -> bool:
    """Answer the request, and return whether the connection can be used again."""
    head = _Head()
    try:
        result = application(variables, head)
        try:
            return _send(head, result, request, connection)
        finally:
            _close(result)
    except Exception as error:
        if not (head.is_said and isinstance(error, ConnectionError)):
            logger.exception("The application failed")
        if not head.is_said:
            _say_fault(connection)
        return False


def _say_fault(connection: "Connection") -> None:
    with suppress(ConnectionError):
        connection.send(plain_answer(HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed to answer."))


def _close(result: Iterable[bytes]) -> None:
    close = getattr(result, "close", None)
    if close:
        close()


def plain_answer(status: HTTPStatus, words: str, *headers: str) -> bytes:
    """Return an answer of the server itself, after which the connection is closed."""
    body = f"{words}\n".encode()
    head = _Head()
    head(f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")])
    return head.encoded(*headers, f"Content-Length: {len(body)}", "Connection: close") + body


def _send(head: _Head, result: Iterable[bytes], request: Request, connection: "Connection") -> bool:
    keeps = request.keeps_alive and request.body.is_whole and not connection.is_stopping
    length = head.length
    has_end = length is not None or head.status[:3] in BODILESS
    has_body = request.method != "HEAD" and head.status[:3] not in BODILESS
    chunks = _measured(result, length) if has_body and length is not None else result
    if not getattr(result, "streaming", not isinstance(result, list)):
        body = b"".join(chunks)
        measure = [] if has_end else [f"Content-Length: {len(body)}"]
        connection.send(head.encoded(*measure, *_of_connection(request, keeps)) + (body if has_body else b""))
        return keeps
    is_chunked = not has_end and request.version == "1.1"
    keeps = keeps and (has_end or is_chunked)
    coding = ["Transfer-Encoding: chunked"] if is_chunked else []
    connection.send(head.encoded(*coding, *_of_connection(request, keeps)))
    if has_body:
        _stream(chunks, connection, is_chunked=is_chunked)
    return keeps


def _measured(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the chunks; ValueError if they are not as long as announced, which would garble the next answer."""
    left = size
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise ValueError(f"An answer is longer than the {size} bytes it says.")
        yield chunk
    if left:
        raise ValueError(f"An answer is {left} bytes shorter than the {size} it says.")


def _stream(chunks: Iterable[bytes], connection: "Connection", *, is_chunked: bool) -> None:
    for chunk in chunks:
        if not chunk:
            continue
        connection.send(b"%x\r\n%b\r\n" % (len(chunk), chunk) if is_chunked else chunk)
        connection.wait_for_room()
    if is_chunked:
        connection.send(b"0\r\n\r\n")


def _of_connection(request: Request, keeps: bool) -> list[str]:
    if not keeps:
        return ["Connection: close"]
    return ["Connection: keep-alive"] if request.version == "1.0" else []


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
