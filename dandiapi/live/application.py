"""The ASGI application of the `live` process: who may open which stream, and how it is kept open."""

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from django.conf import settings

from archive.accounts.policy import Actor
from archive.errors import ArchiveError, NotFoundError, UnauthenticatedError
from dandiapi.bounds import ADDRESS_TOO_LONG, HEADERS_TOO_LARGE, MAX_ADDRESS, MAX_HEADERS
from dandiapi.clients import address_of
from dandiapi.credentials import actor_of
from dandiapi.errors import as_domain_error, headers_of, status_of
from dandiapi.limits import is_admitted, seconds_to_wait
from dandiapi.live.news import Subscriptions
from dandiapi.live.sources import DatasetSource, Event, JobSource, Source, request_from
from dandiapi.live.threads import in_thread

logger = logging.getLogger(__name__)

# The details of errors without a message.
DETAILS = {
    NotFoundError: "Not found.",
    UnauthenticatedError: "Authentication credentials were not provided.",
}

Scope = dict[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JOB = re.compile(r"/events/jobs/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?")
DATASET = re.compile(r"/events/dandisets/([0-9]{6})/?")
HEALTH = "/events/"
# News that come faster than this are sent together.
PAUSE_SECONDS = 0.2
# Streams end after so long, and clients reconnect and authenticate again, so that a revoked token stops working.
STREAM_SECONDS = 15 * 60
STREAMS_IN_ALL = 2000
RETRY_SECONDS = 5
STREAM_HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class _RefusedError(Exception):
    """An answer to a request that opens no stream."""

    def __init__(self, status: int, body: object, headers: Headers | None = None) -> None:
        self.status = status
        self.body = body
        self.headers = headers or []


class Live:
    """The application: streams of server-sent events, each limited to what its reader may see at the time."""

    def __init__(self) -> None:
        self._subscriptions = Subscriptions()
        self._streams: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await self._live_and_die(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live_and_die(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await self._subscriptions.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _check_size(scope)
            _check_method(scope)
            actor, client = await in_thread(partial(_asker, scope))
            source = _source(scope, actor)
            with self._counted(client):
                await self._stream(scope, receive, send, source)
        except _RefusedError as refusal:
            await _reply(scope, send, refusal)
        except Exception as error:
            await _reply(scope, send, _refusal(error))

    @contextmanager
    def _counted(self, client: str) -> Iterator[None]:
        """Count a stream of the client while it is open; _RefusedError if the client has too many."""
        if self._streams[client] >= settings.LIVE_STREAMS_PER_CLIENT or self._streams.total() >= STREAMS_IN_ALL:
            wait: Headers = [(b"retry-after", str(RETRY_SECONDS).encode())]
            raise _RefusedError(HTTPStatus.TOO_MANY_REQUESTS, {"detail": "You have too many streams open."}, wait)
        self._streams[client] += 1
        try:
            yield
        finally:
            self._streams[client] -= 1
            self._streams += Counter()  # forgets those who have none

    async def _stream(self, scope: Scope, receive: Receive, send: Send, source: Source) -> None:
        with self._subscriptions.waiting_for(source.topic) as woken:
            events = await in_thread(source.read)
            if source.is_over and not events:
                # By the standard of EventSource, a 204 tells clients not to reconnect.
                raise _RefusedError(HTTPStatus.NO_CONTENT, None)
            await send({"type": "http.response.start", "status": 200, "headers": [*STREAM_HEADERS, *_cors(scope)]})
            await _write(send, f"retry: {RETRY_SECONDS * 1000}\n\n".encode())
            gone = asyncio.create_task(_disconnected(receive))
            try:
                await _tell(send, source, events, woken, gone)
            finally:
                gone.cancel()
            with suppress(OSError):
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _tell(
    send: Send, source: Source, events: list[Event], woken: asyncio.Event, gone: "asyncio.Task[None]"
) -> None:
    """Send the events there are, and then those that come, until the stream is over, too old, or the client is gone."""
    until = time.monotonic() + STREAM_SECONDS
    while True:
        await _write(send, b"".join(event.encoded() for event in events) or b": still here\n\n")
        if source.is_over or gone.done() or time.monotonic() > until:
            return
        if not events:
            await _wake(woken, gone)
        if gone.done():
            return
        try:
            events = await in_thread(source.read)
        except Exception as error:
            # The response has begun, so its status cannot change; the client reconnects, and gets the error then.
            logger.info("A stream ends: %s", error)
            return


async def _wake(woken: asyncio.Event, gone: "asyncio.Task[None]") -> None:
    """Wait for news, for the client to leave, or for the time of a heartbeat."""
    news = asyncio.create_task(woken.wait())
    await asyncio.wait({news, gone}, timeout=settings.LIVE_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    news.cancel()
    if woken.is_set():
        await asyncio.sleep(PAUSE_SECONDS)
        woken.clear()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _asker(scope: Scope) -> tuple[Actor, str]:
    """Return who is asking, and whose streams are counted; _RefusedError if they have asked too often."""
    request = request_from(scope)
    if not is_admitted(request):
        wait: Headers = [(b"retry-after", str(seconds_to_wait()).encode())]
        raise _RefusedError(HTTPStatus.TOO_MANY_REQUESTS, {"detail": "Too many requests."}, wait)
    actor = actor_of(request)
    return actor, str(actor.user_id or address_of(request))


def _source(scope: Scope, actor: Actor) -> Source:
    last_id = _header(scope, b"last-event-id")
    path: str = scope["path"]
    if found := JOB.fullmatch(path):
        return JobSource(actor, UUID(found[1]), last_id)
    if found := DATASET.fullmatch(path):
        return DatasetSource(actor, int(found[1]), last_id)
    raise NotFoundError


def _check_size(scope: Scope) -> None:
    if len(scope["path"]) + len(scope["query_string"]) > MAX_ADDRESS:
        raise _RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, {"detail": ADDRESS_TOO_LONG})
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
        raise _RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, {"detail": HEADERS_TOO_LARGE})


def _check_method(scope: Scope) -> None:
    if scope["method"] == "OPTIONS":
        allowed: Headers = [
            (b"access-control-allow-methods", b"GET"),
            (b"access-control-allow-headers", b"authorization, last-event-id"),
            (b"access-control-max-age", b"86400"),
        ]
        raise _RefusedError(HTTPStatus.NO_CONTENT, None, allowed)
    if scope["method"] != "GET":
        message = f'Method "{scope["method"]}" not allowed.'
        raise _RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, {"detail": message}, [(b"allow", b"GET, OPTIONS")])
    if scope["path"] == HEALTH:
        raise _RefusedError(HTTPStatus.OK, {"status": "alive"})


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), "")


