"""Jobs as JSON, for all faces."""

from typing import Any

from archive.timeline.models import Job


def job_row(job: Job) -> dict[str, Any]:
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


def job_detail(job: Job) -> dict[str, Any]:
    """Return a job with its log, oldest line first."""
    return job_row(job) | {"log": job.log}


def percent(job: Job) -> int | None:
    """Return how much of the current step is done, in percent; None if that is not known."""
    if job.state == Job.State.SUCCEEDED:
        return 100
    return min(100, 100 * job.done // job.total) if job.total else None
