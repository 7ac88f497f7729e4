"""How slow is too slow."""

import math
from time import monotonic

from .limits import Limits


class Pace:
    """A deadline that bytes put off: it comes once they have been too slow for as long as patience lasts."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.stop()

    def start(self, seconds: float = math.inf) -> None:
        """Begin to wait; however fast, it is over after so many `seconds`."""
        now = monotonic()
        self._last = now + seconds
        self.deadline = min(now + self._limits.patience, self._last)

    def stop(self) -> None:
        """Wait for nothing."""
        self.deadline = self._last = math.inf

    def wait(self, seconds: float) -> None:
        """Wait so long, whatever comes."""
        self.deadline = self._last = monotonic() + seconds

    def count(self, size: int) -> None:
        """Put a deadline off for the bytes that have passed, but never further than patience reaches."""
        if self.deadline == math.inf:
            return
        earned = self.deadline + size / self._limits.rate
        self.deadline = min(earned, monotonic() + self._limits.patience, self._last)
