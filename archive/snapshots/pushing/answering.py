"""Answering a push while it is received and judged: clients take silence for a failure."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import IO

from django.conf import settings
from django.db import connection

from archive.errors import ArchiveError
from archive.snapshots.keeping.packets import KEEP_ALIVE, PushRequest, push_request, whole_packets

Chunks = Generator[bytes, None, None]


def answered(request: IO[bytes], chunks: Chunks) -> Chunks:
    """Yield the chunks of the answer to a request to push, and signs of life while they are made, if there is room.

    An ArchiveError that they raise becomes a report that the push is refused: by then the answer has begun.
    """
    asked = push_request(request)
    told = _told(asked, chunks)
    yield from kept_alive(told) if asked.is_banded else told


def _told(asked: PushRequest, chunks: Chunks) -> Chunks:
    try:
        yield from whole_packets(chunks)
    except ArchiveError as error:
        yield asked.refusal(str(error))


def kept_alive(chunks: Chunks) -> Chunks:
    """Yield whole packets, which a thread of their own makes, and a sign of life whenever that takes long.

    When nobody wants any more, the thread ends what it is doing, and `chunks` is closed there.
    """
    with ThreadPoolExecutor(1, "push") as thread:
        try:
            while True:
                coming = thread.submit(next, chunks, None)
                while not wait([coming], settings.GIT_KEEP_ALIVE).done:
                    yield KEEP_ALIVE
                chunk = coming.result()
                if chunk is None:
                    return
                yield chunk
        finally:
            thread.submit(_end, chunks).result()


def _end(chunks: Chunks) -> None:
    """Close the chunks, and the database connection of the thread that made them."""
    chunks.close()
    connection.close()
