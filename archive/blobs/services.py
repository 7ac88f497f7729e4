"""Uploading: begin, sign the completion, verify; or receiving. Only what has been verified is a blob."""

import hashlib
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO

from django.db import transaction

from archive import digests
from archive.accounts.policy import Action, Actor, require
from archive.blobs.models import Blob, Reception, Upload, blob_key
from archive.blobs.queries import (
    attachable_by_etag,
    find_annex_content,
    find_attachable_blob,
    find_finished_upload,
    find_upload,
)
from archive.blobs.receiving import receive, received_so_far
from archive.blobs.streaming import keep_stream, require_sender
from archive.blobs.work import ABORT_JOB, CHECKSUM_JOB, DELETE_JOB
from archive.datasets.models import Dataset
from archive.datasets.queries import require_not_releasing
from archive.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from archive.git_annex.keys import AnnexKey
from archive.statements import PreparedInsert, find_rows
from archive.storage import queries as store
from archive.storage import services as storage
from archive.timeline.services import start_job

__all__ = [
    "SignedPart",
    "UploadedPart",
    "clear_uploads",
    "finish_upload",
    "keep_contents",
    "keep_stream",
    "receive",
    "received_so_far",
    "remove_sent_content",
    "request_checksum",
    "require_sender",
    "sign_completion",
    "start_upload",
]

ABORT_BATCH = 500
# An upload of at most so many bytes is hashed when it is verified, without a job for its SHA-256.
HASHED_AT_ONCE = 2**20
# How many contents are put into the store at the same time; its client has ten connections.
PARALLEL_PUTS = 8

_BEGUN = PreparedInsert(Upload)
# The same request may have been sent twice.
_VERIFIED = PreparedInsert(Blob, unless_there=True)


@dataclass(frozen=True)
class SignedPart:
    """A part of an upload, its length in bytes, and the URL to put it to."""

    number: int
    size: int
    url: str


@dataclass(frozen=True)
class UploadedPart:
    """A part of an upload as the client has put it into the store."""

    number: int
    size: int
    etag: str


def start_upload(*, actor: Actor, dataset: Dataset, size: int, etag: str) -> tuple[Upload, list[SignedPart]]:
    """Begin the upload of `size` bytes with the dandi-etag `etag`, meant for `dataset`.

    Returns the upload and a URL for each of its parts, each bound to the part's length. Raises ConflictError, naming
    the blob, when nothing needs to be uploaded: the actor may attach one with that digest already, or it is empty.
    """
    require(actor, Action.UPLOAD, dataset)
    if actor.user is None:
        raise ForbiddenError("Only a person can upload.")
    require_not_releasing(dataset)
    if not 0 <= size <= digests.MAX_OBJECT_SIZE:
        raise InvalidError(f"The size must be from 0 to {digests.MAX_OBJECT_SIZE} bytes.", field="size")
    if not digests.ETAG_PATTERN.fullmatch(etag):
        raise InvalidError("A dandi-etag is an MD5, a dash, and the number of parts.", field="digest")
    parts = digests.parts_of(size)
    if int(etag.rpartition("-")[2]) != len(parts):
        raise InvalidError(f"{size} bytes are uploaded in {len(parts)} parts; the dandi-etag is wrong.", field="digest")
    existing = find_attachable_blob(actor, etag) if size else _empty_blob(actor, dataset, etag)
    if existing:
        raise ConflictError("Blob already exists.", blob_id=str(existing.pk))
    upload_id = uuid.uuid4()
    multipart_id = storage.start_multipart(blob_key(upload_id))
    upload = Upload(id=upload_id, dataset=dataset, user=actor.user, size=size, etag=etag, multipart_id=multipart_id)
    _BEGUN.insert(upload)
    urls = store.sign_parts(upload.key, upload.multipart_id, parts)
    return upload, [SignedPart(part.number, part.size, url) for part, url in zip(parts, urls, strict=True)]


def _empty_blob(actor: Actor, dataset: Dataset, etag: str) -> Blob:
    """Return a blob of no bytes, which no store takes as an upload: it has no parts."""
    if etag != digests.EMPTY_ETAG:
        raise InvalidError(f"The dandi-etag of an empty file is {digests.EMPTY_ETAG}.", field="digest")
    [blob] = keep_contents(actor=actor, dataset=dataset, contents=[b""])
    return blob


def sign_completion(upload: Upload, parts: Sequence[UploadedPart]) -> store.Completion:
    """Return where the client posts the end of the upload, and what it posts there.

    Raises InvalidError when the parts are not those of the upload: one missing, one too many, or of a wrong size.
    """
    given = [digests.Part(part.number, part.size) for part in sorted(parts, key=lambda part: part.number)]
    if given != digests.parts_of(upload.size):
        raise InvalidError("The parts are not those that the upload was begun with.", field="parts")
    return store.sign_completion(upload.key, upload.multipart_id, {part.number: part.etag for part in parts})


