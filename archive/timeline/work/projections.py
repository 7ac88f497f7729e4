"""Projections: data derived from the changes of a dataset, brought up to date by one worker at a time.

The words: a *cursor* is the change that the data are up to date with; a *lease* lets one worker advance it, for a
time; a *nudge* is a message to a worker that there is something to do, and its *mark* keeps others from sending the
same; a *sweep* finds by the clock what a lost nudge was about; a *slice* is the time it may take on the queue `quick`.

Later rooms register here what they do (`@projection`); nothing here knows what that is. A worker may be killed at any
point: its lease runs out, and the sweep hands the work to another, from the last cursor.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from archive.timeline import queries
from archive.timeline.errors import LeaseLostError, NotYetError, TimeSliceOverError
from archive.timeline.models import Projection
from archive.timeline.work.leases import Heartbeat, release, take
from archive.timeline.work.schedule import QUICK, backoff, later

logger = logging.getLogger(__name__)

# How long a projection may keep the quick queue to itself: other work waits there.
SLICE_SECONDS = 2.0
MAX_ROUNDS = 20
SLICE_OVER = "This takes longer than usual, and goes on in the queue for long work."


@dataclass(frozen=True)
class Span:
    """The changes of one dataset that a projection has to follow: those after `since`, up to and with `target`."""

    dataset_id: int
    since: int
    target: int
    heartbeat: Heartbeat


# Advances a projection over a span, idempotently; returns when it is at the target, raises NotYetError to wait.
Advance = Callable[[Span], None]


@dataclass(frozen=True)
class ProjectionKind:
    """A registered projection.

    With a `quiet` time it waits until a dataset has not been changed for so long. `after` names a projection whose
    results it reads: it is nudged when that one has advanced. Unless it is `prompt` only the sweep starts it, every few
    seconds: what it does costs less for many changes at once.
    """

    name: str
    advance: Advance
    queue: str
    quiet: timedelta
    after: str
    is_prompt: bool

    @property
    def slice_seconds(self) -> float:
        """Return for how many seconds it may run on its queue before it has to go on in the queue `bulk`."""
        return SLICE_SECONDS if self.queue == QUICK else math.inf


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
    """Return the projections that follow each change at once: they wait for no quiet, no other, no sweep."""
    return [kind for kind in PROJECTIONS.values() if kind.is_prompt and not kind.quiet and not kind.after]


def followers(name: str) -> list[ProjectionKind]:
    """Return the projections that read the results of this one."""
    return [kind for kind in PROJECTIONS.values() if kind.after == name]


def advance_projection(dataset_id: int, name: str, *, slice_seconds: float = math.inf) -> bool:
    """Bring one projection of one dataset up to date; return False if another worker holds its lease.

    Errors are caught, kept on the row and tried again with back-off: a projection never ends other than up to date,
    or waiting or failing with a reason that can be seen. Raises TimeSliceOverError when it takes longer than
    `slice_seconds`; it then goes on with the caller's message or the sweep, whichever comes first.
    """
    row = _lease(dataset_id, name) or _begin_or_pass_on(dataset_id, name)
    if row is None:
        return False
    for _ in range(MAX_ROUNDS):
        if not _advance_once(PROJECTIONS[name], row, slice_seconds):
            return True
        # A nudge that came meanwhile found the lease taken, and did nothing: advance once more instead.
        again = _lease(dataset_id, name)
        if again is None:
            return True
        row = again
    release(row)
    return True


def _advance_once(kind: ProjectionKind, row: Projection, slice_seconds: float) -> bool:
    """Advance a projection with the lease that `row` holds, and give it back; return True if nudged meanwhile."""
    target = queries.position(row.dataset_id)
    try:
        _wait_for_quiet(kind, row.dataset_id)
        kind.advance(Span(row.dataset_id, row.cursor, target, Heartbeat(row, slice_seconds=slice_seconds)))
    except LeaseLostError:
        return False
    except TimeSliceOverError:
        release(row, state="waiting", reason=SLICE_OVER, next_attempt=timezone.now(), attempts=0)
        raise
    except NotYetError as not_yet:
        release(row, state="waiting", reason=not_yet.reason, next_attempt=later(not_yet.retry_after), attempts=0)
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


def _lease(dataset_id: int, name: str) -> Projection | None:
    return take(Projection.objects.filter(dataset_id=dataset_id, name=name), _heed)


def _heed(row: Projection) -> None:
    """Note that whoever takes the lease now will see all that the row was nudged for."""
    row.nudged = False


def _begin_or_pass_on(dataset_id: int, name: str) -> Projection | None:
    """Begin the projection of a dataset that has none yet, or tell whoever is at work on it to look once more.

    Returns it with a lease if it is new, or if they let go of it before they could see that.
    """
    if not Projection.objects.filter(dataset_id=dataset_id, name=name).update(nudged=True):
        Projection.objects.bulk_create([Projection(dataset_id=dataset_id, name=name)], ignore_conflicts=True)
    return _lease(dataset_id, name)


def _wait_for_quiet(kind: ProjectionKind, dataset_id: int) -> None:
    if not kind.quiet:
        return
    since = timezone.now() - queries.changed(dataset_id)
    if since < kind.quiet:
        raise NotYetError("The dataset is being changed.", retry_after=(kind.quiet - since).total_seconds())
