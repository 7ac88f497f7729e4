"""The bodies of requests, which git sends as it likes: with a length or in chunks, plain or compressed."""

import zlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from tempfile import TemporaryFile
from threading import Event, Thread
from typing import IO, cast

from django.http import HttpRequest

from archive.errors import InvalidError

READ_SIZE = 2**16
WAITING_CHUNKS = 16
# zlib's own word for "a gzip header and trailer".
GZIP = 31


def chunks_of(request: HttpRequest) -> Iterator[bytes]:
    """The body as it comes, never more than READ_SIZE of it at a time.

    Django reads no more than the length that was announced, and nothing when none was: the end of such a body is known
    to the server, which says so.
    """
    ends_by_itself = request.META.get("wsgi.input_terminated") and not request.META.get("CONTENT_LENGTH")
    stream = cast("IO[bytes]", request.META["wsgi.input"] if ends_by_itself else request)
    while chunk := stream.read(READ_SIZE):
        yield chunk


def patiently(chunks: Iterator[bytes], seconds: float) -> Generator[bytes, None, None]:
    """The chunks, as long as none is waited for longer than that; InvalidError after that.

    A client that is gone without a word is otherwise waited for until this program ends. Nothing can end the wait
    itself, so it is left to a thread that costs nothing, and ends with the connection.
    """
    arrived: Queue[bytes | Exception] = Queue(WAITING_CHUNKS)
    is_over = Event()
    Thread(target=_hand_over, args=(chunks, arrived, is_over), name="body", daemon=True).start()
    try:
        while chunk := arrived.get(timeout=seconds):
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk
    except Empty:
        raise InvalidError(f"Nothing has come for {seconds:.0f} seconds.") from None
    finally:
        is_over.set()


def _hand_over(chunks: Iterator[bytes], arrived: "Queue[bytes | Exception]", is_over: Event) -> None:
    """Put chunks into a queue, and what ends them: nothing, or an error; until they are no longer wanted."""
    try:
        for chunk in chunks:
            if not _put(arrived, chunk, is_over):
                return
        _put(arrived, b"", is_over)
    except Exception as error:
        _put(arrived, error, is_over)


def _put(arrived: "Queue[bytes | Exception]", what: bytes | Exception, is_over: Event) -> bool:
    while not is_over.is_set():
        with suppress(Full):
            arrived.put(what, timeout=1.0)
            return True
    return False


def spooled(request: HttpRequest, *, limit: int) -> IO[bytes]:
    """The body, uncompressed, in a temporary file from its start on.

    Raises InvalidError when it has more than `limit` bytes, or is not compressed as it says.
    """
    file = TemporaryFile()  # noqa: SIM115 - whoever asked for it closes it
    size = 0
    for chunk in _plain(request):
        size += len(chunk)
        if size > limit:
            file.close()
            raise InvalidError(f"The request is larger than the {limit} bytes that are taken.")
        file.write(chunk)
    file.seek(0)
    return file


def _plain(request: HttpRequest) -> Iterator[bytes]:
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return chunks_of(request)
    if encoding in {"gzip", "x-gzip"}:
        return _inflated(chunks_of(request))
    raise InvalidError(f"The request is encoded as {encoding[:40]!r}; send it as it is, or as gzip.")


def _inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(GZIP)
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                # A few bytes may inflate to a great many: never more than this at once.
                yield inflater.decompress(rest, READ_SIZE)
                rest = inflater.unconsumed_tail
    except zlib.error as error:
        raise InvalidError("The request is not the gzip that it says it is.") from error
    if not inflater.eof:
        raise InvalidError("The request ends before its gzip does.")
