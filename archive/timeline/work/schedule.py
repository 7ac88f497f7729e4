"""The queues that work waits in, and when work that has failed is tried again."""

from datetime import datetime, timedelta

from django.utils import timezone

# The queues: one for work that somebody waits for, and one for work that may take long.
QUICK = "quick"
BULK = "bulk"

MAX_BACKOFF = timedelta(minutes=10)


def backoff(earlier_attempts: int) -> timedelta:
    """Return how long to wait after a failed attempt: 1 s if it was the first, 2 s, 4 s ... at most 10 minutes."""
    return min(timedelta(seconds=2 ** min(earlier_attempts, 16)), MAX_BACKOFF)


def later(seconds: float) -> datetime:
    """Return the moment that many seconds from now."""
    return timezone.now() + timedelta(seconds=seconds)
