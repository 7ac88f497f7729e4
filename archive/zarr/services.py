"""Changing Zarr archives: make one, announce entries, delete some, finalize."""

import base64
import binascii
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from archive import paths
from archive.accounts.policy import Action, Actor, may, require
from archive.datasets.models import Dataset
from archive.datasets.queries import require_not_releasing
from archive.datasets.work import hold_draft
from archive.errors import InvalidError, Reason
from archive.storage.queries import NewObject, sign_puts
from archive.timeline.models import Change
from archive.timeline.services import append, hold, start_job
from archive.zarr.models import MAX_NAME, ZarrArchive, ZarrEntry, entry_key
from archive.zarr.queries import ZarrView, awaited_page, find_zarr
from archive.zarr.work import INGEST_JOB, ask_for, end_entries

UNDER_WAY = "Zarr archive is currently ingesting or has already ingested"
MD5_BYTES = 16
# How many entries one request may announce or delete; clients send some hundreds at a time.
MAX_ENTRIES = 5_000


@dataclass(frozen=True)
class NewEntry:
    """An entry to be: its path, and the MD5 of its content as the header Content-MD5 has it."""

    path: str
    base64md5: str


def create_zarr(*, actor: Actor, dataset: Dataset, name: str) -> ZarrArchive:
    """Make an empty Zarr archive in a dataset; InvalidError when it has one of that name."""
    require(actor, Action.CHANGE_DRAFT, dataset)
    if dataset.access == Dataset.Access.RELEASING:
        raise InvalidError(
            "No Zarr archive can be added while the dataset is being released.", reason=Reason.NO_ZARR_NOW
        )
    if not name.strip() or len(name) > MAX_NAME:
        raise InvalidError(f"The name must have 1 to {MAX_NAME} characters.", field="name")
    with transaction.atomic():
        hold_draft(dataset)
        if dataset.zarrs.filter(name=name).exists():
            raise InvalidError(
                f"The dataset has a Zarr archive called {name!r} already.", reason=Reason.ZARR_NAME_TAKEN, field="name"
            )
        zarr = ZarrArchive.objects.create(dataset=dataset, name=name)
        append(dataset.number, Change.Kind.CREATE_ZARR, actor, {"zarr_id": str(zarr.id), "name": name})
    return zarr


def announce_entries(*, actor: Actor, zarr_id: uuid.UUID, entries: Sequence[NewEntry]) -> list[str]:
    """Announce entries that will be put into the store, and return a URL for each, bound to its MD5.

    The archive's next revision shows those that have been uploaded by then, and replaces what is at their paths.
    Raises InvalidError, naming the entry, for a bad path or MD5; and while the archive is being ingested.
    """
    zarr = _changeable(actor, zarr_id)
    _check_paths([entry.path for entry in entries])
    digests = [_md5(entry) for entry in entries]
    with transaction.atomic():
        _reopen(zarr)
        _keep_pending(zarr, [entry.path for entry in entries], digests)
    keys = [entry_key(zarr.id, digest) for digest in digests]
    return sign_puts([NewObject(key, entry.base64md5) for key, entry in zip(keys, entries, strict=True)])


def delete_entries(*, actor: Actor, zarr_id: uuid.UUID, entry_paths: Sequence[str]) -> None:
    """Let the archive's next revision show no entries at these paths; older revisions keep them.

    Raises InvalidError, and deletes nothing, when one of them is not there, or while the archive is being ingested.
    """
    zarr = _changeable(actor, zarr_id)
    _check_paths(entry_paths)
    with transaction.atomic():
        _reopen(zarr)
        zarr.refresh_from_db(fields=["revision"])
        entries = ZarrEntry.objects.filter(zarr=zarr, path__in=entry_paths).live()
        there = set(entries.values_list("path", flat=True))
        if missing := set(entry_paths) - there:
            raise InvalidError(f"File {min(missing)} does not exist.")
        entries.filter(introduced__isnull=True).delete()
        end_entries(zarr, entry_paths)


