"""Collecting garbage when somebody asks for it, and giving it back. For who may enter the machine: nobody is asked."""

from collections.abc import Iterator
from datetime import timedelta

from django.core import serializers
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from archive.errors import ConflictError, InvalidError, NotFoundError
from archive.garbage import work
from archive.garbage.models import GarbageEvent
from archive.garbage.queries import AGE


def collect_garbage(*, kind: str, older_than: timedelta = AGE) -> Iterator[GarbageEvent]:
    """Collect all garbage of a kind, some rows at a time; yield each event of collection."""
    if older_than < timedelta(days=1):
        raise InvalidError("Rows younger than a day may still be in use.", field="older_than")
    return work.collect(kind, older_than=older_than)


def purge_garbage() -> Iterator[GarbageEvent]:
    """Delete from the store what was collected too long ago to be undone; yield each event."""
    return work.purge()


def undo_collection(*, event_id: int) -> GarbageEvent:
    """Give back the rows that an event collected, as they were.

    NotFoundError if there is no such event, InvalidError if it was undone or is being purged, ConflictError if
    something that the rows need is not there: a dataset that was deleted, blobs that were collected after them.
    """
    try:
        with transaction.atomic():
            event = _undoable(event_id)
            for row in serializers.deserialize("python", event.rows):
                row.save()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            event.undone = timezone.now()
            event.save(update_fields=["undone"])
    except IntegrityError as error:
        raise ConflictError(
            "Rows that these need are missing: undo later events first. Rows of a deleted dataset cannot be given back."
        ) from error
    return event


def _undoable(event_id: int) -> GarbageEvent:
    event = GarbageEvent.objects.select_for_update().filter(pk=event_id).first()
    if event is None:
        raise NotFoundError(f"There is no garbage event {event_id}.")
    if event.undone:
        raise InvalidError(f"It was undone at {event.undone:%Y-%m-%d %H:%M}.")
    if event.purge_begun:
        raise InvalidError(f"It is too late: it was purged at {event.purge_begun:%Y-%m-%d %H:%M}.")
    return event
