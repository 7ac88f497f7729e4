"""The bodies of requests: spooled, and read as they come."""

from errno import ENOSPC
from threading import Thread
from unittest.mock import Mock

import pytest

from dandiapi.server import bodies
from dandiapi.server.bodies import IN_MEMORY, Body, NoRoomError, Spools


def nothing() -> None:
    pass


def test_small_body_needs_no_room_on_disk() -> None:
    body = Body(Spools(0), nothing)
    body.add(b"x" * IN_MEMORY)
    body.end()
    assert body.handed_over().read() == b"x" * IN_MEMORY


def test_bodies_share_the_room_there_is_and_give_it_back() -> None:
    spools = Spools(3 * IN_MEMORY)
    first, second = Body(spools, nothing), Body(spools, nothing)
    first.add(b"x" * 2 * IN_MEMORY)
    with pytest.raises(NoRoomError):
        second.add(b"x" * 2 * IN_MEMORY)
    first.close()
    second.add(b"x")
    assert second.size == 2 * IN_MEMORY + 1


def test_body_gives_its_room_back_once_though_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Mock(**{"flush.side_effect": OSError(ENOSPC, "full"), "close.side_effect": OSError(ENOSPC, "full")})
    monkeypatch.setattr(bodies, "TemporaryFile", lambda: full)
    spools = Spools(2 * IN_MEMORY)
    body = Body(spools, nothing)
    with pytest.raises(OSError, match="full"):
        body.add(b"x" * 2 * IN_MEMORY)
    body.close()
    body.close()
    spools.take(2 * IN_MEMORY)
    with pytest.raises(NoRoomError):
        spools.take(1)


def test_body_is_read_as_it_comes_and_asks_for_more_when_there_is_room() -> None:
    asked: list[bool] = []
    body = Body(Spools(0), lambda: asked.append(body.is_full))
    body.add(b"a")
    file = body.handed_over()
    for _ in range(3):
        body.add(b"b" * IN_MEMORY)
    assert body.is_full
    reader = Thread(target=lambda: received.append(file.read()))
    received: list[bytes] = []
    reader.start()
    body.add(b"c")
    body.end()
    reader.join(10)
    assert received == [b"a" + b"b" * 3 * IN_MEMORY + b"c"]
    assert asked == [False]


def test_body_that_breaks_off_is_no_end_of_it() -> None:
    body = Body(Spools(0), nothing)
    body.add(b"a")
    file = body.handed_over()
    body.end("The client is gone.")
    with pytest.raises(OSError, match="gone"):
        file.read()
