"""Jobs as JSON, for all faces."""

from datetime import datetime
from typing import Annotated, TypedDict
from uuid import UUID

from archive.timeline.models import Job


class JobRow(TypedDict):
    """A piece of work that somebody waits for, and how far it is."""

    id: UUID
    kind: str
    dandiset: str | None
    state: Annotated[str, Job.State]
    step: str
    done: int
    total: int | None
    percent: int | None
    attempts: int
    reason: str
    created: datetime
    started: datetime | None
    ended: datetime | None
    deadline: datetime


class LogLine(TypedDict):
    """A line of a job's log."""

    at: Annotated[str, datetime]
    text: str


class JobDetail(JobRow):
    """A job with the last lines of its log, the oldest first."""

    log: list[LogLine]


def job_row(job: Job) -> JobRow:
    """Return a job without its log."""
    return {
        "id": job.pk,
        "kind": job.kind,
        "dandiset": None if job.dataset_id is None else f"{job.dataset_id:06}",
        "state": job.state,
        "step": job.step,
        "done": job.done,
        "total": job.total,
        "percent": percent(job),
        "attempts": job.attempts,
        "reason": job.reason,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "deadline": job.deadline,
    }


def job_detail(job: Job) -> JobDetail:
    """Return a job with the last lines of its log, the oldest first."""
    return {**job_row(job), "log": job.log}


def percent(job: Job) -> int | None:
    """Return how much of the current step is done, in percent; None if that is not known."""
    if job.state == Job.State.SUCCEEDED:
        return 100
    return min(100, 100 * job.done // job.total) if job.total else None
