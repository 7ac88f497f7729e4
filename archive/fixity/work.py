"""The job that compares the content of a version with what the store has: sizes and digests, without reading it."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice

from archive.assets.queries import assets_of
from archive.blobs.models import blob_key
from archive.datasets.models import Version
from archive.fixity.models import ContentCheck
from archive.git_annex.keys import annex_key
from archive.storage import queries as store
from archive.timeline.work.jobs import RunningJob, job_handler
from archive.timeline.work.schedule import BULK
from archive.zarr.models import ZarrEntry, ZarrRevision, entry_key, entry_prefix

CHECK_JOB = "check_content"
MAX_FAILURES = 10_000
# How many objects are asked for at the same time; the client of the store has ten connections.
PARALLEL = 8
BATCH = 1000
MISSING = "The store does not have it."


@dataclass(frozen=True)
class Failure:
    """A file whose content a place lacks, or has damaged; `key` is git-annex's name of the content."""

    path: str
    key: str
    messages: Sequence[str]
    note: str = ""
    command: str = "fsck"

    @property
    def length(self) -> int:
        """Return how many characters it has."""
        return sum(map(len, (self.path, self.key, self.note, self.command, *self.messages)))


@dataclass(frozen=True)
class _File:
    """A file that the store should have: one object."""

    path: str
    key: str
    object_key: str
    size: int
    etag: str


@job_handler(CHECK_JOB, deadline=timedelta(hours=12), queue=BULK, attempts=3)
def check_content(job: RunningJob) -> None:
    """Compare every object of the version that is the job's subject with what the store says of it."""
    version = Version.objects.filter(pk=job.row.subject).first()
    if version is None:
        return
    job.step("compare", total=assets_of(version).count())
    failures: list[Failure] = []
    count = 0
    for failure in _failures(version, job):
        count += 1
        if len(failures) < MAX_FAILURES:
            failures.append(failure)
    keep_failures(version, "", failures, count=count)


def keep_failures(version: Version, remote: str, failures: Sequence[Failure], *, count: int) -> None:
    """Keep the outcome of a check of a version's content in a place."""
    told = {
        "files_changed": version.files_changed,
        "count": count,
        "failures": [asdict(failure) for failure in failures],
    }
    ContentCheck.objects.update_or_create(version_id=version.pk, remote=remote, defaults=told)


def _failures(version: Version, job: RunningJob) -> Iterator[Failure]:
    files, done = _files(version), 0
    with ThreadPoolExecutor(PARALLEL) as threads:
        while batch := list(islice(files, BATCH)):
            found = threads.map(lambda file: (file, store.find(file.object_key)), batch)
            yield from (failure for file, stored in found if (failure := _failure(file, stored)))
            done += len(batch)
            job.progress(done)
    zarrs = assets_of(version).filter(zarr_revision__isnull=False).select_related("zarr_revision")
    for asset in zarrs.order_by("path").iterator(chunk_size=BATCH):
        if asset.zarr_revision:
            yield from _failures_of_zarr(asset.path, asset.zarr_revision, job)
        done += 1
        job.progress(done)


def _files(version: Version) -> Iterator[_File]:
    rows = assets_of(version).filter(blob__isnull=False).order_by("path")
    fields = ("path", "size", "blob_id", "blob__etag", "blob__sha256")
    for path, size, blob_id, etag, sha256 in rows.values_list(*fields).iterator(chunk_size=5000):
        # Without a SHA-256 nobody knows it by a key yet.
        key = str(annex_key(path=path, size=size, sha256=sha256)) if sha256 else ""
        yield _File(path, key, blob_key(blob_id), size, etag)


def _failure(file: _File, stored: store.StoredObject | None) -> Failure | None:
    message = _fault(stored, file.size, is_same=stored is not None and _is_same(file, stored))
    return Failure(file.path, file.key, [message]) if message else None


def _fault(stored: store.StoredObject | store.ListedObject | None, size: int, *, is_same: bool) -> str:
    """Return what is wrong with what the store has; "" if nothing is."""
    if stored is None:
        return MISSING
    if stored.size != size:
        return f"It has {stored.size} bytes in the store, and should have {size}."
    return "" if is_same else f"The store has other bytes: their ETag is {stored.etag}."


def _is_same(file: _File, stored: store.StoredObject) -> bool:
    """Return whether an object has the dandi-etag of a file: its ETag, or made of it, if it was put in one piece."""
    if not file.size or stored.etag == file.etag:
        return True
    if "-" in stored.etag:
        return False
    return f"{hashlib.md5(bytes.fromhex(stored.etag), usedforsecurity=False).hexdigest()}-1" == file.etag


def _failures_of_zarr(path: str, revision: ZarrRevision, job: RunningJob) -> Iterator[Failure]:
    """Yield the entries of a Zarr archive that the store lacks or has damaged: both come in the order of their keys."""
    listed = (each for page in store.list_objects(entry_prefix(revision.zarr_id)) for each in page)
    stored = next(listed, None)
    entries = ZarrEntry.objects.filter(zarr_id=revision.zarr_id).at(revision.number).order_by("md5")
    rows = entries.values_list("path", "md5", "size")
    for name, md5, size in rows.iterator(chunk_size=5000):
        job.heartbeat.beat()
        wanted = entry_key(revision.zarr_id, md5)
        while stored and stored.key < wanted:
            stored = next(listed, None)
        found = stored if stored and stored.key == wanted else None
        if message := _fault(found, size or 0, is_same=found is not None and found.etag == md5):
            whole = f"{path}/{name}"
            yield Failure(whole, str(annex_key(path=whole, size=size or 0, md5=md5)), [message])
