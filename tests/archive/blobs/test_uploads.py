"""Uploads: begun, put, and verified before they count as present (docs/architecture.md#bytes)."""

import hashlib
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import pytest

from archive.accounts.policy import ANONYMOUS, SYSTEM, Actor
from archive.blobs import services
from archive.blobs.models import Blob, Upload
from archive.blobs.queries import active_uploads, find_upload
from archive.blobs.services import SignedPart, UploadedPart, finish_upload, sign_completion, start_upload
from archive.datasets.models import Dataset
from archive.digests import MAX_OBJECT_SIZE, PART_SIZE, etag_of_file
from archive.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
)
from archive.storage.queries import find, read
from archive.timeline.models import Job
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_blob,
    make_dataset,
    make_embargoed_dataset,
    make_releasing_dataset,
    make_user,
    owner_of,
    put_parts,
)

CONTENT = b"content"
ETAG = etag_of_file(BytesIO(CONTENT), len(CONTENT))
# As the `dandi` client computes it.
EMPTY_ETAG = "d41d8cd98f00b204e9800998ecf8427e-0"

pytestmark = pytest.mark.django_db


def _start(
    dataset: Dataset, *, actor: Actor | None = None, size: int = len(CONTENT), etag: str = ETAG
) -> tuple[Upload, list[SignedPart]]:
    return start_upload(actor=actor or owner_of(dataset), dataset=dataset, size=size, etag=etag)


def _put(upload: Upload, parts: list[SignedPart], content: bytes = CONTENT) -> Upload:
    """Do what a client does between start and finish."""
    url, body = sign_completion(upload, put_parts(parts, content))
    httpx.post(url, content=body).raise_for_status()
    return upload


# --- Starting ---------------------------------------------------------------------------------------------------------


def test_start_signs_a_url_for_each_part() -> None:
    dataset = make_dataset()
    upload, parts = _start(dataset, size=PART_SIZE + 1, etag=f"{'0' * 32}-2")
    assert [(part.number, part.size) for part in parts] == [(1, PART_SIZE), (2, 1)]
    assert len({part.url for part in parts}) == 2
    assert active_uploads(dataset) == 1
    assert find_upload(owner_of(dataset), upload.pk) == upload


@pytest.mark.parametrize(
    ("size", "etag", "field"),
    [
        (-1, f"{'0' * 32}-1", "size"),
        (0, f"{'0' * 32}-1", "digest"),
        (0, f"{'0' * 32}-0", "digest"),
        (MAX_OBJECT_SIZE + 1, f"{'0' * 32}-10000", "size"),
        (1, "0" * 32, "digest"),
        (1, f"{'0' * 32}-1\n", "digest"),
        (1, f"{'A' * 32}-1", "digest"),
        (1, f"{'0' * 32}-2", "digest"),
        (PART_SIZE + 1, f"{'0' * 32}-1", "digest"),
    ],
)
def test_start_refuses_what_cannot_be(size: int, etag: str, field: str) -> None:
    dataset = make_dataset()
    with pytest.raises(InvalidError) as caught:
        _start(dataset, size=size, etag=etag)
    assert caught.value.field == field
    assert active_uploads(dataset) == 0


def test_start_of_an_empty_upload_names_the_blob_that_it_is_at_once() -> None:
    dataset = make_dataset()
    with pytest.raises(ConflictError) as caught:
        _start(dataset, size=0, etag=EMPTY_ETAG)
    blob = Blob.objects.get(pk=caught.value.data["blob_id"])
    assert (blob.uploader, blob.size, blob.etag) == (owner_of(dataset).user, 0, EMPTY_ETAG)
    assert blob.sha256 == hashlib.sha256(b"").hexdigest()
    assert b"".join(read(blob.key)) == b""
    assert active_uploads(dataset) == 0


def test_start_of_an_empty_upload_is_refused_where_another_is() -> None:
    with pytest.raises(ForbiddenError, match="Only the owners"):
        _start(make_dataset(), actor=acting(make_user()), size=0, etag=EMPTY_ETAG)
    with pytest.raises(InvalidError, match="while it is being released"):
        _start(make_releasing_dataset(), size=0, etag=EMPTY_ETAG)
    assert not Blob.objects.exists()


