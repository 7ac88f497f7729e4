"""Keeping content as it comes, of which nothing was known before: it is hashed on its way into the store."""

import uuid
from base64 import b64encode
from collections.abc import Iterable
from tempfile import SpooledTemporaryFile
from typing import IO

from django.db import transaction

from archive import digests as arithmetic
from archive.accounts.models import User
from archive.accounts.policy import Action, Actor, require
from archive.blobs.models import Blob, Upload, blob_key
from archive.blobs.queries import attachable_by_digest
from archive.blobs.receiving import Digests, Incoming
from archive.datasets.models import Dataset
from archive.datasets.queries import require_not_releasing
from archive.errors import ConflictError, ForbiddenError, InvalidError
from archive.storage import queries as store
from archive.storage import services as storage

# So much of a file waits in memory, and more of it on disk.
IN_MEMORY = 2**20
# What stands for a digest that is not known before all bytes have come.
UNKNOWN = f"{'0' * 32}-1"


def keep_stream(*, actor: Actor, dataset: Dataset, length: int | None, chunks: Iterable[bytes]) -> Blob:
    """Return a blob of all the `chunks`: one there is of the same bytes, which the dataset may have, or a new one.

    Raises InvalidError, about the field `content`, when they are more or less than `length`, if that is known. Nothing
    is kept then, nor when they break off.
    """
    user = require_sender(actor, dataset)
    incoming, digests = Incoming(chunks), Digests()
    with SpooledTemporaryFile(max_size=IN_MEMORY) as first:
        md5 = _spool(incoming, _part_size(length), first, digests)
        if incoming.is_over():
            _require_length(first.tell(), length)
            if same := _same_content(actor, dataset, digests):
                return same
            if first.tell() <= IN_MEMORY:
                return _keep_small(user, dataset, first, md5, digests)
        return _Large(user, dataset, length).keep(first, md5, incoming, digests)


def require_sender(actor: Actor, dataset: Dataset) -> User:
    """Return the person who sends content to a dataset; raise unless they may, and it takes any now."""
    require(actor, Action.UPLOAD, dataset)
    if actor.user is None:
        raise ForbiddenError("Only a person can send content.")
    require_not_releasing(dataset)
    return actor.user


def _part_size(length: int | None) -> int:
    if length is not None and length > arithmetic.MAX_OBJECT_SIZE:
        raise InvalidError(f"Content must have at most {arithmetic.MAX_OBJECT_SIZE} bytes.")
    parts = arithmetic.parts_of(length or 0)
    return parts[0].size if len(parts) > 1 else arithmetic.PART_SIZE


def _spool(incoming: Incoming, size: int, file: IO[bytes], digests: Digests) -> bytes:
    """Write the next `size` bytes, or what there is, into a file; returns their MD5."""
    part = Digests()
    for piece in incoming.take(size):
        file.write(piece)
        digests.update(piece)
        part.update(piece)
    return bytes.fromhex(part.values()["MD5"])


def _require_length(size: int, length: int | None) -> None:
    if length is not None and size != length:
        raise InvalidError(f"{size} bytes have come, where {length} were announced.", field="content")


def _same_content(actor: Actor, dataset: Dataset, digests: Digests) -> Blob | None:
    sha256 = digests.values()["SHA256"]
    return attachable_by_digest(actor, dataset, "SHA256", [sha256]).get(sha256)


def _keep_small(user: User, dataset: Dataset, file: IO[bytes], md5: bytes, digests: Digests) -> Blob:
    size = file.tell()
    etag = arithmetic.etag_of_parts([md5.hex()] if size else [])
    # A row before the object: while it exists, garbage collection finds what a crash leaves in the store.
    upload = Upload.objects.create(dataset=dataset, user=user, size=size, etag=etag)
    file.seek(0)
    storage.put(upload.key, file.read())
    return _verified(upload, size, etag, digests)


def _verified(upload: Upload, size: int, etag: str, digests: Digests) -> Blob:
    """Make a blob of an upload whose bytes the store has."""
    blob = Blob(id=upload.pk, uploader_id=upload.user_id, size=size, etag=etag, received_for_id=upload.dataset_id)
    known = digests.values()
    blob.sha256, blob.md5 = known["SHA256"], known["MD5"]
    with transaction.atomic():
        blob.save(force_insert=True)
        if not Upload.objects.filter(pk=upload.pk).delete()[0]:
            raise ConflictError("This upload was given up meanwhile; please send the file again.")
    return blob


class _Large:
    """Content that goes into the store in parts."""

    def __init__(self, user: User, dataset: Dataset, length: int | None) -> None:
        upload_id = uuid.uuid4()
        self._multipart_id = storage.start_multipart(blob_key(upload_id))
        self._upload = Upload(
            id=upload_id,
            dataset=dataset,
            user=user,
            size=length or 0,
            etag=UNKNOWN,
            multipart_id=self._multipart_id,
        )
        self._upload.save(force_insert=True)
        self._length = length
        self._md5s: list[str] = []
        self._size = 0

    def keep(self, first: IO[bytes], md5: bytes, incoming: Incoming, digests: Digests) -> Blob:
        """Send the first part and all others; returns the blob."""
        try:
            self._put(first, md5)
            self._put_rest(incoming, digests)
            _require_length(self._size, self._length)
            return _verified(self._upload, self._size, self._join(), digests)
        except Exception:
            storage.abort_multipart(self._upload.key, self._multipart_id)
            storage.delete(self._upload.key)
            Upload.objects.filter(pk=self._upload.pk).delete()
            raise

    def _put(self, file: IO[bytes], md5: bytes) -> None:
        self._size += file.tell()
        file.seek(0)
        number = len(self._md5s) + 1
        if number > arithmetic.MAX_PARTS:
            raise InvalidError("Announce the length of so large a file.", field="content")
        storage.upload_part(self._upload.key, self._multipart_id, number, file, md5=b64encode(md5).decode())
        self._md5s.append(md5.hex())

    def _put_rest(self, incoming: Incoming, digests: Digests) -> None:
        while not incoming.is_over():
            with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
                md5 = _spool(incoming, _part_size(self._length), file, digests)
                self._put(file, md5)

    def _join(self) -> str:
        """Make one object of the parts; returns its dandi-etag, which the store has confirmed."""
        etag = arithmetic.etag_of_parts(self._md5s)
        storage.complete_multipart(self._upload.key, self._multipart_id, self._md5s)
        found = store.find(self._upload.key)
        if found is None or (found.size, found.etag) != (self._size, etag):
            raise ConflictError("The store has not kept what was received; please send it again.")
        return etag
