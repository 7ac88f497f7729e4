"""Appending to the timeline, and starting jobs. Both inside the caller's transaction; nudges go out after commit."""

import logging
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from psycopg.types.json import Jsonb
from redis.exceptions import RedisError

from archive.statements import find_rows
from archive.timeline import queries, tasks
from archive.timeline.models import Author, Change, Job, Projection, Timeline
from archive.timeline.news import announce
from archive.timeline.work import jobs, projections

logger = logging.getLogger(__name__)

# Many changes in a row need one nudge: the first sets a mark, which the worker removes when it starts.
NUDGE_MARK_SECONDS = 3
# Long enough to gather the changes of a busy client into one run, short enough not to be felt.
NUDGE_DELAY_SECONDS = 0.2

NEXT_CHANGE = """
    WITH head AS (
        INSERT INTO archive_timeline (dataset_id, number, changed) VALUES (%(dataset)s, 1, now())
        ON CONFLICT (dataset_id) DO UPDATE SET number = archive_timeline.number + 1, changed = clock_timestamp()
        RETURNING number
    )
    INSERT INTO archive_change
           (dataset_id, number, kind, recorded, user_id, token_id, author_name, author_email, details)
    SELECT %(dataset)s, number, %(kind)s, clock_timestamp(), %(user)s::bigint, %(token)s::bigint,
           %(name)s, %(email)s, %(details)s
      FROM head
    RETURNING id, number, recorded
"""


def hold(dataset_id: int) -> None:
    """Make every other writer of the dataset wait until the caller's transaction ends; what is read now stays true."""
    list(Timeline.objects.select_for_update().filter(dataset_id=dataset_id))


def append(dataset_id: int, kind: Change.Kind, author: Author, details: dict[str, Any]) -> Change:
    """Append the dataset's next change and return it.

    Must run in the transaction that makes the change, after `hold` if that reads what it is about to write. Other
    writers of this dataset wait until that transaction ends; so numbers have no gaps, and become visible in order.
    """
    change = Change(
        dataset_id=dataset_id,
        kind=kind,
        user_id=author.user_id,
        token_id=author.token_id,
        author_name=author.name,
        author_email=author.email,
        details=details,
    )
    values = {"dataset": dataset_id, "kind": kind, "user": author.user_id, "token": author.token_id}
    values |= {"name": author.name, "email": author.email, "details": Jsonb(details)}
    [(change.pk, change.number, change.recorded)] = find_rows(NEXT_CHANGE, values)
    change._state.adding = False  # noqa: SLF001 - as Django says it of its own
    transaction.on_commit(partial(nudge, dataset_id))
    announce(dataset_id)
    return change


def nudge(dataset_id: int, *names: str) -> None:
    """Ask a worker to advance the named projections of a dataset, or else those that follow each change at once.

    Never fails: there is the sweep.
    """
    if not names:
        follow = partial(tasks.follow_dataset_task.apply_async, (dataset_id,), countdown=NUDGE_DELAY_SECONDS)
        _send_once(tasks.dataset_mark(dataset_id), follow)
    for name in names:
        advance = partial(
            tasks.advance_projection_task.apply_async,
            (dataset_id, name),
            queue=projections.PROJECTIONS[name].queue,
            countdown=NUDGE_DELAY_SECONDS,
        )
        _send_once(tasks.projection_mark(dataset_id, name), advance)


def follow_newest_again(dataset_id: int, name: str) -> None:
    """Have a projection follow the newest change once more, as `follow_again` does."""
    follow_again(dataset_id, name, after=queries.position(dataset_id) - 1)


def follow_again(dataset_id: int, name: str, *, after: int = 0) -> None:
    """Have a projection follow all changes after one of them, whatever it has done already: in this transaction."""
    Projection.objects.filter(dataset_id=dataset_id, name=name).update(cursor=after, next_attempt=None)
    transaction.on_commit(partial(nudge, dataset_id, name))


def _nudge_jobs(kind: str) -> None:
    task = partial(
        tasks.run_due_jobs_task.apply_async, (kind,), queue=jobs.JOBS[kind].queue, countdown=NUDGE_DELAY_SECONDS
    )
    _send_once(tasks.jobs_mark(kind), task)


def _send_once(mark: str, send: Callable[[], object]) -> None:
    """Send a nudge, unless the same is on its way already, or the broker is away."""
    try:
        if cache.add(mark, 1, timeout=NUDGE_MARK_SECONDS):
            send()
    except (OperationalError, RedisError, OSError):
        logger.warning("No nudge sent (%s): the broker is away", mark)


def start_job(
    kind: str,
    *,
    subject: str,
    dataset_id: int | None = None,
    author: Author | None = None,
    arguments: dict[str, Any] | None = None,
) -> None:
    """Start a job of a registered kind about `subject`, unless there is an open one."""
    now = timezone.now()
    job = Job(
        kind=kind,
        subject=subject,
        dataset_id=dataset_id,
        user_id=author.user_id if author else None,
        arguments=arguments or {},
        next_attempt=now,
        deadline=now + jobs.JOBS[kind].deadline,
    )
    Job.objects.bulk_create([job], ignore_conflicts=True)
    transaction.on_commit(partial(_nudge_jobs, kind))
    announce(dataset_id, job.pk)


def stop_job(job: Job, author: Author) -> bool:
    """End a job before it is done, for `author`; return False if it has ended already."""
    return jobs.end_cancelled(job, reason=f"Cancelled by {author.name}.")


def reopen_job(job: Job, author: Author) -> bool:
    """Have a job that failed or was cancelled done once more, for `author`; return False if it cannot be."""
    is_open = jobs.queue_again(job, line=f"Tried again by {author.name}.")
    if is_open:
        transaction.on_commit(partial(_nudge_jobs, job.kind))
    return is_open


def make_jobs_due(ids: Sequence[uuid.UUID]) -> int:
    """Make waiting jobs due now, for the next sweep; return how many."""
    waiting = Job.objects.filter(pk__in=ids, ended__isnull=True, lease__isnull=True)
    return waiting.update(next_attempt=timezone.now())


def make_projections_due(ids: Sequence[int]) -> int:
    """Make waiting projections due now, for the next sweep; return how many."""
    waiting = Projection.objects.filter(pk__in=ids, lease__isnull=True, next_attempt__isnull=False)
    return waiting.update(next_attempt=timezone.now())