def finalize(*, actor: Actor, zarr_id: uuid.UUID) -> None:
    """Have what was uploaded ingested: from now on, until that is done, the archive cannot be changed.

    Raises InvalidError when that is under way, or has been done and nothing was changed since.
    """
    zarr = _changeable(actor, zarr_id)
    with transaction.atomic():
        hold(zarr.dataset_id)
        pending = ZarrArchive.objects.filter(pk=zarr_id, status=ZarrArchive.Status.PENDING)
        if not pending.update(status=ZarrArchive.Status.UPLOADED, missing=[], modified=timezone.now()):
            raise InvalidError(UNDER_WAY)
        append(zarr.dataset_id, Change.Kind.FINALIZE_ZARR, actor, {"zarr_id": str(zarr_id)})
        start_job(INGEST_JOB, subject=str(zarr_id), dataset_id=zarr.dataset_id, author=actor)


def look_for_arrivals(*, actor: Actor, view: ZarrView, prefix: str, after: str, limit: int) -> None:
    """Ask the store for the awaited entries that a page would show, so that an interrupted upload can be resumed.

    Does nothing for actors who may not change the archive.
    """
    is_awaiting = view.revision is None and view.zarr.status == ZarrArchive.Status.PENDING
    if is_awaiting and may(actor, Action.CHANGE_DRAFT, view.zarr.dataset):
        ask_for(awaited_page(view.zarr.pk, prefix=prefix, after=after, limit=limit))


def _changeable(actor: Actor, zarr_id: uuid.UUID) -> ZarrArchive:
    zarr = find_zarr(actor, zarr_id)
    require(actor, Action.CHANGE_DRAFT, zarr.dataset)
    require_not_releasing(zarr.dataset)
    return zarr


def _check_paths(entry_paths: Sequence[str]) -> None:
    if len(entry_paths) > MAX_ENTRIES:
        raise InvalidError(f"A request names at most {MAX_ENTRIES} entries; this one names {len(entry_paths)}.")
    for path in entry_paths:
        try:
            paths.check_path(path)
        except InvalidError as error:
            raise InvalidError(f"Entry {path[:100]!r}: {error.message}") from error
    [(path, times)] = Counter(entry_paths).most_common(1) or [("", 0)]
    if times > 1:
        raise InvalidError(f"Entry {path!r} is given more than once.")


def _md5(entry: NewEntry) -> str:
    try:
        digest = base64.b64decode(entry.base64md5, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    # The text is signed as it came, so it must be the canonical form of this MD5.
    if len(digest) != MD5_BYTES or base64.b64encode(digest).decode() != entry.base64md5:
        raise InvalidError(f"Entry {entry.path!r}: the MD5 must be 16 bytes in base64.")
    return digest.hex()


def _reopen(zarr: ZarrArchive) -> None:
    """Lock the archive and make it pending, whether it was or had been ingested; not while it is being ingested."""
    status = ZarrArchive.Status
    changeable = Q(pk=zarr.pk, status__in=[status.PENDING, status.COMPLETE])
    if not ZarrArchive.objects.filter(changeable).update(
        status=status.PENDING, checksum=None, file_count=0, size=0, modified=timezone.now()
    ):
        raise InvalidError(UNDER_WAY)


def _keep_pending(zarr: ZarrArchive, entry_paths: list[str], digests: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO archive_zarrentry (zarr_id, path, md5, modified)
            SELECT %s, n.path, n.md5, now() FROM unnest(%s::text[], %s::text[]) AS n(path, md5)
            ON CONFLICT (zarr_id, path) WHERE introduced IS NULL
            DO UPDATE SET md5 = excluded.md5, modified = excluded.modified, size = NULL
             WHERE archive_zarrentry.md5 <> excluded.md5
            """,
            [zarr.pk, entry_paths, digests],
        )
