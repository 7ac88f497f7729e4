"""The timeline's doors for workers: one for projections, one for jobs, and the sweeps that find what a nudge lost."""

import contextlib
from uuid import UUID

from celery import shared_task
from django.core.cache import cache
from redis.exceptions import RedisError

from archive.timeline import queries, work

# A lease outlives no worker, so a hard limit needs only to be longer than any honest piece of work.
HOUR = 3600


def nudge_mark(dataset_id: int, name: str) -> str:
    """The cache key that says a nudge is on its way."""
    return f"nudge:{dataset_id}:{name}"


@shared_task(soft_time_limit=12 * HOUR, time_limit=12 * HOUR + 60)
def advance_projection_task(dataset_id: int, name: str) -> None:
    """Bring one projection of one dataset up to date."""
    with contextlib.suppress(RedisError):
        # From here on a new change needs a new nudge: this run may already have looked past it.
        cache.delete(nudge_mark(dataset_id, name))
    work.advance_projection(dataset_id, name)


@shared_task(soft_time_limit=24 * HOUR, time_limit=24 * HOUR + 60)
def run_job_task(job_id: str) -> None:
    """Do one job."""
    work.run_job(UUID(job_id))


@shared_task(soft_time_limit=30, time_limit=60)
def sweep_projections_task() -> None:
    """Nudge every projection that lies behind and is not being worked on."""
    for dataset_id, name in queries.projections_behind(list(work.PROJECTIONS)):
        advance_projection_task.apply_async((dataset_id, name), queue=work.PROJECTIONS[name].queue)


@shared_task(soft_time_limit=30, time_limit=60)
def sweep_jobs_task() -> None:
    """End the jobs that are past their deadline; nudge those that are due and not being worked on."""
    for job in queries.jobs_overdue():
        work.expire_job(job)
    for job in queries.jobs_due(patience=work.SWEEP_PATIENCE):
        run_job_task.apply_async((str(job.id),), queue=work.JOBS[job.kind].queue)
