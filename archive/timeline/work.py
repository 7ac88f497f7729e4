"""Running what follows the timeline: projections with a lease and a cursor, jobs with a lease and a deadline.

Later rooms register here what they do (`@projection`, `@job_handler`); nothing here knows what that is. A worker may
be killed at any point: its lease runs out, and the sweep hands the work to another, from the last cursor or start.
"""

import logging
import math
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Func, JSONField, QuerySet, Value
from django.utils import timezone

from archive.errors import ArchiveError, BusyError
from archive.timeline import queries
from archive.timeline.errors import LeaseLostError, NotYetError, TurnOverError
from archive.timeline.leases import LEASE, Heartbeat, held, release
from archive.timeline.models import Job, Projection
from archive.timeline.news import announce

logger = logging.getLogger(__name__)

# The queues: one that somebody looks at and waits for, and one for what may take long.
QUICK = "quick"
BULK = "bulk"

# A worker takes up other work after it has done jobs of a kind for so long.
JOBS_SECONDS = 60.0
# The sweep leaves new jobs to their nudge for so long.
SWEEP_PATIENCE = timedelta(seconds=5)
# Nobody who waits for something quick is kept waiting much longer than this by what takes long.
TURN_SECONDS = 2.0
MAX_BACKOFF = timedelta(minutes=10)
MAX_ROUNDS = 20
TURN_OVER = "It takes a while; it goes on among other work that does."
LOG_LINES = 200
LOG_CHARACTERS = 1000


def _logged(text: str) -> Func:
    """The job's log with another line; the oldest goes when there are too many."""
    line = orjson.dumps({"at": timezone.now(), "text": text[:LOG_CHARACTERS]}).decode()
    kept = f"CASE WHEN jsonb_array_length(log) >= {LOG_LINES} THEN log - 0 ELSE log END"
    return Func(Value(line), template=f"({kept} || %(expressions)s::jsonb)", output_field=JSONField())


# --- Projections ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Span:
    """The changes of one dataset that a projection has to follow: those after `since`, up to and with `target`."""

    dataset_id: int
    since: int
    target: int
    heartbeat: Heartbeat


# Brings what it projects along a span; must be idempotent. Returns when there, raises NotYetError to wait.
Advance = Callable[[Span], None]


@dataclass(frozen=True)
class ProjectionKind:
    """A registered projection.

    With a `quiet` time it waits until a dataset has been left alone for so long; what reads the results of another
    projection is nudged `after` that one has advanced. One that is not `prompt` is left to the sweep, every few
    seconds: what it does costs less for many changes at once.
    """

    name: str
    advance: Advance
    queue: str
    quiet: timedelta
    after: str
    is_prompt: bool

    @property
    def turn_seconds(self) -> float:
        """How long it may take on its queue before it has to go on among what takes long."""
        return TURN_SECONDS if self.queue == QUICK else math.inf


PROJECTIONS: dict[str, ProjectionKind] = {}


def projection(
    name: str, *, queue: str = QUICK, quiet: timedelta = timedelta(0), after: str = "", prompt: bool = True
) -> Callable[[Advance], Advance]:
    """Register the decorated function as the projection `name`."""

    def register(advance: Advance) -> Advance:
        PROJECTIONS[name] = ProjectionKind(name, advance, queue, quiet, after, prompt)
        return advance

    return register


def prompt_projections() -> list[ProjectionKind]:
    """The projections that follow each change at once: they wait for no quiet, no other, no sweep."""
    return [kind for kind in PROJECTIONS.values() if kind.is_prompt and not kind.quiet and not kind.after]


def followers(name: str) -> list[ProjectionKind]:
    """The projections that read the results of this one."""
    return [kind for kind in PROJECTIONS.values() if kind.after == name]


def advance_projection(dataset_id: int, name: str, *, turn_seconds: float = math.inf) -> bool:
    """Bring one projection of one dataset up to date. False when somebody else is at work on it.

    Errors are caught, kept on the row and tried again with back-off: a projection never ends other than up to date,
    or waiting or failing with a reason that can be seen. Raises TurnOverError when it takes longer than `turn_seconds`;
    it then waits for whoever comes first, the caller's message or the sweep.
    """
    row = _lease_projection(dataset_id, name) or _pass_on(dataset_id, name)
    if row is None:
        return False
    for _ in range(MAX_ROUNDS):
        if not _advance_once(PROJECTIONS[name], row, turn_seconds):
            return True
        # A nudge that came meanwhile found the lease taken: look once more, in its stead.
        again = _lease_projection(dataset_id, name)
        if again is None:
            return True
        row = again
    release(row)
    return True


