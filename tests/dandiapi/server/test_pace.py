"""How slow is too slow."""

import pytest

from dandiapi.server import pace
from dandiapi.server.limits import Limits
from dandiapi.server.pace import Pace

LIMITS = Limits(patience=30, rate=100, seconds=600, spool=0, spools=0)


class Clock:
    """A clock that goes on when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "monotonic", clock)
    return clock


def lasts(clock: Clock, size: int, every: float, *, seconds: float = 10_000) -> float:
    """After how many seconds the patience with somebody is at its end who sends so many bytes every few seconds."""
    it = Pace(LIMITS)
    it.start(seconds)
    began = clock.now
    while clock.now < began + 5000:
        clock.now += every
        if clock.now > it.deadline:
            break
        it.count(size)
    return clock.now - began


def test_silence_is_borne_as_long_as_patience_lasts(clock: Clock) -> None:
    assert lasts(clock, 0, 1) == 31


def test_trickle_is_borne_a_little_longer(clock: Clock) -> None:
    assert 31 < lasts(clock, 50, 1) < 70


def test_least_rate_is_borne(clock: Clock) -> None:
    assert lasts(clock, 100, 1) == 5000


def test_pauses_of_the_fast_are_borne_but_earn_no_credit(clock: Clock) -> None:
    assert lasts(clock, 10**6, 29) >= 5000
    assert lasts(clock, 10**6, 31) == 31


def test_time_is_limited_however_fast_somebody_is(clock: Clock) -> None:
    assert lasts(clock, 10**6, 1, seconds=600) == 601


def test_nothing_is_waited_for_because_bytes_pass(clock: Clock) -> None:
    """Some of the next request may come while an answer is made."""
    it = Pace(LIMITS)
    it.count(100)
    clock.now += 5000
    assert clock.now < it.deadline
