"""Clients that repeat a step as fast as they can, each a process of its own, and what came of it."""

import multiprocessing
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
Step = Callable[[], bool]
MakeStep = Callable[[int], Step]
Stages = dict[str, list[float]]

WARM_UP_SECONDS = 1.0
# How long the clients wait for one another.
PATIENCE_SECONDS = 120.0

# What a client's process has been given.
_make_step: MakeStep
_together: Barrier
# How long the parts of this client's steps took, those of the warm-up too.
_stages: Stages = defaultdict(list)


class _Client(NamedTuple):
    """How one client's steps went, and the processor time that they cost the client."""

    durations: list[float]
    failures: int
    own_seconds: float
    stages: Stages


@dataclass(frozen=True)
class Measurement:
    """How the steps of some clients went, for so many seconds."""

    clients: list[_Client]
    seconds: float

    @property
    def durations(self) -> list[float]:
        """Every duration, in seconds."""
        return [duration for client in self.clients for duration in client.durations]

    @property
    def failures(self) -> int:
        """How many steps failed."""
        return sum(client.failures for client in self.clients)

    @property
    def own_share(self) -> float:
        """Processor time of the clients, as a share of one processor."""
        return sum(client.own_seconds for client in self.clients) / self.seconds

    @property
    def rate(self) -> float:
        """Successful steps per second."""
        return (len(self.durations) - self.failures) / self.seconds

    def percentile(self, percent: int) -> float:
        """The duration, in milliseconds, that so many per cent of the steps did not exceed."""
        if len(self.durations) < 2:
            return 1000 * sum(self.durations)
        return 1000 * statistics.quantiles(self.durations, n=100, method="inclusive")[percent - 1]

    def stage(self, name: str) -> list[float]:
        """How long a part of the steps took, each time, those of the warm-up too."""
        return [duration for client in self.clients for duration in client.stages.get(name, [])]


def timed(stage: str, call: Callable[..., T], *arguments: Any) -> T:
    """Calls something as a part of a step, whose duration is kept."""
    began = time.perf_counter()
    result = call(*arguments)
    _stages[stage].append(time.perf_counter() - began)
    return result


def measure(make_step: MakeStep, clients: int, seconds: float) -> Measurement:
    """Runs `clients` at once, each with a step of its own, for some seconds."""
    # Steps are functions of the moment, which a process only knows that is a copy of this one.
    system = multiprocessing.get_context("fork")
    together = system.Barrier(clients, timeout=PATIENCE_SECONDS)
    with ProcessPoolExecutor(clients, system, _become_client, (make_step, together)) as processes:
        measured = list(processes.map(_run, range(clients), repeat(seconds)))
    return Measurement(measured, max(sum(client.durations) for client in measured))


def _become_client(make_step: MakeStep, together: Barrier) -> None:
    global _make_step, _together
    _make_step, _together = make_step, together


def _run(number: int, seconds: float) -> _Client:
    step = _make_step(number)
    # Connections are opened and processes woken before anything counts.
    _repeat(step, WARM_UP_SECONDS)
    _together.wait()
    return _repeat(step, seconds)


def _repeat(step: Step, seconds: float) -> _Client:
    durations, failures, own = [], 0, time.process_time()
    began = time.perf_counter()
    deadline = began + seconds
    while began < deadline:
        failures += not step()
        ended = time.perf_counter()
        durations.append(ended - began)
        began = ended
    return _Client(durations, failures, time.process_time() - own, dict(_stages))