def finish_upload(*, actor: Actor, upload_id: uuid.UUID) -> Blob:
    """Make a blob of an upload whose bytes the store holds, with the size and digest that were announced.

    Its SHA-256 is known at once if it has HASHED_AT_ONCE bytes or fewer; else a worker computes it. Asked again, it
    returns the same blob. Raises InvalidError, and leaves the upload as it is, when the object is not there or is
    another. When the same bytes became a blob meanwhile, that one is returned, the second copy deleted.
    """
    try:
        upload = find_upload(actor, upload_id)
    except NotFoundError:
        return find_finished_upload(actor, upload_id)
    existing = find_attachable_blob(actor, upload.etag)
    # If the same request was sent twice, the blob is this upload's own, and its bytes are no second copy.
    if existing and existing.pk != upload_id:
        # The row is deleted last: while it exists, garbage collection finds what a crash leaves in the store.
        storage.abort_multipart(upload.key, upload.multipart_id)
        storage.delete(upload.key)
        upload.delete()
        return existing
    sha256 = _verify(upload)
    blob = Blob(id=upload_id, uploader_id=upload.user_id, size=upload.size, etag=upload.etag, sha256=sha256)
    with transaction.atomic():
        _VERIFIED.insert(blob)
        if sha256 is None:
            start_job(CHECKSUM_JOB, subject=str(blob.pk), dataset_id=upload.dataset_id, author=actor)
        find_rows("DELETE FROM archive_upload WHERE id = %(id)s RETURNING id", {"id": upload_id})
    return blob


def _verify(upload: Upload) -> str | None:
    """Raise InvalidError unless the store holds what was announced; returns its SHA-256 if it is small."""
    if upload.size > HASHED_AT_ONCE:
        found, sha256 = store.find(upload.key), None
    else:
        found, sha256 = store.find_and_hash(upload.key, at_most=HASHED_AT_ONCE)
    if found is None:
        raise InvalidError("Object does not exist.")
    if found.size != upload.size:
        raise InvalidError(f"Size {upload.size} does not match actual size {found.size}.")
    if found.etag != upload.etag:
        raise InvalidError(f"ETag {upload.etag} does not match actual ETag {found.etag}.")
    return sha256


def keep_contents(*, actor: Actor, dataset: Dataset, contents: Sequence[bytes]) -> list[Blob]:
    """Return a blob for each of the contents: one that the actor may attach, or a new one, verified by the store.

    Together they fit into memory. Should this be broken off, what is in the store by then is that of uploads, and
    collected like them.
    """
    require(actor, Action.CHANGE_DRAFT, dataset)
    if actor.user is None:
        raise ForbiddenError("Only a person can upload.")
    by_etag = {digests.etag_of_file(BytesIO(content), len(content)): content for content in contents}
    kept = attachable_by_etag(actor, by_etag)
    uploads = [
        Upload(dataset=dataset, user=actor.user, size=len(content), etag=etag)
        for etag, content in by_etag.items()
        if etag not in kept
    ]
    Upload.objects.bulk_create(uploads)
    with ThreadPoolExecutor(PARALLEL_PUTS) as threads:
        list(threads.map(lambda upload: storage.put(upload.key, by_etag[upload.etag]), uploads))
    blobs = [
        Blob(
            id=upload.pk,
            uploader=actor.user,
            size=upload.size,
            etag=upload.etag,
            sha256=hashlib.sha256(by_etag[upload.etag]).hexdigest(),
        )
        for upload in uploads
    ]
    with transaction.atomic():
        Blob.objects.bulk_create(blobs)
        Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).delete()
    kept |= {blob.etag: blob for blob in blobs}
    etags = {content: etag for etag, content in by_etag.items()}
    return [kept[etags[content]] for content in contents]


def clear_uploads(*, actor: Actor, dataset: Dataset) -> None:
    """Give up all uploads that are under way for the dataset, whoever began them.

    The rows go at once; what the store holds of them is freed by jobs of at most ABORT_BATCH uploads each.
    """
    require(actor, Action.CHANGE_DRAFT, dataset)
    with transaction.atomic():
        begun = [[blob_key(pk), multipart_id] for pk, multipart_id in _taken_out(Upload, dataset)]
        begun += [[blob_key(pk), multipart_id] for pk, multipart_id in _taken_out(Reception, dataset)]
        for start in range(0, len(begun), ABORT_BATCH):
            batch = begun[start : start + ABORT_BATCH]
            subject = batch[0][0].rpartition("/")[2]
            start_job(ABORT_JOB, subject=subject, dataset_id=dataset.number, arguments={"uploads": batch})


def _taken_out(model: type[Upload | Reception], dataset: Dataset) -> list[tuple[uuid.UUID, str]]:
    """Delete the dataset's rows of this model, and return the id and multipart id of each."""
    rows = model._default_manager.filter(dataset=dataset)  # noqa: SLF001 - Django's own name for what both have
    found = list(rows.select_for_update().values_list("pk", "multipart_id"))
    rows.filter(pk__in=[pk for pk, _ in found]).delete()
    return found


def remove_sent_content(*, actor: Actor, dataset: Dataset, key: AnnexKey) -> bool:
    """Remove what the actor sent to the dataset by that key, if no asset has it; whether none of it is there now."""
    require(actor, Action.CHANGE_DRAFT, dataset, message="Only owners and editors of the dataset may remove content.")
    digest = {key.hash_name.lower(): key.digest}
    with transaction.atomic():
        # A concurrent request that makes an asset of one of them waits for this transaction, and is then refused.
        mine = Blob.objects.filter(received_for=dataset, uploader=actor.user, size=key.size, **digest)
        for blob in mine.select_for_update():
            if not blob.assets.exists():
                start_job(DELETE_JOB, subject=str(blob.pk), dataset_id=dataset.number, author=actor)
                blob.delete()
    return find_annex_content(actor, dataset, key) is None


def request_checksum(*, blob: Blob) -> None:
    """Have the SHA-256 of a blob computed that has none."""
    with transaction.atomic():
        start_job(CHECKSUM_JOB, subject=str(blob.pk))
