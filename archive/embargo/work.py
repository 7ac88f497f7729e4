"""Releasing datasets, opening their objects in the store, and telling their owners."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Min, QuerySet

from archive.accounts.policy import ANONYMOUS, SYSTEM
from archive.accounts.queries import owners_of
from archive.accounts.work import queue_mail
from archive.assets.models import Asset
from archive.blobs.models import Blob
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_draft
from archive.datasets.work import computed_metadata
from archive.embargo.models import EmbargoNotice
from archive.embargo.queries import embargoes_over, notices_due, opened_by_release, versions_opened_by_release
from archive.metadata.documents import (
    strip_version_metadata,
)
from archive.snapshots.models import Repository
from archive.storage import services as storage
from archive.timeline.errors import NotYetError
from archive.timeline.models import Author, Change
from archive.timeline.queries import position
from archive.timeline.services import append, hold, start_job
from archive.timeline.work.jobs import RunningJob, job_handler
from archive.timeline.work.leases import Heartbeat
from archive.timeline.work.projections import Span, projection
from archive.zarr.models import ZarrArchive
from archive.zarr.queries import zarrs_to_open
from archive.zarr.work import (
    open_entries,
)

RELEASE_JOB = "release"
# What follows for a version, once its dataset is open: the work of publishing.
OPENED_JOB = "open_version"
CLOSED = (Dataset.Access.EMBARGOED, Dataset.Access.PRIVATE)
# The `released` of a dataset whose history was opened with it, from its first change on.
ALL_HISTORY = 0

OPENING_BATCH = 200
OPENING_THREADS = 8
# In the mail that announces the end of an embargo.
VERSIONS_TOLD = 10
SLICE_SECONDS = 20.0


# --- Open objects -----------------------------------------------------------------------------------------------------


@projection("access")
def open_objects(span: Span) -> None:
    """Let anyone read, without a signature, the new objects of an open dataset, or all that a release has opened.

    Which of the two is told by the dataset itself, not by the span, so a release that was interrupted goes on. When
    all its objects are open, and nothing has changed meanwhile, the dataset is open too.
    """
    dataset = Dataset.objects.filter(pk=span.dataset_id).first()
    if dataset is None or not dataset.is_released:
        return
    is_releasing = dataset.access == Dataset.Access.RELEASING
    gained = Asset.objects.visible_to(ANONYMOUS).filter(
        dataset=dataset,
        introduced__gt=0 if is_releasing else span.since,
        introduced__lte=span.target,
        blob__is_open=False,
    )
    time_slice = TimeSlice(span.heartbeat)
    _open_blobs(gained, time_slice)
    _open_zarrs(dataset, time_slice)
    if is_releasing:
        _finish_release(dataset.number, span.target)


class TimeSlice:
    """The time in which objects are opened before other work goes on."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self.beat = heartbeat.beat
        self._until = monotonic() + SLICE_SECONDS

    def check(self) -> None:
        """Raise NotYetError, so that the work is resumed later, if the time is over."""
        if monotonic() > self._until:
            raise NotYetError("Objects are being opened.", retry_after=0)


def _open_blobs(gained: QuerySet[Asset], time_slice: TimeSlice) -> None:
    with ThreadPoolExecutor(OPENING_THREADS) as threads:
        while ids := list(gained.values_list("blob_id", flat=True).distinct()[:OPENING_BATCH]):
            blobs = Blob.objects.in_bulk(ids)
            for _ in threads.map(storage.open_to_all, [blob.key for blob in blobs.values()]):
                time_slice.beat()
            Blob.objects.filter(pk__in=ids).update(is_open=True)
            if len(ids) < OPENING_BATCH:
                return
            time_slice.check()


def _open_zarrs(dataset: Dataset, time_slice: TimeSlice) -> None:
    for zarr in zarrs_to_open(dataset.number):
        first = 0 if dataset.released is None else _first_open_revision(zarr)
        if first is not None:
            open_entries(zarr, time_slice.beat, time_slice.check, since=first)


def _first_open_revision(zarr: ZarrArchive) -> int | None:
    """Return the number of the first revision that was shown since the release of the dataset; None if none was."""
    shown = Asset.objects.visible_to(ANONYMOUS).filter(zarr=zarr)
    number: int | None = shown.aggregate(first=Min("zarr_revision__number"))["first"]
    return number