def test_start_refuses_who_may_not_change_the_dataset() -> None:
    dataset = make_dataset()
    with pytest.raises(ForbiddenError, match="Only the owners"):
        _start(dataset, actor=acting(make_user()))
    with pytest.raises(UnauthenticatedError):
        _start(dataset, actor=ANONYMOUS)
    with pytest.raises(ForbiddenError, match="Only a person can upload"):
        _start(dataset, actor=SYSTEM)


def test_start_refuses_a_dataset_that_is_being_released() -> None:
    dataset = make_releasing_dataset()
    with pytest.raises(InvalidError, match="while it is being released"):
        _start(dataset)


# --- Signing the end --------------------------------------------------------------------------------------------------


def test_completion_lists_the_parts_in_order_however_they_were_given() -> None:
    upload, _ = _start(make_dataset(), size=PART_SIZE + 1, etag=f"{'0' * 32}-2")
    _, body = sign_completion(upload, [UploadedPart(2, 1, '"b"'), UploadedPart(1, PART_SIZE, '"a"')])
    assert body.index('<PartNumber>1</PartNumber><ETag>"a"</ETag>') < body.index("<PartNumber>2</PartNumber>")


def test_completion_lets_no_etag_end_its_element() -> None:
    upload, _ = _start(make_dataset())
    _, body = sign_completion(upload, [UploadedPart(1, len(CONTENT), "</ETag><Evil/>")])
    assert "<Evil/>" not in body


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [UploadedPart(1, PART_SIZE, "a")],
        [UploadedPart(1, PART_SIZE, "a"), UploadedPart(2, 2, "b")],
        [UploadedPart(1, PART_SIZE, "a"), UploadedPart(3, 1, "b")],
        [UploadedPart(1, PART_SIZE, "a"), UploadedPart(1, PART_SIZE, "a")],
        [UploadedPart(1, PART_SIZE, "a"), UploadedPart(2, 1, "b"), UploadedPart(3, 1, "c")],
    ],
    ids=["none", "missing", "wrong size", "wrong number", "twice", "too many"],
)
def test_completion_refuses_other_parts_than_those_begun(parts: list[UploadedPart]) -> None:
    upload, _ = _start(make_dataset(), size=PART_SIZE + 1, etag=f"{'0' * 32}-2")
    with pytest.raises(InvalidError) as caught:
        sign_completion(upload, parts)
    assert caught.value.field == "parts"


# --- Finishing --------------------------------------------------------------------------------------------------------


def test_finish_makes_a_blob_of_what_the_store_confirms() -> None:
    dataset = make_dataset()
    actor = owner_of(dataset)
    upload = _put(*_start(dataset))
    blob = finish_upload(actor=actor, upload_id=upload.pk)
    blob.refresh_from_db()
    assert (blob.pk, blob.uploader, blob.size, blob.etag) == (upload.pk, actor.user, len(CONTENT), ETAG)
    assert blob.is_open is False
    assert b"".join(read(blob.key)) == CONTENT
    assert active_uploads(dataset) == 0


def test_finish_of_little_knows_its_sha256_at_once() -> None:
    blob = make_blob(make_dataset(), CONTENT)
    assert blob.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert not Job.objects.exists()


def test_finish_of_much_leaves_its_sha256_to_a_worker() -> None:
    blob = make_blob(make_dataset(), bytes(services.HASHED_AT_ONCE + 1))
    assert blob.sha256 is None
    assert list(Job.objects.values_list("kind", "subject")) == [("checksum", str(blob.pk))]


def test_finish_of_many_parts_confirms_their_etag() -> None:
    content = hashlib.shake_128(b"").digest(PART_SIZE + 1)
    dataset = make_dataset()
    blob = make_blob(dataset, content)
    assert (blob.size, blob.etag) == (PART_SIZE + 1, etag_of_file(BytesIO(content), len(content)))


@pytest.mark.usefixtures("late_checksums")
def test_finish_again_returns_the_same_blob() -> None:
    dataset = make_dataset()
    actor, upload = owner_of(dataset), _put(*_start(dataset))
    first = finish_upload(actor=actor, upload_id=upload.pk)
    assert finish_upload(actor=actor, upload_id=upload.pk) == first
    assert Job.objects.count() == 1


def test_finish_at_the_same_time_as_another_leaves_the_bytes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset()
    actor, upload = owner_of(dataset), _put(*_start(dataset))
    verify = services._verify

    def other_is_faster(begun: Upload) -> str | None:
        monkeypatch.setattr(services, "_verify", verify)
        return finish_upload(actor=actor, upload_id=upload.pk).sha256

    monkeypatch.setattr(services, "_verify", other_is_faster)
    blob = finish_upload(actor=actor, upload_id=upload.pk)
    assert blob.pk == upload.pk
    assert find(blob.key)


