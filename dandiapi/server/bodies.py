"""The bodies of requests: spooled until they are whole, or read as they come if they are too large for that."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader, BytesIO, RawIOBase
from tempfile import TemporaryFile
from threading import Condition, Lock
from typing import IO, Any, cast

# How many bytes of a body are kept in memory, whether it is spooled or read as it comes.
IN_MEMORY = 2**18


class NoRoomError(Exception):
    """An error for when all spools together are as large as they may be."""


class Spools:
    """The space on disk for the bodies of all requests, and how much of it is left."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._lock = Lock()

    def take(self, size: int) -> None:
        """Take so many bytes of the space. Raises NoRoomError if they are not left."""
        with self._lock:
            if size > self._left:
                raise NoRoomError
            self._left -= size

    def give(self, size: int) -> None:
        """Give so many bytes of the space back."""
        with self._lock:
            self._left += size


class Body:
    """The body of one request. One thread adds to it, until it is whole; another reads it once it is handed over."""

    def __init__(self, spools: Spools, ask_for_more: Callable[[], None]) -> None:
        self.size = 0
        self.is_whole = False
        self._spools = spools
        self._on_disk = 0
        self._spool: IO[bytes] = BytesIO()
        self._is_handed_over = False
        self._ask_for_more = ask_for_more
        self._coming: deque[bytes] = deque()
        self._waiting = 0
        self._fault = ""
        self._changed = Condition()

    # --- By the thread that speaks with clients -----------------------------------------------------------------------

    def add(self, data: bytes) -> None:
        """Add data that has come. Raises NoRoomError, or OSError if the disk is full or no file can be opened."""
        if self.is_whole:
            return
        self.size += len(data)
        if not self._is_handed_over:
            self._spool_more(data)
            return
        with self._changed:
            self._coming.append(data)
            self._waiting += len(data)
            self._changed.notify()

    @property
    def is_full(self) -> bool:
        """Return whether nothing more is to be added before some has been read."""
        return self._waiting > IN_MEMORY

    def end(self, fault: str = "") -> None:
        """Mark the end of the body; with a `fault`, as broken off."""
        with self._changed:
            self.is_whole = not fault
            self._fault = fault
            self._changed.notify()

    def handed_over(self) -> IO[bytes]:
        """Return the file that another thread reads. What comes from now on is not spooled."""
        self._spool.seek(0)
        self._is_handed_over = True
        if self.is_whole:
            return self._spool
        return cast("IO[bytes]", BufferedReader(_Incoming(self), IN_MEMORY))

    def close(self) -> None:
        """Delete what was spooled."""
        with suppress(OSError):
            self._spool.close()
        self._spools.give(self._on_disk)
        self._on_disk = 0

    def _spool_more(self, data: bytes) -> None:
        if self.size > IN_MEMORY:
            self._spools.take(self.size - self._on_disk)
            self._on_disk = self.size
        if self._on_disk and isinstance(self._spool, BytesIO):
            file = TemporaryFile()  # noqa: SIM115 - `close` closes it
            file.write(self._spool.getvalue())
            self._spool = file
        self._spool.write(data)
        self._spool.flush()

    # --- By the thread that reads it ----------------------------------------------------------------------------------

    def next_chunk(self) -> bytes:
        """Return what was spooled, then what has come since; nothing at the end. Raises OSError if it broke off."""
        if chunk := self._spool.read(2**16):
            return chunk
        with self._changed:
            while not self._coming and not self.is_whole and not self._fault:
                self._changed.wait()
            if not self._coming:
                if self._fault:
                    raise OSError(self._fault)
                return b""
            was_full = self.is_full
            chunk = self._coming.popleft()
            self._waiting -= len(chunk)
            wants_more = was_full and not self.is_full
        if wants_more:
            self._ask_for_more()
        return chunk


class _Incoming(RawIOBase):
    """A body that is still coming, as a file."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._chunk = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        target = memoryview(buffer).cast("B")
        if not self._chunk:
            self._chunk = memoryview(self._body.next_chunk())
        size = min(len(target), len(self._chunk))
        target[:size] = self._chunk[:size]
        self._chunk = self._chunk[size:]
        return size
