"""The packets of git's protocol: where they end, what a push says it is about, and how it is refused."""

import pytest

from archive.snapshots.keeping.packets import FLUSH, KEEP_ALIVE, PushRequest, packet, push_request, whole_packets
from tests.archive.snapshots.pushing.pusher import answer_of, spooled

OLD, NEW = "0" * 40, "1" * 40
WIDE = b"side-band-64k report-status agent=tests"


def asked_by(body: bytes) -> PushRequest:
    with spooled(body) as file:
        return push_request(file)


def commands(*lines: bytes) -> bytes:
    return b"".join(map(packet, lines)) + FLUSH + b"PACK and so on"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100])
def test_packets_come_whole_however_they_are_read(size: int) -> None:
    said = packet(b"\x02one") + KEEP_ALIVE + FLUSH + packet(b"\x01two")
    ends = {0, 8, 13, 17, 25}
    chunks = list(whole_packets(said[start : start + size] for start in range(0, len(said), size)))
    assert b"".join(chunks) == said
    assert {sum(map(len, chunks[:count])) for count in range(len(chunks) + 1)} <= ends


def test_what_is_not_in_packets_comes_as_it_is() -> None:
    assert list(whole_packets([b"nonsense", b"ab"])) == [b"nonsense", b"ab"]


def test_push_says_what_it_is_about() -> None:
    first = f"{OLD} {NEW} refs/heads/main".encode() + b"\0 " + WIDE + b"\n"
    asked = asked_by(commands(first, f"{OLD} {NEW} refs/heads/git-annex".encode()))
    assert list(asked.told) == ["refs/heads/main", "refs/heads/git-annex"]
    assert asked.is_banded


@pytest.mark.parametrize("body", [b"", b"0000", b"00", b"nonsense", b"0001", b"ffff"])
def test_request_that_is_none_is_about_nothing(body: bytes) -> None:
    asked = asked_by(body)
    assert (asked.told, asked.is_banded) == ({}, False)


def test_refusal_is_a_report() -> None:
    line = f"{OLD} {NEW} refs/heads/main".encode()
    answer = answer_of(asked_by(commands(line + b"\0" + WIDE)).refusal("It is busy.\nTry again."))
    assert answer.report == ["unpack It is busy. Try again.", "ng refs/heads/main It is busy. Try again."]
    plain = asked_by(commands(line)).refusal("It is busy.")
    assert plain == packet(b"unpack It is busy.\n") + packet(b"ng refs/heads/main It is busy.\n") + FLUSH
