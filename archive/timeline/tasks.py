"""The tasks of the timeline: one for projections, one for jobs, and the sweeps that find what a nudge lost."""

import contextlib

from celery import shared_task
from django.core.cache import cache
from redis.exceptions import RedisError

from archive.timeline import queries
from archive.timeline.errors import TimeSliceOverError
from archive.timeline.work import jobs, projections
from archive.timeline.work.schedule import BULK

# The limit of a task, longer than any regular work takes: if the worker dies earlier, its lease expires.
HOUR = 3600


def dataset_mark(dataset_id: int) -> str:
    """Return the cache key that says that a nudge for all that follows a dataset at once is on its way."""
    return f"nudge:{dataset_id}"


def projection_mark(dataset_id: int, name: str) -> str:
    """Return the cache key that says that a nudge for a projection is on its way."""
    return f"nudge:{dataset_id}:{name}"


def jobs_mark(kind: str) -> str:
    """Return the cache key that says that a nudge for jobs of a kind is on its way."""
    return f"nudge:jobs:{kind}"


def forget_nudge(mark: str) -> None:
    """Delete the mark of a nudge, so that later changes send another: this run may miss them."""
    with contextlib.suppress(RedisError):
        cache.delete(mark)


@shared_task(soft_time_limit=12 * HOUR, time_limit=12 * HOUR + 60)
def follow_dataset_task(dataset_id: int) -> None:
    """Bring up to date, one after the other, those projections of a dataset that follow each change at once."""
    forget_nudge(dataset_mark(dataset_id))
    for name in queries.names_behind(dataset_id, [kind.name for kind in projections.prompt_projections()]):
        _advance(dataset_id, name)


@shared_task(soft_time_limit=12 * HOUR, time_limit=12 * HOUR + 60)
def advance_projection_task(dataset_id: int, name: str) -> None:
    """Bring one projection of one dataset up to date."""
    forget_nudge(projection_mark(dataset_id, name))
    _advance(dataset_id, name)


@shared_task(soft_time_limit=12 * HOUR, time_limit=12 * HOUR + 60)
def finish_projection_task(dataset_id: int, name: str) -> None:
    """Continue, on the queue `bulk`, a projection that has used up its time on the queue `quick`."""
    if projections.advance_projection(dataset_id, name):
        _advance_followers(dataset_id, name)


def _advance(dataset_id: int, name: str) -> None:
    """Advance a projection, then those that read its results. The sweep finds what a dying worker leaves undone."""
    try:
        advanced = projections.advance_projection(
            dataset_id, name, slice_seconds=projections.PROJECTIONS[name].slice_seconds
        )
    except TimeSliceOverError:
        finish_projection_task.apply_async((dataset_id, name), queue=BULK)
        return
    if advanced:
        _advance_followers(dataset_id, name)


def _advance_followers(dataset_id: int, name: str) -> None:
    for follower in projections.followers(name):
        _advance(dataset_id, follower.name)


@shared_task(soft_time_limit=24 * HOUR, time_limit=24 * HOUR + 60)
def run_due_jobs_task(kind: str) -> None:
    """Do the jobs of a kind that are due; pass on what is left after a while."""
    forget_nudge(jobs_mark(kind))
    if not jobs.drain_due_jobs(kind):
        run_due_jobs_task.apply_async((kind,), queue=jobs.JOBS[kind].queue)


@shared_task(soft_time_limit=30, time_limit=60)
def sweep_projections_task() -> None:
    """Nudge every projection that lies behind and is not being worked on."""
    for dataset_id, name in queries.projections_behind(list(projections.PROJECTIONS)):
        advance_projection_task.apply_async((dataset_id, name), queue=projections.PROJECTIONS[name].queue)


@shared_task(soft_time_limit=30, time_limit=60)
def sweep_jobs_task() -> None:
    """End the jobs that are past their deadline; nudge the kinds of which some are due and not being worked on."""
    for job in queries.jobs_overdue():
        jobs.expire_job(job)
    # Jobs of unknown kinds may be those of a newer version of the program, and are left to its workers.
    for kind in jobs.JOBS.keys() & queries.kinds_due(patience=jobs.SWEEP_PATIENCE):
        run_due_jobs_task.apply_async((kind,), queue=jobs.JOBS[kind].queue)