def _cors(scope: Scope) -> Headers:
    """Return the headers for pages of other origins: any may read by a token, only our own pages by a cookie."""
    origin = _header(scope, b"origin")
    if not origin:
        return []
    ours = urlsplit(settings.ARCHIVE_URL)
    if origin == f"{ours.scheme}://{ours.netloc}":
        return [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
            (b"vary", b"origin"),
        ]
    return [(b"access-control-allow-origin", b"*"), (b"vary", b"origin")]


def _refusal(error: Exception) -> _RefusedError:
    """Return the answer of the other faces to the error (`dandiapi.errors`); a 500 for any other error."""
    error = as_domain_error(error)
    if isinstance(error, ArchiveError):
        headers: Headers = [(name.lower().encode(), value.encode()) for name, value in headers_of(error).items()]
        detail = error.message or DETAILS.get(type(error), "You may not do this.")
        return _RefusedError(status_of(error), {"detail": detail}, headers)
    logger.error("A stream failed", exc_info=error)
    return _RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, {"detail": "The server failed to answer."})


async def _reply(scope: Scope, send: Send, refusal: _RefusedError) -> None:
    body = b"" if refusal.body is None else orjson.dumps(refusal.body)
    kind: Headers = [(b"content-type", b"application/json")] if body else []
    headers = [*kind, (b"cache-control", b"no-store"), *refusal.headers, *_cors(scope)]
    await send({"type": "http.response.start", "status": int(refusal.status), "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