def _nothing(upload: Upload, parts: list[SignedPart]) -> None:
    pass


def _parts_only(upload: Upload, parts: list[SignedPart]) -> None:
    put_parts(parts, CONTENT)


def _other_bytes(upload: Upload, parts: list[SignedPart]) -> None:
    _put(upload, parts, CONTENT[::-1])


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (_nothing, "Object does not exist."),
        (_parts_only, "Object does not exist."),
        (_other_bytes, f"ETag {ETAG} does not match actual ETag"),
    ],
)
def test_finish_refuses_what_was_not_announced(put: Any, message: str) -> None:
    dataset = make_dataset()
    upload, parts = _start(dataset)
    put(upload, parts)
    with pytest.raises(InvalidError, match=message):
        finish_upload(actor=owner_of(dataset), upload_id=upload.pk)
    assert not Blob.objects.exists()
    assert active_uploads(dataset) == 1


def test_finish_refuses_another_size() -> None:
    dataset = make_dataset()
    upload = _put(*_start(dataset))
    Upload.objects.update(size=8)
    with pytest.raises(InvalidError, match="Size 8 does not match actual size 7"):
        finish_upload(actor=owner_of(dataset), upload_id=upload.pk)


def test_finish_knows_nothing_of_the_uploads_of_others() -> None:
    dataset = make_dataset()
    upload = _put(*_start(dataset))
    for actor in [acting(make_user()), ANONYMOUS, SYSTEM]:
        with pytest.raises(NotFoundError):
            finish_upload(actor=actor, upload_id=upload.pk)
    with pytest.raises(NotFoundError):
        finish_upload(actor=owner_of(dataset), upload_id=uuid4())


def test_finish_by_an_administrator_leaves_the_blob_to_who_uploaded_it() -> None:
    dataset = make_dataset()
    upload = _put(*_start(dataset))
    assert finish_upload(actor=acting(make_admin()), upload_id=upload.pk).uploader == owner_of(dataset).user


# --- The same bytes twice ---------------------------------------------------------------------------------------------


def test_start_names_the_blob_that_the_uploader_has_already() -> None:
    dataset = make_dataset()
    blob = make_blob(dataset, CONTENT)
    with pytest.raises(ConflictError) as caught:
        _start(dataset)
    assert caught.value.data == {"blob_id": str(blob.pk)}


def test_start_names_a_blob_that_anybody_may_read() -> None:
    dataset = make_dataset()
    blob = make_blob(dataset, CONTENT)
    make_asset(dataset, blob=blob)
    with pytest.raises(ConflictError) as caught:
        _start(make_dataset())
    assert caught.value.data == {"blob_id": str(blob.pk)}


@pytest.mark.parametrize("make", [make_dataset, make_embargoed_dataset])
def test_start_says_nothing_of_a_blob_that_the_uploader_may_not_read(make: Any) -> None:
    theirs = make_embargoed_dataset()
    make_asset(theirs, blob=make_blob(theirs, CONTENT))
    mine = make()
    assert make_blob(mine, CONTENT).uploader == owner_of(mine).user
    assert Blob.objects.count() == 2


def test_finish_keeps_one_copy_of_what_the_uploader_may_read() -> None:
    dataset = make_dataset()
    actor = owner_of(dataset)
    first, second = _put(*_start(dataset)), _put(*_start(dataset))
    blob = finish_upload(actor=actor, upload_id=first.pk)
    assert finish_upload(actor=actor, upload_id=second.pk) == blob
    assert find(blob.key)
    assert find(second.key) is None
    assert active_uploads(dataset) == 0


def test_finish_completes_what_a_crash_left_of_a_second_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset()
    actor = owner_of(dataset)
    first, second = _put(*_start(dataset)), _put(*_start(dataset))
    blob = finish_upload(actor=actor, upload_id=first.pk)
    monkeypatch.setattr(Upload, "delete", _crash)
    with pytest.raises(SystemExit):
        finish_upload(actor=actor, upload_id=second.pk)
    monkeypatch.undo()
    assert finish_upload(actor=actor, upload_id=second.pk) == blob
    assert find(second.key) is None
    assert active_uploads(dataset) == 0


def _crash(upload: Upload) -> None:
    raise SystemExit
