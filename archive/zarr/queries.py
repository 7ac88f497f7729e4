"""Finding Zarr archives, and reading their entries, as they are or as they were at a revision."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from archive.accounts.policy import RELEASED, Action, Actor, may, readable_while_closed, visible, visible_rows
from archive.digests import ZarrLeaf
from archive.errors import NotFoundError, UnauthenticatedError
from archive.paths import composed, name_of
from archive.storage.queries import public_url, sign_read
from archive.timeline.rows import rows_of
from archive.zarr.models import ZarrArchive, ZarrEntry, ZarrRevision, entry_key

LEAVES_CHUNK = 5000


@dataclass(frozen=True)
class ZarrView:
    """A Zarr archive, with its dataset, as it is being worked on; or as it was at a revision.

    If it `is_settled`, only a revision is shown, and nothing before there is one.
    """

    zarr: ZarrArchive
    revision: ZarrRevision | None = None
    is_settled: bool = False

    @property
    def id(self) -> uuid.UUID:
        return self.revision.id if self.revision else self.zarr.id


def visible_zarrs(actor: Actor) -> QuerySet[ZarrArchive]:
    """Return the archives of the datasets that the actor may read, their datasets with them, oldest first.

    Of a dataset that was embargoed, readers without a role in it see only archives that were assets since its release.
    """
    shown = rows_of(ZarrArchive.assets).filter(visible_rows(actor))
    found = ZarrArchive.objects.filter(_shown_to(actor, shown, to="dataset__"))
    return found.select_related("dataset").order_by("created", "id")


def visible_revisions(actor: Actor) -> QuerySet[ZarrRevision]:
    """Return the revisions that the actor may read, by the same rule as archives."""
    shown = rows_of(ZarrRevision.assets).filter(visible_rows(actor))
    found = ZarrRevision.objects.filter(_shown_to(actor, shown, to="zarr__dataset__"))
    return found.select_related("zarr__dataset")


def _shown_to(actor: Actor, shown: QuerySet[Any], *, to: str) -> Q:
    """Return the condition that the actor may read it: always open, or theirs, or `shown` to them as an asset."""
    always_open = Q(**{f"{to}released__isnull": True})
    return visible(actor, to=to) & (always_open | readable_while_closed(actor, to=to) | Q(Exists(shown)))


def unfinalized_zarrs() -> QuerySet[ZarrArchive]:
    """Return the archives of all datasets that wait to be finalized, oldest first."""
    return ZarrArchive.objects.filter(status=ZarrArchive.Status.PENDING).order_by("created", "id")


def find_zarr(actor: Actor, zarr_id: uuid.UUID) -> ZarrArchive:
    """Return the archive, its dataset with it; NotFoundError if there is none that the actor may know of."""
    zarr = visible_zarrs(actor).filter(pk=zarr_id).first()
    if zarr is None:
        raise NotFoundError
    return zarr


def find_view(actor: Actor, zarr_id: uuid.UUID) -> ZarrView:
    """Return the archive or revision with that id; NotFoundError if there is none that the actor may know of."""
    zarr = visible_zarrs(actor).filter(pk=zarr_id).first()
    if zarr:
        return ZarrView(zarr)
    revision = visible_revisions(actor).filter(pk=zarr_id).first()
    if revision is None:
        raise NotFoundError
    return ZarrView(revision.zarr, revision)


def find_view_to_read(actor: Actor, zarr_id: uuid.UUID) -> ZarrView:
    """Return the archive or revision with that id, with what the actor may read: settled, unless they may change it.

    So readers see its newest revision, not what is half uploaded. Fails as `find_view` does, but anonymous actors are
    told to sign in (docs/dialects/dandi.md#access).
    """
    try:
        view = find_view(actor, zarr_id)
    except NotFoundError:
        if not actor.is_authenticated and _is_embargoed(zarr_id):
            raise UnauthenticatedError from None
        raise
    if view.revision or may(actor, Action.CHANGE_DRAFT, view.zarr.dataset):
        return view
    return ZarrView(view.zarr, newest_revision(view.zarr.pk), is_settled=True)


def _is_embargoed(zarr_id: uuid.UUID) -> bool:
    named = Q(pk=zarr_id) | Q(revisions=zarr_id)
    return ZarrArchive.objects.filter(named).exclude(dataset__access__in=RELEASED).exists()


def zarrs_to_open(dataset_id: int) -> QuerySet[ZarrArchive]:
    """Return the archives of a dataset whose revisions show entries that not everybody may read yet."""
    closed = ZarrEntry.objects.filter(zarr=OuterRef("pk"), id__gt=OuterRef("opened"))
    return ZarrArchive.objects.filter(Exists(closed.filter(introduced__lte=OuterRef("revision"))), dataset=dataset_id)


def newest_revision(zarr_id: uuid.UUID) -> ZarrRevision | None:
    """Return the newest revision of an archive; None before the first."""
    return ZarrRevision.objects.filter(zarr_id=zarr_id).order_by("-number").first()


def entries_of(view: ZarrView) -> QuerySet[ZarrEntry]:
    """Return the entries, in byte order of their paths; pending ones that have arrived replace those at their paths."""
    entries = ZarrEntry.objects.filter(zarr=view.zarr)
    if view.revision:
        return entries.at(view.revision.number).order_by("path")
    if view.is_settled:
        return entries.none()
    # In descending order Postgres sorts NULL first, so a pending entry comes before the one it replaces.
    live = entries.live().filter(size__isnull=False)
    return live.order_by("path", "-introduced").distinct("path")


def awaited_entries(zarr_id: uuid.UUID) -> QuerySet[ZarrEntry]:
    """Return the entries that have been announced, and that the store is not known to have."""
    return ZarrEntry.objects.filter(zarr_id=zarr_id, introduced__isnull=True, size__isnull=True)


def page_of_entries(view: ZarrView, *, prefix: str = "", after: str = "", limit: int) -> list[ZarrEntry]:
    """Return at most `limit` entries whose paths begin with `prefix` and come after `after`, in byte order."""
    return list(_in_range(entries_of(view), prefix, after)[:limit])


def _in_range(entries: QuerySet[ZarrEntry], prefix: str, after: str) -> QuerySet[ZarrEntry]:
    if prefix:
        entries = entries.filter(path__startswith=composed(prefix))
    return entries.filter(path__gt=composed(after)) if after else entries


def awaited_page(zarr_id: uuid.UUID, *, prefix: str, after: str, limit: int) -> list[ZarrEntry]:
    """Return at most `limit` awaited entries, chosen as `page_of_entries` chooses."""
    return list(_in_range(awaited_entries(zarr_id), prefix, after).order_by("path")[:limit])


def leaves_of(view: ZarrView) -> Iterator[ZarrLeaf]:
    """Yield the entries as the checksum wants them, streamed."""
    rows = entries_of(view).values_list("path", "md5", "size").iterator(chunk_size=LEAVES_CHUNK)
    return (ZarrLeaf(path, md5, size or 0) for path, md5, size in rows)


def find_entry(view: ZarrView, path: str) -> ZarrEntry:
    """Return the entry at exactly that path; NotFoundError if there is none."""
    entry = entries_of(view).filter(path=composed(path)).first()
    if entry is None:
        raise NotFoundError
    return entry


def entry_url(view: ZarrView, entry: ZarrEntry, *, method: str) -> str:
    """Return the address of an entry for this method: lasting if anyone may read it, otherwise signed."""
    if may_anyone_read(view, entry):
        return public_url(entry_key(view.zarr.id, entry.md5))
    return signed_entry_url(view, entry, method=method)


def may_anyone_read(view: ZarrView, entry: ZarrEntry) -> bool:
    """Return whether everybody may read the entry, and the store lets them.

    Of a dataset that was embargoed, entries that are retired may have been so before its release.
    """
    dataset = view.zarr.dataset
    was_open = dataset.released is None or entry.retired is None
    return dataset.access == "OPEN" and was_open and entry.pk <= view.zarr.opened


def signed_entry_url(view: ZarrView, entry: ZarrEntry, *, method: str) -> str:
    """Return the signed address of an entry for this method, GET or HEAD."""
    return sign_read(entry_key(view.zarr.id, entry.md5), filename=name_of(entry.path), method=method)
