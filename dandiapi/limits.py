"""How often somebody may ask this server: so many requests a minute, for each user, or else each address."""

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from archive.accounts.models import User
from dandiapi.addresses import address_of
from dandiapi.auth import actor_of

WINDOW_SECONDS = 60
# A process adds its counts to everybody's as often as this within a limit, and not with each request.
SHARES = 100
MAX_CLIENTS = 100_000


@dataclass
class _Tally:
    """How many requests of a client all processes have told of, and how many only this one knows of."""

    told: int = 0
    own: int = 0


class Limiter:
    """Counts requests by the minute: in this process, and now and then with the others, by way of the cache.

    Each process may overshoot a limit by a hundredth. While the cache is away, each counts for itself.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._window = 0
        self._tallies: dict[str, _Tally] = {}

    def admit(self, client: str, limit: int) -> bool:
        """Count a request of the client; whether it is within the limit."""
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
    """The count of all processes with `count` added to it; 0 when the cache is away."""
    try:
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        return cache.incr(key, count)
    except (RedisError, ValueError):
        return 0


LIMITER = Limiter()


class RateLimit(BaseThrottle):
    """Refuses with 429 and `Retry-After` whoever has used this minute's requests up."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether there is a request left."""
        user = actor_of(request).user
        limit = settings.RATE_LIMIT_ANONYMOUS if user is None else settings.RATE_LIMIT_SIGNED_IN
        return is_within(limit, address_of(request) if user is None else _name(user))

    def wait(self) -> float:
        """How many seconds it is to the next minute."""
        return seconds_to_wait()


def seconds_to_wait() -> float:
    """How many seconds it is to the next minute."""
    return WINDOW_SECONDS - time.time() % WINDOW_SECONDS


def may_ask_git(request: HttpRequest, user: User | None) -> bool:
    """Whether the face for git has a request left for the user, or else for the address.

    git-annex asks for each file by itself, so nobody has fewer than those who are signed in.
    """
    return is_within(settings.RATE_LIMIT_SIGNED_IN, f"git-{address_of(request)}" if user is None else _name(user))


def is_within(limit: int, client: str) -> bool:
    """Count a request of the client; whether it is within the limit. Nothing is counted where there is none."""
    return not limit or LIMITER.admit(client, limit)


def _name(user: User) -> str:
    return f"user-{user.pk}"
