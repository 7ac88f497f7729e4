"""Objects written as streams."""

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from archive.storage.queries import find, read, read_from, read_start
from archive.storage.services import delete, put, write

pytestmark = pytest.mark.usefixtures("bucket")


@pytest.mark.parametrize("sizes", [[], [0], [1], [3, 0, 5], [9 * 2**20, 1], [2**20] * 9])
def test_write_stores_the_chunks_one_after_the_other(sizes: list[int]) -> None:
    chunks = [bytes([number]) * size for number, size in enumerate(sizes)]
    key = f"written/{uuid4()}"
    write(key, chunks, content_type="text/plain")
    assert b"".join(read(key)) == b"".join(chunks)


def test_write_takes_its_chunks_in_the_callers_thread() -> None:
    threads: list[threading.Thread] = []

    def chunks() -> Iterator[bytes]:
        for _ in range(9):
            threads.append(threading.current_thread())
            yield bytes(2**20)

    write(f"written/{uuid4()}", chunks(), content_type="text/plain")
    assert set(threads) == {threading.current_thread()}


def test_write_stores_nothing_when_the_chunks_break_off() -> None:
    key = f"written/{uuid4()}"

    def chunks() -> Iterator[bytes]:
        yield bytes(9 * 2**20)
        raise LookupError

    with pytest.raises(LookupError):
        write(key, chunks(), content_type="text/plain")
    assert find(key) is None


@pytest.mark.parametrize("content", [b"", b"content"], ids=["empty", "full"])
def test_read_gives_nothing_from_the_end_on(content: bytes) -> None:
    key = f"written/{uuid4()}"
    put(key, content)
    assert b"".join(read(key)) == b"".join(read_from(key, 0)) == read_start(key, 100) == content
    assert b"".join(read_from(key, len(content))) == b""


def test_delete_removes_an_object_and_forgives_its_absence() -> None:
    key = f"written/{uuid4()}"
    write(key, [b"content"], content_type="text/plain")
    delete(key)
    delete(key)
    assert find(key) is None
