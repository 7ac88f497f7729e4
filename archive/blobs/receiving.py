"""Receiving content by its key: in parts, so that it can be resumed, and verified before it becomes a blob."""

import hashlib
import uuid
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import IO, Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.accounts.models import User
from archive.accounts.policy import Action, Actor, require
from archive.blobs.models import Blob, Reception, blob_key
from archive.blobs.queries import find_annex_content
from archive.datasets.models import Dataset
from archive.datasets.queries import require_not_releasing
from archive.digests import MAX_OBJECT_SIZE, Part, etag_of_parts, parts_of
from archive.errors import ConflictError, ForbiddenError, InvalidError, LockedError, NotFoundError
from archive.git_annex.keys import AnnexKey
from archive.storage import queries as store
from archive.storage import services as storage

HOLD = timedelta(seconds=60)
BEAT_SECONDS = 15.0
# A client that was cut off comes back at once, while its broken request may still be running.
PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.25


def received_so_far(*, actor: Actor, dataset: Dataset, key: AnnexKey) -> int | None:
    """Return the offset at which to resume sending the content; None if the archive has all of it.

    Refuses whom `receive` refuses.
    """
    user = _require_receivable(actor, dataset, key)
    if find_annex_content(actor, dataset, key):
        return None
    reception = _receptions(user, dataset, key).first()
    return reception.received if reception else 0


def receive(
    *, actor: Actor, dataset: Dataset, key: AnnexKey, offset: int, length: int, chunks: Iterable[bytes]
) -> Blob:
    """Make a blob of the content of that key, of which `chunks` are the `length` bytes from `offset` on.

    What was received before is not needed again, and whole parts of what comes are kept if not all of it does. Returns
    the blob there is if there is one already. Raises InvalidError, about the field `content`, when what comes is not
    what the key says, and then all of it is forgotten; or when it is less or more than `length`. LockedError while
    somebody else is sending it.
    """
    user = _require_receivable(actor, dataset, key)
    existing = find_annex_content(actor, dataset, key)
    if existing:
        return existing
    if offset + length != key.size:
        raise InvalidError(f"{length} bytes from byte {offset} on are not the rest of {key.size}.")
    with _held(user, dataset, key) as hold:
        received = hold.reception.received
        if offset > received:
            raise InvalidError(f"Only {received} bytes have been received; go on from there.")
        incoming = Incoming(chunks)
        for _ in incoming.take(received - offset):
            pass
        digests = _receive_parts(hold, incoming, Digests() if received == 0 else None)
        return _finish(hold, digests)


def _require_receivable(actor: Actor, dataset: Dataset, key: AnnexKey) -> User:
    require(
        actor, Action.CHANGE_DRAFT, dataset, message="Only owners and editors of the dataset may send content to it."
    )
    if actor.user is None:
        raise ForbiddenError("Only a person can send content.")
    require_not_releasing(dataset)
    if key.size > MAX_OBJECT_SIZE:
        raise InvalidError(f"Content must have at most {MAX_OBJECT_SIZE} bytes.")
    return actor.user


def _receptions(user: User, dataset: Dataset, key: AnnexKey) -> QuerySet[Reception]:
    return Reception.objects.filter(
        dataset=dataset, user=user, hash_name=key.hash_name, digest=key.digest, size=key.size
    )


# --- Holding a reception ----------------------------------------------------------------------------------------------


class _Hold:
    """A reception that nobody else works on, as long as a sign of life is given now and then."""

    def __init__(self, reception: Reception) -> None:
        self.reception = reception
        self._holder = uuid.uuid4()
        self._until = 0.0
        self._take()
        reception.refresh_from_db()

    def _take(self) -> None:
        until = monotonic() + PATIENCE_SECONDS
        while not self._is_taken():
            if monotonic() > until:
                raise LockedError("This content is being received already; please try again in a minute.")
            sleep(PAUSE_SECONDS)

    def _is_taken(self) -> bool:
        now = timezone.now()
        free = Reception.objects.filter(Q(held_until=None) | Q(held_until__lt=now), pk=self.reception.pk)
        return free.update(holder=self._holder, held_until=now + HOLD) > 0

    def row(self) -> QuerySet[Reception]:
        """Return the row as a query, which is empty when the row is not held any more."""
        return Reception.objects.filter(pk=self.reception.pk, holder=self._holder)

    def beat(self) -> None:
        """Give a sign of life, if it is time to."""
        if monotonic() > self._until:
            self.keep()

    def keep(self, **fields: Any) -> None:
        """Hold the reception for another while, and keep what is known of it; ConflictError if it is not held."""
        now = timezone.now()
        if not self.row().update(held_until=now + HOLD, modified=now, **fields):
            raise ConflictError("This content was given up, or another request is sending the same.")
        self._until = monotonic() + BEAT_SECONDS

    def release(self) -> None:
        """Let others go on with it."""
        self.row().update(holder=None, held_until=None)

    def discard(self) -> None:
        """Forget all that was received. The row goes last: as long as it is there, the rest can be found."""
        storage.abort_multipart(self.reception.key, self.reception.multipart_id)
        storage.delete(self.reception.key)
        self.row().delete()


