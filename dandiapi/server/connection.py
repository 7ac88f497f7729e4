"""The connection of a client: reading, sending, and deadlines."""

import socket
from collections import deque
from contextlib import suppress
from http import HTTPStatus
from selectors import EVENT_READ, EVENT_WRITE
from struct import pack
from threading import Condition
from typing import TYPE_CHECKING

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from .answers import plain_answer
from .bodies import Body, NoRoomError
from .pace import Pace
from .requests import UNENDING_SECONDS, Request, quoted_line, without_upgrade

if TYPE_CHECKING:
    from .worker import Worker

READ_SIZE = 2**16
MAX_HEAD = 2**16
# How many bytes of an answer are kept for a client that reads more slowly.
MAX_UNSENT = 2**20
# How long a client that was refused while sending has to read the answer.
LINGER_SECONDS = 5.0
# SO_LINGER: closing discards what has not been sent.
AT_ONCE = pack("ii", 1, 0)


class Connection:
    """A client's connection.

    The worker's main thread owns it. While a request is being answered, `is_busy`, another thread may `send`, and calls
    `finish` at the end. Only the owner closes the socket, and only when it is not busy, so that nobody ever writes into
    a file number that has become somebody else's.
    """

    def __init__(self, worker: "Worker", sock: socket.socket, client: tuple[str, int], server: tuple[str, int]) -> None:
        self.sock = sock
        self.client = client
        self.server = server
        self.is_busy = False
        self.mask = 0
        self.pace = Pace(worker.limits)
        self.pace.start()
        self._worker = worker
        self._parser = HttpRequestParser(self)
        self._request: Request | None = None
        self._received = 0
        self._waiting: deque[Request] = deque()
        self._unsent: deque[memoryview] = deque()
        self._unsent_size = 0
        self._is_ending = False
        self._has_last = False
        self._is_lingering = False
        self._is_broken = False
        self._has_ended = False
        self._changed = Condition()

    @property
    def is_stopping(self) -> bool:
        """Return whether the process is stopping, so that no further request is answered here."""
        return not self._worker.alive

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is lost by closing the connection."""
        return not (self.is_busy or self._request or self._waiting or self._unsent or self._is_lingering)

    # --- What comes ---------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read what has come."""
        try:
            data = self.sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            self.fail()
            return
        if not data:
            self._end_of_input()
        elif not (self._is_ending or self._has_last):
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        self._received += len(data)
        if (self._request is None or not self._request.url) and not data.isascii():
            data = quoted_line(data)
        if self._request is None and b"pgrade" in data:
            data = without_upgrade(data)
        # Data behind the last request of a connection is ignored, and no reason not to answer that.
        with suppress(HttpParserUpgrade):
            try:
                self._parser.feed_data(data)
            except HttpParserError as error:
                if not self._has_last:
                    self.refuse(HTTPStatus.BAD_REQUEST, f"This is not a valid request: {error.__context__ or error}")
        if self._request and self._received > MAX_HEAD:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Headers have at most {MAX_HEAD} bytes.")
        self.watch()

    def _end_of_input(self) -> None:
        self._has_ended = True
        if self._request:
            self._is_ending = True
            self._drop_requests()
        if self.is_busy or self._unsent or self._waiting:
            self.watch()
        else:
            self.close()

    # --- What httptools calls -----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._is_ending:
            return
        self._received = 0
        request = Request(Body(self._worker.spools, lambda: self._worker.call(self._take_more)))
        # The thread of the previous answer may be setting the deadline for the next request.
        with self._changed:
            self._request = request
            if not self.is_busy:
                self.pace.wait(self._worker.limits.patience)

    def on_url(self, url: bytes) -> None:
        """Add a piece of the request's address."""
        if self._request:
            self._request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header to the request; trailers are ignored."""
        if self._request and not self._request.has_head:
            self._request.add_header(name, value)

    def on_headers_complete(self) -> None:
        """Decide, now that the headers are complete, whether to refuse the request or wait for its body."""
        request = self._request
        if request is None:
            return
        request.has_head = True
        request.method = self._parser.get_method().decode()
        request.version = self._parser.get_http_version()
        request.keeps_alive = self._parser.should_keep_alive() and not self._parser.should_upgrade()
        request.take_target()
        if self._parser.should_upgrade() and request.announces_body:
            # The parser would skip the body; most Upgrade headers are removed before it sees them.
            self.refuse(HTTPStatus.BAD_REQUEST, "Upgrade is taken in a request without a body only.")
        elif self._is_too_large(request, request.announced):
            self._refuse_size()
        elif not self.is_busy:
            self._wait_for_body(request)

    def on_body(self, data: bytes) -> None:
        """Add a piece of the request's body."""
        request = self._request
        if request is None:
            return
        self._received = 0
        try:
            request.body.add(data)
        except (NoRoomError, OSError):
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "The server is busy; please try again.", "Retry-After: 2")
            return
        if request.body.is_full:
            self._wait_for_nothing()
        elif not request.is_unending:
            self.pace.count(len(data))
        if self._is_too_large(request, request.body.size):
            self._refuse_size()
        elif request.body.size > self._worker.limits.spool and self._is_free:
            self._hand_over(request)

    def on_message_complete(self) -> None:
        """End a request, and have it answered now or after those before it."""
        request, self._request = self._request, None
        if request is None:
            return
        request.body.end()
        self._has_last = not request.keeps_alive
        if request.is_handed_over:
            self._wait_for_nothing()
            return
        with self._changed:
            is_next = self._is_free
            if not is_next:
                self._waiting.append(request)
        if is_next:
            self._hand_over(request)

    @property
    def _is_free(self) -> bool:
        """Return whether the request that comes now is the next to be answered."""
        return not (self.is_busy or self._unsent or self._waiting or self._is_ending)

    def _is_too_large(self, request: Request, size: int) -> bool:
        return size > self._worker.limits.spool and not request.is_streamed

    def _refuse_size(self) -> None:
        limit = self._worker.limits.spool
        self.refuse(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request may have at most {limit} bytes; send less at a time."
        )

    # --- From one state to another ------------------------------------------------------------------------------------

    def _wait_for_body(self, request: Request) -> None:
        if request.is_unending:
            self.pace.wait(UNENDING_SECONDS)
        else:
            self.pace.start(self._worker.limits.seconds)
        if request.expects_continue:
            self._say(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _hand_over(self, request: Request) -> None:
        """Have a thread answer the request."""
        self.is_busy = True
        request.hand_over()
        if request.body.is_whole:
            self.pace.stop()
        else:
            self.pace.start()
        if not self._worker.submit(self, request):
            self.is_busy = False
            request.body.close()
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "The server is busy; please try again.", "Retry-After: 2")

    def _take_more(self) -> None:
        """Read on, after the other thread has read what had come."""
        if self._request and self._request.is_handed_over and not self._request.body.is_full:
            self.pace.start()
        self.watch()

    def _wait_for_nothing(self) -> None:
        """Stop the clock while nothing is to come, unless the client does not take what is sent."""
        with self._changed:
            if not self._unsent:
                self.pace.stop()

    def finish(self, request: Request, *, keeps: bool) -> None:
        """End an answer; called by the thread that gave it."""
        request.body.close()
        with self._changed:
            self.is_busy = False
            self._is_ending |= not keeps
            is_quiet = not (
                self._is_ending or self._has_ended or self._is_broken or self._request or self._waiting or self._unsent
            )
            if is_quiet:
                self.pace.wait(self._worker.cfg.keepalive)
        if not is_quiet:
            self._worker.call(self._go_on)

    def _go_on(self) -> None:
        """Continue after an answer: close, linger, or answer the next request."""
        if self.is_busy:
            return
        if self._is_broken:
            self.close()
        elif self._unsent:
            self.watch()
        elif self._is_ending:
            self._linger()
        elif self._waiting:
            self._hand_over(self._waiting.popleft())
            self.watch()
        elif self._has_ended:
            self.close()
        elif self._request:
            self._wait_for_body(self._request)
            self.watch()
        else:
            self.pace.wait(self._worker.cfg.keepalive)
            self.watch()

    def refuse(self, status: HTTPStatus, words: str, *headers: str) -> None:
        """Answer without the application, and end the connection."""
        self._drop_requests()
        self._is_ending = True
        if not self.is_busy and not self._is_lingering:
            self._say(plain_answer(status, words, *headers))
            self._go_on()

    def late(self) -> None:
        """Handle the end of patience: close, refuse, or answer what has come."""
        request = self._request
        if self._unsent or self._is_lingering:
            self.fail()
        elif self.is_busy:
            self.pace.stop()
            self._is_ending = True
            self._drop_requests()
        elif request is None:
            self.close()
        elif request.has_head and request.is_unending:
            request.body.end()
            request.keeps_alive = False
            self._hand_over(request)
        else:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, "The request has not come in time.")

    def fail(self) -> None:
        """Break the connection off."""
        with self._changed:
            self._is_broken = True
            self._unsent.clear()
            self._unsent_size = 0
            self._changed.notify_all()
        self._drop_requests()
        with suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        if self.is_busy:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)
            self.watch()
        else:
            self.close()

    def close(self) -> None:
        """Close the connection at once."""
        self._drop_requests()
        self._worker.forget(self)
        self.sock.close()

    def _drop_requests(self) -> None:
        """Drop the requests that are not being answered yet; a thread that reads one gets an error."""
        if self._request and self._request.is_handed_over:
            self._request.body.end("The client has gone, or sends nothing any more.")
        elif self._request:
            self._request.body.close()
        self._request = None
        for request in self._waiting:
            request.body.close()
        self._waiting.clear()

    def _linger(self) -> None:
        """Stop sending, but leave a client that still sends time to read: closing at once would discard the answer."""
        self._drop_requests()
        if self._has_ended:
            self.close()
            return
        self._is_lingering = True
        self.pace.wait(LINGER_SECONDS)
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.watch()

    def watch(self) -> None:
        """Tell the worker which events of the socket to watch for."""
        mask = 0
        if not self._is_broken:
            mask = (EVENT_READ if self._may_read() else 0) | (EVENT_WRITE if self._unsent else 0)
        self._worker.watch(self, mask)

    def _may_read(self) -> bool:
        if self._has_ended:
            return False
        request = self._request
        if not self.is_busy:
            return not self._unsent or self._is_lingering
        if request is None:
            return not self._waiting
        return request.is_handed_over and not request.body.is_full

    # --- What goes ----------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send, or keep what the client does not take yet. Raises ConnectionError when the client is gone."""
        with self._changed:
            if self._is_broken:
                raise ConnectionError("The client is gone.")
            sent = 0 if self._unsent else self._send_some(memoryview(data))
            if sent == len(data):
                return
            is_first = not self._unsent
            if is_first:
                self.pace.start()
            self._unsent.append(memoryview(data)[sent:])
            self._unsent_size += len(data) - sent
        if is_first:
            self._worker.call(self.watch)

    def wait_for_room(self) -> None:
        """Wait until the client has taken most of what was kept. Raises ConnectionError when it is gone."""
        with self._changed:
            while self._unsent_size > MAX_UNSENT:
                self._changed.wait()
            if self._is_broken:
                raise ConnectionError("The client is gone.")

    def flush(self) -> None:
        """Send what was kept."""
        try:
            with self._changed:
                while self._unsent and (sent := self._send_some(self._unsent[0])):
                    self.pace.count(sent)
                    self._unsent_size -= sent
                    self._unsent[0] = self._unsent[0][sent:]
                    if not self._unsent[0]:
                        self._unsent.popleft()
                is_sent = not self._unsent
                if is_sent:
                    self.pace.stop()
                self._changed.notify_all()
        except ConnectionError:
            self.fail()
            return
        if is_sent:
            self._take_more()
            self._go_on()

    def _say(self, data: bytes) -> None:
        with suppress(ConnectionError):
            self.send(data)

    def _send_some(self, data: memoryview) -> int:
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._is_broken = True
            raise ConnectionError("The client is gone.") from error
