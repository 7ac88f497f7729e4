"""Collecting garbage, and purging what was collected long ago. Both may be broken off at any point, and begun again."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.core import serializers
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from archive.blobs.models import Blob, blob_key
from archive.garbage.models import GarbageEvent
from archive.garbage.queries import AGE, Kind, events_to_purge, garbage
from archive.storage import services as storage

BATCH = 500


def collect(kind: str, *, older_than: timedelta = AGE) -> Iterator[GarbageEvent]:
    """Collect all garbage of a kind, some rows at a time; yield each event of collection."""
    while event := _collect_some(kind, older_than):
        _free_parts(event)
        yield event


def _collect_some(kind: str, older_than: timedelta) -> GarbageEvent | None:
    with transaction.atomic():
        # Rows that another transaction has locked are skipped; rows that are locked here cannot be attached meanwhile.
        found = garbage(kind, older_than).order_by("pk").select_for_update(skip_locked=True, of=("self",))
        locked = [row.pk for row in found[:BATCH]]
        rows = list(garbage(kind, older_than).filter(pk__in=locked))
        if not rows:
            return None
        event = GarbageEvent.objects.create(
            kind=kind, row_count=len(rows), size=sum(row.size for row in rows), rows=_as_they_are(rows)
        )
        garbage(kind, older_than).filter(pk__in=locked).delete()
    return event


def _as_they_are(rows: Sequence[Model]) -> list[Any]:
    # Django's own JSON would drop microseconds.
    described: list[Any] = orjson.loads(orjson.dumps(serializers.serialize("python", rows)))
    return described


def _free_parts(event: GarbageEvent) -> None:
    """Give up the multipart uploads of what was collected, which nobody goes on with."""
    if event.kind in {Kind.UPLOADS, Kind.RECEPTIONS}:
        for row in event.rows:
            storage.abort_multipart(blob_key(UUID(row["pk"])), row["fields"]["multipart_id"])


def purge() -> Iterator[GarbageEvent]:
    """Delete from the store what was collected too long ago to be undone; yield each event."""
    for pk in list(events_to_purge().values_list("pk", flat=True)):
        event = _begin_purge(pk)
        if event is not None:
            _free_parts(event)
            _delete_objects(event)
            event.rows, event.purged = [], timezone.now()
            event.save(update_fields=["rows", "purged"])
            yield event


def _begin_purge(pk: int) -> GarbageEvent | None:
    """Mark an event as being purged, so that it cannot be undone, and return it; None if it was undone or purged."""
    with transaction.atomic():
        event = events_to_purge().select_for_update().filter(pk=pk).first()
        if event is not None and event.purge_begun is None:
            event.purge_begun = timezone.now()
            event.save(update_fields=["purge_begun"])
    return event


def _delete_objects(event: GarbageEvent) -> None:
    if event.kind == Kind.ASSETS:
        return
    ids = {UUID(row["pk"]) for row in event.rows}
    # An upload may have become a blob while it was collected: then its bytes are kept.
    used = set(Blob.objects.filter(pk__in=ids).values_list("pk", flat=True))
    for blob_id in sorted(ids - used):
        storage.delete(blob_key(blob_id))
