"""Clients that repeat a step as fast as they can, and what came of it."""

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Step = Callable[[], bool]

WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Measurement:
    """How a step went: every duration in seconds, and what the clients themselves cost."""

    clients: int
    seconds: float
    durations: list[float]
    failures: int
    # Processor time of this process, as a share of one processor.
    own_share: float

    @property
    def rate(self) -> float:
        """Successful steps per second."""
        return (len(self.durations) - self.failures) / self.seconds

    def percentile(self, percent: int) -> float:
        """The duration, in milliseconds, that so many per cent of the steps did not exceed."""
        if len(self.durations) < 2:
            return 1000 * sum(self.durations)
        return 1000 * statistics.quantiles(self.durations, n=100, method="inclusive")[percent - 1]


class _Client(threading.Thread):
    def __init__(self, step: Step, start_together: threading.Barrier, seconds: float) -> None:
        super().__init__()
        self.durations: list[float] = []
        self.failures = 0
        self._step = step
        self._start_together = start_together
        self._seconds = seconds

    def run(self) -> None:
        self._start_together.wait()
        deadline = time.perf_counter() + self._seconds
        while (began := time.perf_counter()) < deadline:
            self.failures += not self._step()
            self.durations.append(time.perf_counter() - began)


def measure(make_step: Callable[[int], Step], clients: int, seconds: float) -> Measurement:
    """Runs `clients` at once, each with a step of its own, for some seconds."""
    steps = [make_step(number) for number in range(clients)]
    # Connections are opened and processes woken before anything counts.
    _run_together(steps, WARM_UP_SECONDS)
    return _run_together(steps, seconds)


def _run_together(steps: list[Step], seconds: float) -> Measurement:
    barrier = threading.Barrier(len(steps) + 1)
    threads = [_Client(step, barrier, seconds) for step in steps]
    for thread in threads:
        thread.start()
    barrier.wait()
    began, own_time = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    return Measurement(
        clients=len(steps),
        seconds=elapsed,
        durations=[duration for thread in threads for duration in thread.durations],
        failures=sum(thread.failures for thread in threads),
        own_share=(time.process_time() - own_time) / elapsed,
    )
