"""Jobs: work that somebody waits for, done by one worker at a time, and ended by a deadline whatever happens.

Later rooms register here what they do (`@job_handler`); nothing here knows what that is. A worker may be killed at any
point: its lease runs out, and the sweep hands the job to another, which does it from the start.
"""

import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Func, JSONField, QuerySet, Value
from django.utils import timezone

from archive.errors import ArchiveError, BusyError
from archive.timeline import queries
from archive.timeline.errors import LeaseLostError, NotYetError
from archive.timeline.models import Job
from archive.timeline.news import announce
from archive.timeline.work.leases import Heartbeat, held, release, take
from archive.timeline.work.schedule import QUICK, backoff, later

logger = logging.getLogger(__name__)

# How long a worker does jobs of one kind before it takes up other work.
JOBS_SECONDS = 60.0
# How old a job has to be for the sweep: younger ones are left to their nudge.
SWEEP_PATIENCE = timedelta(seconds=5)
LOG_LINES = 200
LOG_CHARACTERS = 1000


def _logged(text: str) -> Func:
    """Return the job's log with another line, and without the oldest when there are too many."""
    line = orjson.dumps({"at": timezone.now(), "text": text[:LOG_CHARACTERS]}).decode()
    kept = f"CASE WHEN jsonb_array_length(log) >= {LOG_LINES} THEN log - 0 ELSE log END"
    return Func(Value(line), template=f"({kept} || %(expressions)s::jsonb)", output_field=JSONField())


@dataclass
class RunningJob:
    """A job that its handler works on."""

    row: Job
    heartbeat: Heartbeat = field(init=False)

    def __post_init__(self) -> None:
        self.heartbeat = Heartbeat(self.row)

    def step(self, name: str, *, total: int | None = None) -> None:
        """Record which step has begun, and how much of it there is to do."""
        self.heartbeat.beat_now(step=name, done=0, total=total, log=_logged(f"Step: {name}"))

    def log(self, text: str) -> None:
        """Write a line into the job's log."""
        self.heartbeat.beat_now(log=_logged(text))

    def finish(self) -> None:
        """End the job as done, in the caller's transaction, before the caller takes the lock of a dataset.

        What is done in that transaction is then done exactly if the job says so. Raises LeaseLostError if somebody
        has cancelled the job, or taken it over: then it must not be done.
        """
        if not end_job(self.row, succeeded=True):
            raise LeaseLostError

    def progress(self, done: int) -> None:
        """Record how much of the step is done; cheap enough to call often."""
        self.heartbeat.beat(done=done)


@dataclass(frozen=True)
class JobKind:
    """A registered kind of job.

    `handle` does the work, idempotently from the start. `failed` is called, in the transaction that ends the job,
    when it ends without success: what waited for the job must then be told.
    """

    name: str
    handle: Callable[[RunningJob], None]
    failed: Callable[[Job, str], None] | None
    queue: str
    attempts: int
    deadline: timedelta


JOBS: dict[str, JobKind] = {}


def job_handler(
    name: str,
    *,
    deadline: timedelta,
    queue: str = QUICK,
    attempts: int = 8,
    failed: Callable[[Job, str], None] | None = None,
) -> Callable[[Callable[[RunningJob], None]], Callable[[RunningJob], None]]:
    """Register the decorated function as the handler of jobs of kind `name`."""

    def register(handle: Callable[[RunningJob], None]) -> Callable[[RunningJob], None]:
        JOBS[name] = JobKind(name, handle, failed, queue, attempts, deadline)
        return handle

    return register


def drain_due_jobs(kind: str) -> bool:
    """Do the jobs of a kind that are due, one by one; return True when none is left, False after JOBS_SECONDS."""
    until = monotonic() + JOBS_SECONDS
    while monotonic() < until:
        row = _lease(kind=kind)
        if row is None:
            return True
        _do(row)
    return False


def run_job(job_id: uuid.UUID) -> bool:
    """Do one job; return False if it is not open, not due, or somebody else is at work on it."""
    row = _lease(pk=job_id)
    if row is None:
        return False
    return _do(row)