def _advance_once(kind: ProjectionKind, row: Projection, turn_seconds: float) -> bool:
    """One run with the lease that `row` holds, which it gives back. True if somebody has had news meanwhile."""
    target = queries.position(row.dataset_id)
    try:
        _wait_for_quiet(kind, row.dataset_id)
        kind.advance(Span(row.dataset_id, row.cursor, target, Heartbeat(row, turn_seconds=turn_seconds)))
    except LeaseLostError:
        return False
    except TurnOverError:
        release(row, state="waiting", reason=TURN_OVER, next_attempt=timezone.now(), attempts=0)
        raise
    except NotYetError as not_yet:
        release(row, state="waiting", reason=not_yet.reason, next_attempt=_after(not_yet.retry_after), attempts=0)
        return _is_nudged(row)
    except Exception as error:
        logger.exception("Projection %s of dataset %s failed", kind.name, row.dataset_id)
        release(
            row,
            state="failing",
            reason=f"{type(error).__name__}: {error}",
            next_attempt=timezone.now() + backoff(row.attempts),
            attempts=row.attempts + 1,
        )
        return False
    release(row, state="following", reason="", cursor=target, next_attempt=None, attempts=0, advanced=timezone.now())
    return _is_nudged(row)


def _is_nudged(row: Projection) -> bool:
    return Projection.objects.filter(pk=row.pk, nudged=True).exists()


def _pass_on(dataset_id: int, name: str) -> Projection | None:
    """Tell whoever is at work to look once more; the lease after all, if they let go before they could see that."""
    Projection.objects.filter(dataset_id=dataset_id, name=name).update(nudged=True)
    return _lease_projection(dataset_id, name)


def _wait_for_quiet(kind: ProjectionKind, dataset_id: int) -> None:
    if not kind.quiet:
        return
    since = timezone.now() - queries.changed(dataset_id)
    if since < kind.quiet:
        raise NotYetError("The dataset is being changed.", retry_after=(kind.quiet - since).total_seconds())


def _lease_projection(dataset_id: int, name: str) -> Projection | None:
    now = timezone.now()
    taken = Projection.objects.raw(
        """
        INSERT INTO archive_projection
               (dataset_id, name, cursor, state, reason, attempts, lease, leased_until, nudged)
        VALUES (%(dataset)s, %(name)s, 0, 'following', '', 0, %(lease)s, %(until)s, false)
            ON CONFLICT (dataset_id, name) DO UPDATE
           SET lease = EXCLUDED.lease, leased_until = EXCLUDED.leased_until, nudged = false
         WHERE archive_projection.leased_until IS NULL OR archive_projection.leased_until < %(now)s
        RETURNING *
        """,
        {"dataset": dataset_id, "name": name, "lease": uuid.uuid4(), "until": now + LEASE, "now": now},
    )
    return next(iter(taken), None)


def backoff(attempts: int) -> timedelta:
    """How long to wait after the attempt that follows `attempts` failed ones: 1 s, 2 s, 4 s ... at most 10 minutes."""
    return min(timedelta(seconds=2 ** min(attempts, 16)), MAX_BACKOFF)


