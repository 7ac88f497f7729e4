"""Finding garbage (docs/decisions/garbage.md)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum
from django.utils import timezone

from archive.assets.models import Asset
from archive.blobs.models import Blob, Reception, Upload
from archive.datasets.models import Version
from archive.garbage.models import GarbageEvent
from archive.timeline.models import Change

Kind = GarbageEvent.Kind

AGE = timedelta(days=7)
UNDO_WINDOW = timedelta(days=30)


@dataclass(frozen=True)
class GarbageTotals:
    """The number and size of the garbage of a kind."""

    kind: str
    count: int
    size: int


def garbage(kind: str, older_than: timedelta = AGE) -> QuerySet[Any]:
    """Return the rows of a kind that have been garbage for at least this long."""
    before = timezone.now() - older_than
    if kind == Kind.ASSETS:
        return _unseen_assets(before)
    if kind == Kind.BLOBS:
        used = Asset.objects.filter(blob=OuterRef("pk"))
        return Blob.objects.filter(~Exists(used), created__lt=before)
    if kind == Kind.RECEPTIONS:
        return Reception.objects.filter(modified__lt=before)
    return Upload.objects.filter(created__lt=before)


def _unseen_assets(before: datetime) -> QuerySet[Asset]:
    """Return the assets that left the draft before that moment and that no version shows."""
    retirement = Change.objects.filter(
        dataset_id=OuterRef("dataset_id"), number=OuterRef("retired"), recorded__lt=before
    )
    shown = Version.objects.filter(
        dataset=OuterRef("dataset"), at__gte=OuterRef("introduced"), at__lt=OuterRef("retired")
    )
    return Asset.objects.filter(~Exists(shown), Exists(retirement), retired__gt=F("introduced"))


def garbage_totals(kind: str, older_than: timedelta = AGE) -> GarbageTotals:
    """Return the number and size of the garbage of a kind."""
    sums = garbage(kind, older_than).aggregate(count=Count("pk"), size=Sum("size"))
    return GarbageTotals(kind, sums["count"], sums["size"] or 0)


def events() -> QuerySet[GarbageEvent]:
    """Return the events of collection, newest first."""
    return GarbageEvent.objects.order_by("-created", "-pk")


def events_to_purge() -> QuerySet[GarbageEvent]:
    """Return the events that are too old to be undone, and are not purged yet."""
    due = timezone.now() - UNDO_WINDOW
    return GarbageEvent.objects.filter(created__lt=due, undone=None, purged=None).order_by("created")