def _do(row: Job) -> bool:
    """Do a leased job; return False if the lease was lost over it.

    The handler's ArchiveError ends the job: trying again would not help. What has to wait, for something or for a
    service that is away, waits until the deadline if need be. Any other error is tried again with back-off until the
    kind's attempts or the deadline are used up. (A worker that is killed has not tried: its jobs are taken up again
    until their deadline.)
    """
    kind = JOBS[row.kind]
    try:
        kind.handle(RunningJob(row))
    except LeaseLostError:
        return False
    except NotYetError as not_yet:
        _requeue(row, not_yet.reason, next_attempt=later(not_yet.retry_after), attempts=0)
    except BusyError as busy:
        _requeue(row, busy.message, next_attempt=later(busy.retry_after), attempts=0)
    except ArchiveError as error:
        end_job(row, succeeded=False, reason=str(error))
    except Exception as error:
        logger.exception("Job %s failed", row)
        _try_job_again(row, kind, f"{type(error).__name__}: {error}")
    else:
        end_job(row, succeeded=True)
    return True


def expire_job(row: Job) -> None:
    """End a job whose deadline has passed, and take the lease from whoever works on it."""
    end_job(row, succeeded=False, reason=row.reason or "It was not done by its deadline.")


def _lease(**which: object) -> Job | None:
    """Take the lease of the first of these jobs that is open, due and in nobody's hands, and return the job."""
    row = take(queries.jobs_due().filter(**which), _begin)
    if row is not None:
        announce(row.dataset_id, row.pk)
    return row


def _begin(row: Job) -> None:
    row.state = Job.State.RUNNING
    row.attempts += 1
    row.started = row.started or timezone.now()


def _requeue(row: Job, reason: str, **updates: object) -> None:
    release(row, state="queued", reason=reason, log=_logged(reason), **updates)
    announce(row.dataset_id, row.pk)


def _try_job_again(row: Job, kind: JobKind, reason: str) -> None:
    if row.attempts >= kind.attempts or row.deadline <= timezone.now():
        end_job(row, succeeded=False, reason=reason)
        return
    _requeue(row, reason, next_attempt=timezone.now() + backoff(row.attempts - 1))


def end_job(row: Job, *, succeeded: bool, reason: str = "") -> bool:
    """End the job; return False if it has ended or another worker holds it. A failure includes its kind's `failed`."""
    return _end(row, held(row), Job.State.SUCCEEDED if succeeded else Job.State.FAILED, reason)


def end_cancelled(row: Job, *, reason: str) -> bool:
    """End the job as cancelled, whoever is at work on it; return False if it has ended already.

    Its kind's `failed` is part of that, as of a failure. A worker notices at its next heartbeat, and stops.
    """
    return _end(row, Job.objects.filter(pk=row.pk), Job.State.CANCELLED, reason)


def _end(row: Job, rows: QuerySet[Job], state: Job.State, reason: str) -> bool:
    if state not in Job.UNDONE:
        return _settle(row, rows, state, reason)
    with transaction.atomic():
        if not _settle(row, rows, state, reason):
            return False
        # A kind that is not registered any more has no `failed` to call.
        kind = JOBS.get(row.kind)
        if kind is not None and kind.failed is not None:
            kind.failed(row, reason)
    return True


def _settle(row: Job, rows: QuerySet[Job], state: Job.State, reason: str) -> bool:
    line = f"{state.label}: {reason}" if reason else state.label
    end = {"state": state, "reason": reason, "ended": timezone.now(), "lease": None, "leased_until": None}
    if not rows.filter(ended__isnull=True).update(**end, log=_logged(line)):
        return False
    row.state = state
    announce(row.dataset_id, row.pk)
    return True


def queue_again(row: Job, *, line: str) -> bool:
    """Queue a failed or cancelled job again; return False if it is neither, or an open job has its kind and subject."""
    if row.kind not in JOBS:
        return False
    now = timezone.now()
    fresh = {"state": Job.State.QUEUED, "ended": None, "reason": "", "attempts": 0, "next_attempt": now}
    progress = {"step": "", "done": 0, "total": None, "started": None, "deadline": now + JOBS[row.kind].deadline}
    with suppress(IntegrityError), transaction.atomic():
        undone = Job.objects.filter(pk=row.pk, state__in=Job.UNDONE)
        if undone.update(**fresh, **progress, log=_logged(line)):
            announce(row.dataset_id, row.pk)
            return True
    return False
