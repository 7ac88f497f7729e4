"""The deadline of a client, which depends on its pace."""

import math
from time import monotonic

from .limits import Limits


class Pace:
    """A deadline that arriving bytes postpone: it passes when they have been too slow for as long as patience lasts."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.stop()

    def start(self, seconds: float = math.inf) -> None:
        """Start the clock; however fast the bytes come, it ends after so many `seconds`."""
        now = monotonic()
        self._last = now + seconds
        self.deadline = min(now + self._limits.patience, self._last)

    def stop(self) -> None:
        """Stop the clock."""
        self.deadline = self._last = math.inf

    def wait(self, seconds: float) -> None:
        """Set the deadline in so many seconds, whatever comes."""
        self.deadline = self._last = monotonic() + seconds

    def count(self, size: int) -> None:
        """Postpone the deadline for the bytes that have passed, but never further than patience reaches."""
        if self.deadline == math.inf:
            return
        earned = self.deadline + size / self._limits.rate
        self.deadline = min(earned, monotonic() + self._limits.patience, self._last)
