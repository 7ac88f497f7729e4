"""The bodies of requests, which git sends as it likes: with a length or in chunks, plain or compressed."""

import zlib
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO, cast

from django.db import connection
from django.http import HttpRequest

from archive.errors import InvalidError

READ_SIZE = 2**16
# zlib's own word for "a gzip header and trailer".
GZIP = 31


def chunks_of(request: HttpRequest) -> Iterator[bytes]:
    """Yield the body as it comes, at most READ_SIZE at a time. Raises InvalidError when it breaks off.

    Django reads no more than the length that was announced, and nothing when none was: the end of such a body is known
    to the server, which says so. Waiting for it asks the database nothing, so its connection is left to others.
    """
    ends_by_itself = request.META.get("wsgi.input_terminated") and not request.META.get("CONTENT_LENGTH")
    stream = cast("IO[bytes]", request.META["wsgi.input"] if ends_by_itself else request)
    release_connection()
    while chunk := _read(stream):
        yield chunk
        release_connection()


def _read(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(READ_SIZE)
    except OSError as error:
        raise InvalidError(f"The request breaks off: {error}") from error


def release_connection() -> None:
    """Give the database connection back to the pool; the next query takes another."""
    if not connection.in_atomic_block:
        connection.close()


def spooled(request: HttpRequest, *, limit: int) -> IO[bytes]:
    """Return the body, uncompressed, in a temporary file, which is read from its start.

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
                # A few bytes may inflate to very many, so no more than this at once.
                yield inflater.decompress(rest, READ_SIZE)
                rest = inflater.unconsumed_tail
    except zlib.error as error:
        raise InvalidError("The request is not the gzip that it says it is.") from error
    if not inflater.eof:
        raise InvalidError("The request ends before its gzip does.")
