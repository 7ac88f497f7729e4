"""Answers that take long: signs of life in between, errors carried over, and nothing left behind."""

from collections.abc import Generator
from contextlib import closing
from threading import Event, current_thread
from typing import Any

import pytest

from archive.errors import BusyError
from archive.snapshots.keeping.packets import FLUSH, KEEP_ALIVE, packet
from archive.snapshots.pushing.answering import answered, kept_alive
from tests.archive.snapshots.pushing.pusher import answer_of, spooled

COMMAND = b"0" * 40 + b" " + b"1" * 40 + b" refs/heads/main\0side-band-64k"


@pytest.fixture(autouse=True)
def _impatient(settings: Any) -> None:
    settings.GIT_KEEP_ALIVE = 0.01


def test_signs_of_life_come_while_nothing_else_does() -> None:
    may_go_on = Event()

    def slow() -> Generator[bytes, None, None]:
        yield b"first"
        assert may_go_on.wait(10)
        yield b"last"

    chunks = kept_alive(slow())
    assert next(chunks) == b"first"
    assert [next(chunks) for _ in range(3)] == [KEEP_ALIVE] * 3
    may_go_on.set()
    assert [chunk for chunk in chunks if chunk != KEEP_ALIVE] == [b"last"]


def test_client_that_goes_ends_the_work_in_its_own_thread() -> None:
    ended = []

    def endless() -> Generator[bytes, None, None]:
        try:
            while True:
                yield b"more"
        finally:
            ended.append(current_thread())

    with closing(kept_alive(endless())) as chunks:
        assert next(chunks) == b"more"
    [thread] = ended
    assert thread != current_thread()
    assert not thread.is_alive()


def test_fault_that_nobody_expects_is_carried_over() -> None:
    def failing() -> Generator[bytes, None, None]:
        yield b"first"
        raise ZeroDivisionError

    chunks = kept_alive(failing())
    with pytest.raises(ZeroDivisionError):
        list(chunks)


@pytest.mark.parametrize("capabilities", [b"", b"\0side-band-64k"])
def test_refusal_after_the_answer_has_begun_is_reported(capabilities: bytes) -> None:
    def busy() -> Generator[bytes, None, None]:
        raise BusyError("It is being prepared.")
        yield b""

    command = COMMAND.partition(b"\0")[0] + capabilities
    with spooled(packet(command) + FLUSH) as request:
        said = b"".join(answered(request, busy()))
    banded = capabilities != b""
    report = answer_of(said).report if banded else [said.decode()]
    assert "ng refs/heads/main It is being prepared." in "\n".join(report)