# --- Embargo ----------------------------------------------------------------------------------------------------------


def begin_release(dataset_id: int, author: Author, *, starts_anew: bool | None = None) -> None:
    """Let everybody read the dataset, if it is closed, once this transaction is committed; else do nothing.

    A few rows are changed, however many files there are. What is open by now follows as the projection `access`.

    With `starts_anew`, files that were removed before the release stay closed: the repository begins a new history, and
    existing versions are closed. Without, all of the history is opened, and commits and tags stay what they are. By
    default a dataset with versions that are not closed keeps its history, and any other starts anew.
    """
    with transaction.atomic():
        hold(dataset_id)
        dataset = Dataset.objects.filter(pk=dataset_id, access__in=CLOSED).first()
        if dataset is None:
            return
        versions = dataset.versions.filter(at__isnull=False)
        if starts_anew is None:
            starts_anew = not versions_opened_by_release(dataset).exists()
        change = append(dataset_id, Change.Kind.RELEASE, author, {"starts_anew": starts_anew})
        dataset.released = change.number if starts_anew else ALL_HISTORY
        if starts_anew and versions.exists():
            versions.update(is_closed=True)
        elif not starts_anew:
            Repository.objects.filter(dataset=dataset).update(released=ALL_HISTORY)
        dataset.access = Dataset.Access.RELEASING
        dataset.embargo_end = datetime.now(UTC).date()
        dataset.save(update_fields=["access", "released", "embargo_end", "modified"])
        dataset.versions.update(modified=dataset.modified)


def _finish_release(dataset_id: int, target: int) -> None:
    """Mark the dataset open, unless it has changed since `target`: then this is tried again."""
    with transaction.atomic():
        hold(dataset_id)
        draft = find_draft(dataset_id)
        if draft is None or draft.dataset.access != Dataset.Access.RELEASING or position(dataset_id) != target:
            return
        append(dataset_id, Change.Kind.FINISH_RELEASE, SYSTEM, {})
        dataset = draft.dataset
        dataset.access = Dataset.Access.OPEN
        dataset.save(update_fields=["access", "modified"])
        for version in versions_opened_by_release(dataset).values_list("pk", flat=True):
            start_job(OPENED_JOB, subject=str(version), dataset_id=dataset_id)
        draft.metadata = computed_metadata(draft, strip_version_metadata(draft.metadata))
        draft.status = Version.Status.PENDING
        draft.save(update_fields=["metadata", "status", "modified"])
        _tell_owners("released", draft)


def _tell_owners(template: str, draft: Version, **facts: Any) -> None:
    queue_mail(
        template,
        to=[owner.email for owner in owners_of(draft.dataset_id) if owner.is_active],
        identifier=draft.dataset.identifier,
        name=draft.name,
        **facts,
    )


@job_handler(RELEASE_JOB, deadline=timedelta(days=1))
def release_at_the_end(job: RunningJob) -> None:
    """Release the dataset that is the job's subject: its embargo is over, and its owners were told that it would be."""
    begin_release(int(job.row.subject), SYSTEM)


def watch_embargoes() -> None:
    """Tell owners of embargoes that end soon, each once; release what was to be released, if the settings say so."""
    for dataset, days in notices_due(settings.EMBARGO_NOTICE_DAYS):
        _announce_end(dataset, days)
    if settings.EMBARGO_RELEASE_AT_END:
        for number in embargoes_over():
            start_job(RELEASE_JOB, subject=str(number), dataset_id=number)


def _announce_end(dataset: Dataset, days: int) -> None:
    draft = find_draft(dataset.number)
    end = dataset.embargo_end
    if draft is None or end is None:
        return
    with transaction.atomic():
        _, is_new = EmbargoNotice.objects.get_or_create(dataset=dataset, end=end, days=days)
        if is_new:
            facts = {"end": end.isoformat(), "is_automatic": settings.EMBARGO_RELEASE_AT_END}
            versions = opened_by_release(SYSTEM, dataset).versions[:VERSIONS_TOLD]
            _tell_owners("embargo_ends", draft, **facts, versions=versions)
