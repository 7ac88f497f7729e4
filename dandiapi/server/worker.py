"""The process that speaks with clients; gunicorn starts, watches and stops as many of them as it is told."""

import logging
import os
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from selectors import EVENT_READ, DefaultSelector
from threading import Thread
from time import monotonic, sleep

from gunicorn.workers.base import Worker as BaseWorker

from .answers import answer
from .bodies import Spools
from .connection import Connection
from .files import allow_files
from .limits import Limits
from .requests import Request

logger = logging.getLogger(__name__)

TURN_SECONDS = 1.0
ACCEPT_PAUSE_SECONDS = 0.01
# How many whole requests may wait for a thread.
MAX_QUEUE = 256
# How many open files are reserved for others than clients.
OTHER_FILES = 256
# How much unsent data the kernel buffers: little, so that the pace of the client can be seen.
UNSENT_IN_SYSTEM = 2**16


class Worker(BaseWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker with one thread for all clients, and `--threads` for the requests that have come."""

    def run(self) -> None:
        """Serve until told to stop, and then finish what has begun."""
        self.limits = Limits.of_settings()
        self.spools = Spools(self.limits.spools)
        self._connections: set[Connection] = set()
        self._most_connections = allow_files() - OTHER_FILES
        self._calls: deque[Callable[[], None]] = deque()
        self._queue: SimpleQueue[tuple[Connection, Request]] = SimpleQueue()
        self._selector = DefaultSelector()
        self._next_look = 0.0
        self._selector.register(self.PIPE[0], EVENT_READ, self._wake)
        for listener in self.sockets:
            Thread(target=self._accept, args=(listener.sock,), name="accept", daemon=True).start()
        for number in range(self.cfg.threads):
            Thread(target=self._answer, name=f"web-{number}", daemon=True).start()
        while self.alive and self.ppid == os.getppid():
            self._turn()
        self._stop()

    def _stop(self) -> None:
        until = monotonic() + self.cfg.graceful_timeout
        while self._connections and monotonic() < until:
            for connection in [each for each in self._connections if each.is_idle]:
                connection.close()
            self._turn()

    def _turn(self) -> None:
        for key, mask in self._selector.select(TURN_SECONDS):
            if not isinstance(key.data, Connection):
                key.data()
            elif key.data in self._connections:
                _serve(key.data, mask)
        for _ in range(len(self._calls)):
            self._calls.popleft()()
        if monotonic() > self._next_look:
            self._next_look = monotonic() + TURN_SECONDS
            self.notify()
            self._end_the_late()

    def _accept(self, listener: socket.socket) -> None:
        """Take connections, in a thread of its own.

        Of processes that wait in `accept`, the system takes each in turn; of those that look at the listener together
        with their clients, whichever is awake: one of two then had seven of eight clients.
        """
        listener.setblocking(True)  # noqa: FBT003 - it has no name
        server = listener.getsockname()[:2]
        while self.alive:
            try:
                sock, client = listener.accept()
            except OSError:
                # The client is gone already, or no more files can be opened.
                sleep(ACCEPT_PAUSE_SECONDS)
            else:
                self.call(partial(self._welcome, sock, client[:2], server))

    def _welcome(self, sock: socket.socket, client: tuple[str, int], server: tuple[str, int]) -> None:
        sock.setblocking(False)  # noqa: FBT003 - it has no name
        # macOS refuses options for a client that is gone already; reading from it says so.
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_IN_SYSTEM)
        self._make_room()
        connection = Connection(self, sock, client, server)
        self._connections.add(connection)
        connection.watch()

    def _make_room(self) -> None:
        """Close the connection whose deadline is nearest when there are too many."""
        if len(self._connections) >= self._most_connections:
            free = [each for each in self._connections if not each.is_busy]
            if free:
                min(free, key=lambda each: each.pace.deadline).close()

    def _end_the_late(self) -> None:
        now = monotonic()
        for connection in [each for each in self._connections if each.pace.deadline < now]:
            connection.late()

    def _wake(self) -> None:
        with suppress(BlockingIOError):
            os.read(self.PIPE[0], 4096)

    # --- For connections ----------------------------------------------------------------------------------------------

    def call(self, function: Callable[[], None]) -> None:
        """Have the thread that speaks with clients call a function; for other threads."""
        self._calls.append(function)
        with suppress(BlockingIOError):
            os.write(self.PIPE[1], b"\0")

    def submit(self, connection: Connection, request: Request) -> bool:
        """Have a thread answer the request, and return whether one will."""
        if self._queue.qsize() >= MAX_QUEUE:
            return False
        self._queue.put((connection, request))
        return True

    def watch(self, connection: Connection, mask: int) -> None:
        """Watch a connection for these events or, with 0, for none."""
        if mask == connection.mask or connection not in self._connections:
            return
        if not mask:
            self._selector.unregister(connection.sock)
        elif not connection.mask:
            self._selector.register(connection.sock, mask, connection)
        else:
            self._selector.modify(connection.sock, mask, connection)
        connection.mask = mask

    def forget(self, connection: Connection) -> None:
        """Forget a connection."""
        self.watch(connection, 0)
        self._connections.discard(connection)

    # --- Threads ------------------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        while True:
            connection, request = self._queue.get()
            keeps = False
            try:
                variables = request.variables(connection.server, connection.client)
                keeps = answer(self.wsgi, variables, request, connection)
            except Exception:
                logger.exception("A request could not be answered")
            connection.finish(request, keeps=keeps)


def _serve(connection: Connection, mask: int) -> None:
    if mask & EVENT_READ:
        connection.read()
    else:
        connection.flush()