@contextmanager
def _held(user: User, dataset: Dataset, key: AnnexKey) -> Iterator[_Hold]:
    """Hold the reception of that content by the user; it is begun if it is not yet."""
    reception = _receptions(user, dataset, key).first() or _begin(user, dataset, key)
    hold = _Hold(reception)
    try:
        yield hold
    finally:
        hold.release()


def _begin(user: User, dataset: Dataset, key: AnnexKey) -> Reception:
    blob_id = uuid.uuid4()
    multipart_id = storage.start_multipart(blob_key(blob_id)) if key.size else ""
    reception, is_new = Reception.objects.get_or_create(
        dataset=dataset,
        user=user,
        hash_name=key.hash_name,
        digest=key.digest,
        size=key.size,
        defaults={"id": blob_id, "multipart_id": multipart_id},
    )
    if not is_new:
        storage.abort_multipart(blob_key(blob_id), multipart_id)
    return reception


# --- Parts ------------------------------------------------------------------------------------------------------------


class Incoming:
    """Chunks, taken in pieces of the sizes that are wanted."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def take(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes in pieces; fewer if there are not so many."""
        while size > 0:
            piece = self._rest or next(self._chunks, b"")
            if not piece:
                return
            piece, self._rest = piece[:size], piece[size:]
            size -= len(piece)
            yield piece

    def is_over(self) -> bool:
        """Return whether nothing is left."""
        self._rest = self._rest or next(self._chunks, b"")
        return not self._rest


class Digests:
    """The digests of content of which all bytes pass by."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, piece: bytes) -> None:
        self._sha256.update(piece)
        self._md5.update(piece)

    def values(self) -> dict[str, str]:
        """Return the digests, by the names that keys have for them."""
        return {"SHA256": self._sha256.hexdigest(), "MD5": self._md5.hexdigest()}


def _receive_parts(hold: _Hold, incoming: Incoming, digests: Digests | None) -> Digests | None:
    """Hand the parts that are missing on to the store, each as soon as it is whole; `digests` hear of all bytes."""
    md5s = list(hold.reception.part_md5s)
    parts = parts_of(hold.reception.size)
    for part in parts[len(md5s) :]:
        with TemporaryFile() as file:
            md5 = _spool(hold, incoming.take(part.size), file, digests)
            if file.tell() < part.size:
                raise InvalidError("Fewer bytes have come than were announced; whole parts are kept.", field="content")
            if part == parts[-1]:
                _require_end(incoming)
            _put_part(hold, part, file, md5)
        md5s.append(md5.hex())
        hold.keep(part_md5s=md5s)
    _require_end(incoming)
    hold.reception.part_md5s = md5s
    return digests


def _spool(hold: _Hold, pieces: Iterator[bytes], file: IO[bytes], digests: Digests | None) -> bytes:
    """Write pieces into a file; returns their MD5."""
    md5 = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        file.write(piece)
        md5.update(piece)
        if digests:
            digests.update(piece)
        hold.beat()
    return md5.digest()


def _require_end(incoming: Incoming) -> None:
    if next(incoming.take(1), b""):
        raise InvalidError("More bytes have come than were announced.", field="content")


def _put_part(hold: _Hold, part: Part, file: IO[bytes], md5: bytes) -> None:
    row = hold.reception
    file.seek(0)
    try:
        storage.upload_part(row.key, row.multipart_id, part.number, file, md5=b64encode(md5).decode())
    except NotFoundError:
        hold.discard()
        raise ConflictError("The store has dropped what was received before; please send all of it again.") from None


# --- The end ----------------------------------------------------------------------------------------------------------


def _finish(hold: _Hold, digests: Digests | None) -> Blob:
    """Make one object of the parts, and a blob of that once it is known to be what the key says."""
    row = hold.reception
    etag = etag_of_parts(row.part_md5s)
    if digests:
        _require_digest(hold, digests)
    if row.size:
        _join_parts(hold, etag)
    else:
        # A multipart upload without parts cannot be completed.
        storage.put(row.key, b"")
    if digests is None:
        # Content that came in several requests was not hashed as a whole.
        digests = _read_back(hold)
        _require_digest(hold, digests)
    known = digests.values()
    blob = Blob(id=row.pk, uploader_id=row.user_id, size=row.size, etag=etag, received_for_id=row.dataset_id)
    blob.sha256, blob.md5 = known["SHA256"], known["MD5"]
    with transaction.atomic():
        hold.keep()
        blob.save(force_insert=True)
        hold.row().delete()
    return blob


def _join_parts(hold: _Hold, etag: str) -> None:
    row = hold.reception
    storage.complete_multipart(row.key, row.multipart_id, row.part_md5s)
    found = store.find(row.key)
    if found is None or (found.size, found.etag) != (row.size, etag):
        hold.discard()
        raise ConflictError("The store has not kept what was received; please send it again.")


def _read_back(hold: _Hold) -> Digests:
    digests = Digests()
    for chunk in store.read_from(hold.reception.key, 0):
        digests.update(chunk)
        hold.beat()
    return digests


def _require_digest(hold: _Hold, digests: Digests) -> None:
    if digests.values()[hold.reception.hash_name] == hold.reception.digest:
        return
    hold.discard()
    said = f"The content does not match its key, and is not kept: it does not have the digest {hold.reception.digest}."
    raise InvalidError(said, field="content")
