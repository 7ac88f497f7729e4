"""Leases: which worker is at work on a projection or a job, until when, and for how long at one go.

Both are taken, kept, and given back in the same way.
"""

import math
import uuid
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from archive.timeline.errors import LeaseLostError, TimeSliceOverError
from archive.timeline.models import Job, Projection
from archive.timeline.news import announce
from archive.timeline.queries import free

LEASE = timedelta(seconds=30)
HEARTBEAT_SECONDS = 2.0


Leased = TypeVar("Leased", Projection, Job)


def take(rows: QuerySet[Leased], begin: Callable[[Leased], None]) -> Leased | None:
    """Take the lease of the first of the rows that nobody is at work on, and return it; None if there is none.

    `begin` changes what else is to be changed of the row. Rows that somebody else is just taking are passed over.
    """
    now = timezone.now()
    with transaction.atomic():
        row = rows.filter(free(now)).select_for_update(skip_locked=True).first()
        if row is None:
            return None
        row.lease, row.leased_until = uuid.uuid4(), now + LEASE
        begin(row)
        row.save()
    return row


def held(row: Projection | Job) -> QuerySet[Any]:
    """Return the row as a query, which is empty once another worker has taken the lease."""
    rows: QuerySet[Any] = type(row).objects.all()
    return rows.filter(pk=row.pk, lease=row.lease)


def release(row: Projection | Job, **updates: object) -> bool:
    """Release the lease and store `updates` on the row; False if another worker has the lease."""
    return bool(held(row).update(lease=None, leased_until=None, **updates))


class Heartbeat:
    """The heartbeat of work in progress, which renews its lease. Long work calls `beat()` in its loops."""

    def __init__(self, row: Projection | Job, *, slice_seconds: float = math.inf) -> None:
        self._row = row
        self._last = monotonic()
        self._slice_ends = self._last + slice_seconds

    def beat(self, **updates: object) -> None:
        """Renew the lease, if it is time to; cheap enough to call in any loop.

        Raises LeaseLostError when another worker has it, and TimeSliceOverError when this one is to do other work
        first: stop at once and touch nothing.
        """
        if monotonic() >= self._slice_ends:
            raise TimeSliceOverError
        if monotonic() - self._last >= HEARTBEAT_SECONDS:
            self.beat_now(**updates)

    def beat_now(self, **updates: object) -> None:
        """Renew the lease and store `updates` on the row in the same statement."""
        self._last = monotonic()
        if not held(self._row).update(leased_until=timezone.now() + LEASE, **updates):
            raise LeaseLostError
        if isinstance(self._row, Job):
            announce(self._row.dataset_id, self._row.pk)
