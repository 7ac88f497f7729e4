"""The rate limit: so many requests a minute for each user, or else each address."""

import time
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from threading import Lock

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

from archive.accounts.models import User
from dandiapi.clients import address_of
from dandiapi.credentials import proof_of, scheme_of
from dandiapi.errors import AWAY
from dandiapi.faces import is_for_git

WINDOW_SECONDS = 60
# How often, within a limit, a process adds its count to the shared one: not with each request.
SHARES = 100
MAX_CLIENTS = 100_000


@dataclass
class _Tally:
    """The requests of a client: those that all processes know of, and those that only this one does."""

    told: int = 0
    own: int = 0


class Limiter:
    """A counter of requests by the minute, in this process and, now and then, with others by way of the cache.

    Each process may overshoot a limit by a hundredth. While the cache is away, each counts for itself.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._window = 0
        self._tallies: dict[str, _Tally] = {}

    def admit(self, client: str, limit: int) -> bool:
        """Count a request of the client, and return whether it is within the limit."""
        with self._lock:
            window, tally = self._current(client)
            tally.own += 1
            untold = tally.own if tally.own >= limit // SHARES else 0
            tally.own -= untold
            tally.told += untold
        if untold:
            tally.told = max(tally.told, _add_to_shared(f"requests:{client}:{window}", untold))
        return tally.told + tally.own <= limit

    def _current(self, client: str) -> tuple[int, _Tally]:
        window = int(time.time()) // WINDOW_SECONDS
        if window != self._window or len(self._tallies) >= MAX_CLIENTS:
            self._window, self._tallies = window, {}
        return window, self._tallies.setdefault(client, _Tally())


def _add_to_shared(key: str, count: int) -> int:
    """Add `count` to the count of all processes and return it; 0 when the cache is away."""
    try:
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        return cache.incr(key, count)
    except (RedisError, ValueError):
        return 0


LIMITER = Limiter()


def is_admitted(request: HttpRequest) -> bool:
    """Count a request, whatever its answer, and return whether it is within its client's limit."""
    if not (settings.RATE_LIMIT_ANONYMOUS or settings.RATE_LIMIT_SIGNED_IN):
        return True
    client, limit = _client_of(request)
    return not limit or LIMITER.admit(client, limit)


def seconds_to_wait() -> int:
    """Return how many seconds remain of this minute."""
    return ceil(WINDOW_SECONDS - time.time() % WINDOW_SECONDS)


def _client_of(request: HttpRequest) -> tuple[str, int]:
    """Return whom a request counts for, a user or an address, and how many requests they have in a minute."""
    is_nameless = not scheme_of(request)
    proof = user = None
    # If the database is away, the client counts as anonymous; the view then answers that a service is away.
    with suppress(*AWAY):
        proof = proof_of(request)
        user = request.user if is_nameless else getattr(proof, "user", None)
        if isinstance(user, User):
            return f"user-{user.pk}", settings.RATE_LIMIT_SIGNED_IN
    address = address_of(request)
    # git-annex requests each file by itself, so everybody has the limit of signed-in users there.
    if is_for_git(request.path_info) and (is_nameless or proof):
        return f"git-{address}", settings.RATE_LIMIT_SIGNED_IN
    return address, settings.RATE_LIMIT_ANONYMOUS
