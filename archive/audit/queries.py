"""Events of assets: what each was added, updated or removed by (docs/dialects/dandi.md#audit).

A change of one asset is one event, and tells it itself. A batch is one change of many assets, which the rows that it
introduced and retired tell: so the events of a batch end with the dataset, or when its assets are collected as garbage.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from archive.accounts.policy import Action, Actor, blinded_dataset, require, visible_history
from archive.assets.models import Asset
from archive.assets.queries import CONTENT
from archive.datasets.models import Dataset
from archive.timeline.models import Change

KINDS = (Change.Kind.ADD_ASSET, Change.Kind.UPDATE_ASSET, Change.Kind.REMOVE_ASSET, Change.Kind.CHANGE_ASSETS)
CHANGES_AT_ONCE = 500


@dataclass(frozen=True)
class AssetEvent:
    """An asset that was added, updated or removed."""

    change: Change
    kind: str
    details: dict[str, Any]

    @property
    def path(self) -> str:
        return str(self.details.get("path", ""))


@dataclass(frozen=True)
class EventFilter:
    """A filter of events by a span of time, both ends included, and the order of the list."""

    after: datetime | None = None
    before: datetime | None = None
    newest_first: bool = False


@dataclass(frozen=True)
class EventCursor:
    """A place between two events: behind the one of that change and path, or, backwards, before it."""

    recorded: datetime
    change_id: int
    path: str
    is_backwards: bool = False

    @classmethod
    def read(cls, text: str) -> "EventCursor | None":
        """Return the cursor whose `str` is the text; None if it is no cursor's."""
        try:
            recorded, change_id, path, is_backwards = json.loads(base64.urlsafe_b64decode(text.encode()))
            cursor = cls(datetime.fromisoformat(recorded), int(change_id), str(path), bool(is_backwards))
            # Postgres cannot search for a path that is not valid Unicode.
            cursor.path.encode()
        except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
            return None
        is_possible = cursor.recorded.tzinfo is not None and 0 < cursor.change_id < 2**63 and "\0" not in cursor.path
        return cursor if is_possible else None

    def __str__(self) -> str:
        place = [self.recorded.isoformat(), self.change_id, self.path, self.is_backwards]
        return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


@dataclass(frozen=True)
class EventPage:
    """A page of events, and the cursors of the pages beside it, if there are any."""

    events: list[AssetEvent]
    following: EventCursor | None
    previous: EventCursor | None


def asset_events(actor: Actor, wanted: EventFilter, *, cursor: EventCursor | None, limit: int) -> EventPage:
    """Return a page of the events of datasets that the actor may read, who has to be staff."""
    require(actor, Action.OVERSEE)
    is_backwards = cursor is not None and cursor.is_backwards
    events = _events(_history(actor, wanted), cursor, descending=wanted.newest_first != is_backwards, limit=limit + 1)
    more, events = len(events) > limit, events[:limit]
    if is_backwards:
        events.reverse()
    has_following = is_backwards or more
    has_previous = more if is_backwards else cursor is not None
    return EventPage(
        events,
        following=_place(events[-1], is_backwards=False) if events and has_following else None,
        previous=_place(events[0], is_backwards=True) if events and has_previous else None,
    )


def _place(event: AssetEvent, *, is_backwards: bool) -> EventCursor:
    return EventCursor(event.change.recorded, event.change.pk, event.path, is_backwards)


def _events(history: QuerySet[Change], cursor: EventCursor | None, *, descending: bool, limit: int) -> list[AssetEvent]:
    events: list[AssetEvent] = []
    for change in _changes(history, cursor, descending=descending):
        behind = cursor.path if cursor and cursor.change_id == change.pk else None
        events += _events_of(change, behind, descending=descending, limit=limit - len(events))
        if len(events) >= limit:
            break
    return events


def _history(actor: Actor, wanted: EventFilter) -> QuerySet[Change]:
    """Return the changes that are asked for; changes of deleted datasets, to administrators only."""
    changes = Change.objects.filter(kind__in=KINDS)
    if not actor.is_admin:
        seen = Dataset.objects.filter(visible_history(actor, OuterRef("number")), pk=OuterRef("dataset_id"))
        changes = changes.filter(Exists(seen))
    if (blinded := blinded_dataset(actor)) is not None:
        changes = changes.exclude(dataset_id=blinded)
    if wanted.after:
        changes = changes.filter(recorded__gte=wanted.after)
    if wanted.before:
        changes = changes.filter(recorded__lte=wanted.before)
    return changes


