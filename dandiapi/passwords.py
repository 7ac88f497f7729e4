"""Hashes of passwords, one at a time: each takes 100 MB, and anybody may send passwords to be checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from django.contrib.auth.hashers import Argon2PasswordHasher

from archive.errors import BusyError

# How many threads of a process may hash or wait to: half of them, so that the others go on answering.
PLACES = 8


class OneAtATimeArgon2Hasher(Argon2PasswordHasher):
    """A hasher that hashes one password at a time in each process; BusyError when more than PLACES would wait."""

    _places = BoundedSemaphore(PLACES)
    _turn = Lock()

    def encode(self, password: str, salt: str) -> str:
        """Return the hash of a new password."""
        with self._in_turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether the password is the one that was hashed."""
        with self._in_turn():
            return super().verify(password, encoded)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise BusyError("Many people are signing in just now; please try again.", retry_after=1)
        try:
            with self._turn:
                yield
        finally:
            self._places.release()