def _after(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


# --- Jobs -------------------------------------------------------------------------------------------------------------


@dataclass
class RunningJob:
    """A job in the hands of its handler."""

    row: Job
    heartbeat: Heartbeat = field(init=False)

    def __post_init__(self) -> None:
        self.heartbeat = Heartbeat(self.row)

    def step(self, name: str, *, total: int | None = None) -> None:
        """Say which step has begun, and how much of it there is to do."""
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
        """Say how much of the step is done; cheap enough to call often."""
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


def run_due_jobs(kind: str) -> bool:
    """Do the jobs of a kind that are due, one after the other; False when some may be left after JOBS_SECONDS."""
    until = monotonic() + JOBS_SECONDS
    while monotonic() < until:
        row = _lease(kind=kind)
        if row is None:
            return True
        _do(row)
    return False


def run_job(job_id: uuid.UUID) -> bool:
    """Do one job, if it is open, due and nobody else is at work on it; False otherwise."""
    row = _lease(job_id=job_id)
    if row is None:
        return False
    return _do(row)


def _do(row: Job) -> bool:
    """Do a leased job; False if the lease was lost over it.

    The handler's ArchiveError ends the job: trying again would not help. What has to wait, for something or for a
    service that is away, waits until the deadline if need be. Any other error is tried again with back-off until the
    kind's attempts or the deadline are used up.
    """
    kind = JOBS[row.kind]
    try:
        kind.handle(RunningJob(row))
    except LeaseLostError:
        return False
    except NotYetError as not_yet:
        _requeue(row, not_yet.reason, next_attempt=_after(not_yet.retry_after), attempts=0)
    except BusyError as busy:
        _requeue(row, busy.message, next_attempt=_after(busy.retry_after), attempts=0)
    except ArchiveError as error:
        end_job(row, succeeded=False, reason=str(error))
    except Exception as error:
        logger.exception("Job %s failed", row)
        _try_job_again(row, kind, f"{type(error).__name__}: {error}")
    else:
        end_job(row, succeeded=True)
    return True


def expire_job(row: Job) -> None:
    """End a job whose deadline has passed, whoever is at work on it: their lease is gone with it."""
    end_job(row, succeeded=False, reason=row.reason or "It was not done by its deadline.")


def _lease(kind: str | None = None, job_id: uuid.UUID | None = None) -> Job | None:
    """Take the first job, of a kind or with an id, that is open, due and in nobody's hands."""
    now = timezone.now()
    taken = Job.objects.raw(
        """
        UPDATE archive_job
           SET lease = %(lease)s, leased_until = %(until)s, state = 'running', attempts = attempts + 1,
               started = COALESCE(started, %(now)s)
         WHERE id = (SELECT id FROM archive_job
                      WHERE (kind = %(kind)s OR id = %(id)s) AND ended IS NULL AND next_attempt <= %(now)s
                        AND (leased_until IS NULL OR leased_until < %(now)s)
                      ORDER BY next_attempt LIMIT 1
                        FOR UPDATE SKIP LOCKED)
        RETURNING *
        """,
        {"kind": kind, "id": job_id, "lease": uuid.uuid4(), "until": now + LEASE, "now": now},
    )
    row = next(iter(taken), None)
    if row is not None:
        announce(row.dataset_id, row.pk)
    return row


def _requeue(row: Job, reason: str, **updates: object) -> None:
    release(row, state="queued", reason=reason, log=_logged(reason), **updates)
    announce(row.dataset_id, row.pk)


def _try_job_again(row: Job, kind: JobKind, reason: str) -> None:
    if row.attempts >= kind.attempts or row.deadline <= timezone.now():
        end_job(row, succeeded=False, reason=reason)
        return
    _requeue(row, reason, next_attempt=timezone.now() + backoff(row.attempts - 1))


def end_job(row: Job, *, succeeded: bool, reason: str = "") -> bool:
    """End the job, unless it has ended or another worker holds it; on failure its kind's `failed` is part of that."""
    return _end(row, held(row), Job.State.SUCCEEDED if succeeded else Job.State.FAILED, reason)


def cancel_job(row: Job, *, reason: str) -> bool:
    """End the job as cancelled, whoever is at work on it; False if it has ended already.

    Its kind's `failed` is part of that, as of a failure. A worker notices at its next heartbeat, and stops.
    """
    return _end(row, Job.objects.filter(pk=row.pk), Job.State.CANCELLED, reason)


def _end(row: Job, rows: QuerySet[Job], state: Job.State, reason: str) -> bool:
    if state not in Job.UNDONE:
        return _settle(row, rows, state, reason)
    with transaction.atomic():
        if not _settle(row, rows, state, reason):
            return False
        # Of a kind that there is no longer, nothing waits to be told.
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


def reopen_job(row: Job, *, line: str) -> bool:
    """Do a job once more that has failed or was cancelled; False if it has not, or another is open about the same."""
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
