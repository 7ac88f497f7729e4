"""Answers that may be long: how many are given at a time, and what is held until one has been sent."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from threading import BoundedSemaphore
from typing import Self

from django.conf import settings
from django.http import HttpRequest

from archive.errors import BusyError
from dandiapi.bodies import release_connection

_slots = BoundedSemaphore(settings.GIT_STREAMS)


@contextmanager
def answer_slot() -> Iterator[None]:
    """Hold one of the slots for long answers, of which there are fewer than threads; BusyError if none is free."""
    if not _slots.acquire(blocking=False):
        raise BusyError("This server has as many long requests as it can take; please try again.", retry_after=2)
    try:
        yield
    finally:
        _slots.release()


def slot_for_body(request: HttpRequest) -> AbstractContextManager[None]:
    """Return a slot for as long as the body of a request comes; none is held for one that is there already.

    What is small has been spooled before a thread is given to the request; its length is known then.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    is_there = length.isdecimal() and int(length) <= settings.REQUEST_SPOOL_BYTES
    return nullcontext() if is_there else answer_slot()


class Stream:
    """Chunks of an answer, and what is `held` for it until all are sent or nobody wants them any more."""

    def __init__(self, chunks: Iterator[bytes], held: ExitStack) -> None:
        self._chunks = chunks
        self._held = held.pop_all()
        # Sending may take long, and asks the database nothing.
        release_connection()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Release what is held, after what makes the chunks has ended."""
        with self._held:
            close = getattr(self._chunks, "close", None)
            if close:
                close()