def _changes(history: QuerySet[Change], cursor: EventCursor | None, *, descending: bool) -> Iterator[Change]:
    """Yield the changes from the cursor's on: of a batch, some events may lie before it and some behind."""
    ordered = history.order_by(*(("-recorded", "-pk") if descending else ("recorded", "pk")))
    place = (cursor.recorded, cursor.change_id) if cursor else None
    rows = list(_from(ordered, place, inclusive=True, descending=descending)[:CHANGES_AT_ONCE])
    while rows:
        yield from rows
        place = (rows[-1].recorded, rows[-1].pk)
        rows = list(_from(ordered, place, inclusive=False, descending=descending)[:CHANGES_AT_ONCE])


def _from(
    changes: QuerySet[Change], place: tuple[datetime, int] | None, *, inclusive: bool, descending: bool
) -> QuerySet[Change]:
    if place is None:
        return changes
    recorded, pk = place
    beyond = "lt" if descending else "gt"
    last = f"{beyond}e" if inclusive else beyond
    # The first condition uses the index; the second tells apart changes that were recorded at the same time.
    return changes.filter(
        Q(**{f"recorded__{beyond}e": recorded})
        & (Q(**{f"recorded__{beyond}": recorded}) | Q(recorded=recorded, **{f"pk__{last}": pk}))
    )


def _events_of(change: Change, behind: str | None, *, descending: bool, limit: int) -> list[AssetEvent]:
    if change.kind == Change.Kind.CHANGE_ASSETS:
        return _events_of_batch(change, behind, descending=descending, limit=limit)
    details = {key: value for key, value in change.details.items() if key != "metadata"}
    event = AssetEvent(change, change.kind, details)
    return [event] if behind is None or _is_behind(event.path, behind, descending=descending) else []


def _is_behind(path: str, place: str, *, descending: bool) -> bool:
    # By bytes, which is the order of the database.
    one, other = path.encode(), place.encode()
    return one < other if descending else one > other


def _events_of_batch(change: Change, behind: str | None, *, descending: bool, limit: int) -> list[AssetEvent]:
    assets = Asset.objects.filter(dataset_id=change.dataset_id).order_by("-path" if descending else "path")
    if behind is not None:
        assets = assets.filter(**{"path__lt" if descending else "path__gt": behind})
    introduced = {one.path: one for one in assets.filter(introduced=change.number).select_related(*CONTENT)[:limit]}
    retired = dict(assets.filter(retired=change.number).values_list("path", "asset_id")[:limit])
    paths = sorted({*introduced, *retired}, key=str.encode, reverse=descending)[:limit]
    return [_event_of_batch(change, path, introduced.get(path), retired.get(path)) for path in paths]


def _event_of_batch(change: Change, path: str, new: Asset | None, old: Any) -> AssetEvent:
    if new is None:
        return AssetEvent(change, Change.Kind.REMOVE_ASSET, {"path": path, "asset_id": str(old)})
    details = {
        "path": path,
        "size": new.size,
        "asset_id": str(new.asset_id),
        "asset_blob_id": str(new.blob_id) if new.blob_id else None,
        "zarr_archive_id": str(new.zarr_id) if new.zarr_id else None,
        "checksum": new.checksum,
    }
    return AssetEvent(change, Change.Kind.UPDATE_ASSET if old else Change.Kind.ADD_ASSET, details)


class Tombstone(NamedTuple):
    """The mark of a dataset that was deleted: why, and the address of one that takes its place, or ""."""

    reason: str
    successor: str


def find_tombstone(number: int) -> Tombstone | None:
    """Return what everybody is told of a dataset that was deleted and was open before; None if there is none such."""
    if Dataset.objects.filter(number=number).exists():
        return None
    deleted = Change.objects.filter(dataset_id=number, kind=Change.Kind.DELETE_DATASET, details__was_open=True)
    change = deleted.order_by("-number").first()
    return Tombstone(change.details["reason"], change.details["successor"]) if change else None
