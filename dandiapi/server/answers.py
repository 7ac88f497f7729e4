"""Answering one request: what a WSGI application says, as HTTP has it."""

import logging
from collections.abc import Callable, Iterable
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
    """Status and headers of an answer: what WSGI calls `start_response`."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        self.status = status
        self.headers = headers

    def has(self, name: str) -> bool:
        return any(key.lower() == name for key, _ in self.headers)

    def encoded(self, *more: str) -> bytes:
        lines = [f"HTTP/1.1 {self.status}", *(f"{key}: {value}" for key, value in self.headers), *more]
        return "\r\n".join([*lines, f"Date: {_date(int(time()))}", "", ""]).encode("latin-1")


def answer(application: Application, variables: dict[str, Any], request: Request, connection: "Connection") -> bool:
    """Answer the request; returns whether the connection can go on."""
    head = _Head()
    try:
        result = application(variables, head)
    except Exception:
        logger.exception("The application failed")
        connection.send(plain_answer(HTTPStatus.INTERNAL_SERVER_ERROR, "A fault of ours."))
        return False
    try:
        return _send(head, result, request, connection)
    except ConnectionError:
        return False
    except Exception:
        logger.exception("An answer broke off")
        return False
    finally:
        _close(result)


def _close(result: Iterable[bytes]) -> None:
    close = getattr(result, "close", None)
    if close:
        close()


def plain_answer(status: HTTPStatus, words: str, *headers: str) -> bytes:
    """An answer of the server itself, after which the connection ends."""
    body = f"{words}\n".encode()
    head = _Head()
    head(f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")])
    return head.encoded(*headers, f"Content-Length: {len(body)}", "Connection: close") + body


def _send(head: _Head, result: Iterable[bytes], request: Request, connection: "Connection") -> bool:
    keeps = request.keeps_alive and request.body.is_whole and not connection.is_stopping
    has_end = head.has("content-length") or head.status[:3] in BODILESS
    has_body = request.method != "HEAD" and head.status[:3] not in BODILESS
    if not getattr(result, "streaming", not isinstance(result, list)):
        body = b"".join(result)
        length = [] if has_end else [f"Content-Length: {len(body)}"]
        connection.send(head.encoded(*length, *_of_connection(request, keeps)) + (body if has_body else b""))
        return keeps
    is_chunked = not has_end and request.version == "1.1"
    keeps = keeps and (has_end or is_chunked)
    coding = ["Transfer-Encoding: chunked"] if is_chunked else []
    connection.send(head.encoded(*coding, *_of_connection(request, keeps)))
    if has_body:
        _stream(result, connection, is_chunked=is_chunked)
    return keeps


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
