"""A worker without Celery: the same work, in the test's thread, when the test says so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from archive.timeline import queries, tasks
from archive.timeline.work import jobs, projections
from dandiapi.celery import app

MAX_ROUNDS = 100


@dataclass(frozen=True)
class Message:
    """A task sent to a worker."""

    task: str
    arguments: tuple[Any, ...]
    queue: str


class Worker:
    """Does what workers and the clock's sweeps would do; the projections named in `leaves` it leaves undone."""

    def __init__(self, messages: list[Message], leaves: tuple[str, ...] = ()) -> None:
        self._messages = messages
        self._leaves = leaves

    def run(self) -> None:
        """Do all that can be done now: what waits for a moment that has not come is left waiting."""
        for _ in range(MAX_ROUNDS):
            if not (self._deliver() or self._do_jobs() or self._advance_projections()):
                return
        raise AssertionError("The work does not come to an end.")

    def _deliver(self) -> int:
        messages, self._messages[:] = self._messages[:], []
        for message in messages:
            if not set(self._leaves) & set(message.arguments):
                app.tasks[message.task](*message.arguments)
        return len(messages)

    def _do_jobs(self) -> int:
        for job in queries.jobs_overdue():
            jobs.expire_job(job)
        return sum(jobs.run_job(job.id) for job in queries.jobs_due())

    def _advance_projections(self) -> int:
        behind = queries.projections_behind([name for name in projections.PROJECTIONS if name not in self._leaves])
        for dataset_id, name in behind:
            # By the task, as the sweep has it: what follows a projection hears of it.
            tasks.advance_projection_task(dataset_id, name)
        return len(behind)


T = TypeVar("T")
# What the fixture `made_once` is: it calls what it is given, once, and returns what that returns.
MadeOnce = Callable[[Callable[[Worker], T]], T]
