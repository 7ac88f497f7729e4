"""Ingesting what has been uploaded to a Zarr archive, step by step. Each step does again, harmlessly, what was done.

The job itself is put together in `archive.publishing.work`: its last step changes assets, which are a later room.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction
from django.utils import timezone

from archive.digests import ZarrLeaf, ZarrSums, zarr_sums
from archive.storage import queries as store
from archive.storage import services as storage
from archive.timeline.models import Job
from archive.zarr.models import ZarrArchive, ZarrEntry, ZarrRevision, entry_key, entry_prefix
from archive.zarr.queries import ZarrView, awaited_entries, leaves_of

INGEST_JOB = "ingest_zarr"

# Up to so many entries are looked up one by one; for more, the store's list of the archive is read.
ASKED_SINGLY = 200
STORE_THREADS = 8
BATCH = 5000
OPENING_BATCH = 500
MISSING_SHOWN = 20
BEATS_EVERY = 1000

Beat = Callable[[], None]


def begin_ingest(zarr_id: uuid.UUID) -> ZarrArchive | None:
    """Mark the archive as being ingested, and return it; None if it does not wait for that."""
    zarrs = ZarrArchive.objects.filter(pk=zarr_id)
    zarrs.filter(status=ZarrArchive.Status.UPLOADED).update(status=ZarrArchive.Status.INGESTING)
    return zarrs.filter(status=ZarrArchive.Status.INGESTING).first()


def find_arrivals(zarr: ZarrArchive, beat: Beat) -> None:
    """Find out from the store which announced entries have arrived, and their sizes."""
    awaited = list(awaited_entries(zarr.pk)[: ASKED_SINGLY + 1])
    if len(awaited) <= ASKED_SINGLY:
        ask_for(awaited)
        return
    prefix = entry_prefix(zarr.id)
    for page in store.list_objects(prefix):
        _keep_sizes(zarr.pk, [(each.etag, each.size) for each in page if each.key == f"{prefix}{each.etag}"])
        beat()


def ask_for(entries: Sequence[ZarrEntry]) -> None:
    """Ask the store for each of these awaited entries of one archive, and keep the sizes of those it has."""
    if not entries:
        return
    digests = sorted({entry.md5 for entry in entries})
    zarr_id = entries[0].zarr_id
    with ThreadPoolExecutor(STORE_THREADS) as threads:
        found = list(threads.map(lambda md5: store.find(entry_key(zarr_id, md5)), digests))
    arrived = [(md5, each.size) for md5, each in zip(digests, found, strict=True) if each and each.etag == md5]
    _keep_sizes(zarr_id, arrived)


def _keep_sizes(zarr_id: uuid.UUID, arrived: Sequence[tuple[str, int]]) -> None:
    if not arrived:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE archive_zarrentry e SET size = n.size
              FROM unnest(%s::text[], %s::bigint[]) AS n(md5, size)
             WHERE e.zarr_id = %s AND e.md5 = n.md5 AND e.introduced IS NULL AND e.size IS NULL
            """,
            [[md5 for md5, _ in arrived], [size for _, size in arrived], zarr_id],
        )


def introduce_arrivals(zarr: ZarrArchive, beat: Beat) -> None:
    """Let the next revision show what has arrived, and forget what was announced and never came."""
    pending = ZarrEntry.objects.filter(zarr=zarr, introduced__isnull=True)
    arrived = pending.filter(size__isnull=False).order_by("id")
    while batch := list(arrived.values_list("id", "path")[:BATCH]):
        with transaction.atomic():
            end_entries(zarr, [path for _, path in batch])
            ZarrEntry.objects.filter(pk__in=[pk for pk, _ in batch]).update(introduced=zarr.revision + 1)
        beat()
    missing = list(pending.order_by("path").values_list("path", flat=True)[:MISSING_SHOWN])
    if missing:
        with transaction.atomic():
            ZarrArchive.objects.filter(pk=zarr.pk).update(missing=missing)
            pending.delete()


def end_entries(zarr: ZarrArchive, paths: Iterable[str]) -> None:
    """Let the next revision show no entry at these paths: what a revision shows is retired, what none shows deleted."""
    live = ZarrEntry.objects.filter(zarr=zarr, path__in=list(paths), introduced__isnull=False).live()
    live.filter(introduced__gt=zarr.revision).delete()
    live.update(retired=zarr.revision + 1)


def sum_up(zarr: ZarrArchive, progress: Callable[[int], None]) -> ZarrSums:
    """Return the checksum and sums of the next revision. Raises InvalidError when a path is both file and folder."""

    def counted() -> Iterator[ZarrLeaf]:
        for number, leaf in enumerate(leaves_of(ZarrView(zarr))):
            if number % BEATS_EVERY == 0:
                progress(number)
            yield leaf

    return zarr_sums(counted())


def complete(zarr: ZarrArchive, sums: ZarrSums) -> bool:
    """Mark the archive complete, in the transaction that makes its next revision; False if another worker did."""
    ingesting = ZarrArchive.objects.filter(pk=zarr.pk, status=ZarrArchive.Status.INGESTING, revision=zarr.revision)
    completed = ingesting.update(
        status=ZarrArchive.Status.COMPLETE,
        checksum=str(sums),
        file_count=sums.file_count,
        size=sums.size,
        revision=zarr.revision + 1,
        modified=timezone.now(),
    )
    return bool(completed)


def next_revision(zarr: ZarrArchive, sums: ZarrSums, *, at: int) -> ZarrRevision:
    """Create and return the archive's next revision, which drafts show from the change `at` on."""
    return ZarrRevision.objects.create(
        zarr=zarr, number=zarr.revision + 1, at=at, checksum=str(sums), file_count=sums.file_count, size=sums.size
    )


def ingest_failed(job: Job, reason: str) -> None:
    """Let an archive whose ingest has failed be uploaded to, and finalized, once more."""
    under_way = [ZarrArchive.Status.UPLOADED, ZarrArchive.Status.INGESTING]
    ZarrArchive.objects.filter(pk=job.subject, status__in=under_way).update(status=ZarrArchive.Status.PENDING)


def open_entries(zarr: ZarrArchive, beat: Beat, pause: Beat, *, since: int = 0) -> None:
    """Let anyone read, unsigned, what the archive's revisions show; begins where it was broken off.

    But for what had been retired by the revision numbered `since`, the first that was open to all. `pause` is called
    between batches, and may raise NotYetError once this has taken long enough.
    """
    shown = ZarrEntry.objects.filter(zarr=zarr, introduced__lte=zarr.revision).lasting_beyond(since).order_by("id")
    opened = zarr.opened
    with ThreadPoolExecutor(STORE_THREADS) as threads:
        while batch := list(shown.filter(id__gt=opened).values_list("id", "md5")[:OPENING_BATCH]):
            keys = sorted({entry_key(zarr.id, md5) for _, md5 in batch})
            for _ in threads.map(storage.open_to_all, keys):
                beat()
            opened = batch[-1][0]
            ZarrArchive.objects.filter(pk=zarr.pk).update(opened=opened)
            pause()
