"""Hashing passwords: one at a time, and with a line that has an end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from threading import Event, Lock
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from archive.errors import BusyError
from dandiapi.passwords import PLACES, OneAtATimeArgon2Hasher
from dandiapi.settings import base


class Watched:
    """How many passwords are being hashed, and how many were at most; none is done before it is let."""

    def __init__(self) -> None:
        self.at_work = self.most = self.done = 0
        self.let = Event()
        self._lock = Lock()

    def work(self, *_: Any) -> bool:
        with self._lock:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        self.let.wait(10)
        with self._lock:
            self.at_work -= 1
            self.done += 1
        return True


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    watch = Watched()
    monkeypatch.setattr(Argon2PasswordHasher, "verify", watch.work)
    yield watch
    watch.let.set()


def test_hasher_knows_the_passwords_that_were_hashed_before(settings: Any) -> None:
    before = Argon2PasswordHasher().encode("correct horse", "salt salt salt")
    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
    assert (check_password("correct horse", before), check_password("x", before)) == (True, False)
    assert check_password("battery", make_password("battery"))


def test_passwords_are_hashed_one_at_a_time_when_many_come_at_once(watched: Watched) -> None:
    with ThreadPoolExecutor(PLACES) as people:
        answers = [people.submit(OneAtATimeArgon2Hasher().verify, "x", "known") for _ in range(PLACES)]
        watched.let.set()
        assert [answer.result() for answer in answers] == [True] * PLACES
    assert (watched.most, watched.done) == (1, PLACES)


def test_password_is_refused_for_the_moment_when_the_line_is_full(watched: Watched) -> None:
    with ThreadPoolExecutor(PLACES + 4) as people:
        answers = [people.submit(OneAtATimeArgon2Hasher().verify, "x", "known") for _ in range(PLACES + 4)]
        refused = list(islice(as_completed(answers, timeout=5), 4))
        watched.let.set()
    assert [type(answer.exception()) for answer in refused] == [BusyError] * 4
    assert watched.done == PLACES
