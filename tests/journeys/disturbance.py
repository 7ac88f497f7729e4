"""Workers that die at the worst moment."""

import random
import threading

from tests.journeys.running import RunningArchive

LONGEST_DELAY = 2.0


class WorkerKiller:
    """Kills the archive's workers with `kill -9`, whatever they are doing."""

    def __init__(self, archive: RunningArchive) -> None:
        self.killed: list[int] = []
        self._archive = archive
        self._timers: list[threading.Timer] = []

    def strike_soon(self) -> None:
        """Kills the workers within the next two seconds, nobody knows when."""
        timer = threading.Timer(random.uniform(0, LONGEST_DELAY), self._strike)
        self._timers.append(timer)
        timer.start()

    def end(self) -> None:
        """Waits for the last strike to have fallen."""
        for timer in self._timers:
            timer.join()

    def _strike(self) -> None:
        self.killed.append(self._archive.kill("worker"))
        self._archive.kill("bulk")
