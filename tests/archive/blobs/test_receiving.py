"""Receiving content by its key: what comes whole, what is gone on with, and what is not what it says it is."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone

from archive import digests
from archive.accounts.models import Token
from archive.accounts.policy import ANONYMOUS, SYSTEM, Actor
from archive.blobs import receiving
from archive.blobs.models import Blob, Reception
from archive.blobs.queries import active_uploads, find_annex_content
from archive.blobs.services import clear_uploads, receive, received_so_far, remove_sent_content
from archive.datasets.models import Dataset
from archive.digests import MIB
from archive.errors import ConflictError, ForbiddenError, InvalidError, LockedError, UnauthenticatedError
from archive.git_annex.keys import AnnexKey
from archive.storage import queries as store
from archive.storage import services as storage
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_dataset,
    make_embargoed_dataset,
    make_releasing_dataset,
    make_token,
    make_user,
    owner_of,
)
from tests.worker import Worker

Check = Callable[[], bool]

pytestmark = pytest.mark.django_db

SMALL = b"content"
# The smallest parts that S3 takes; the last may have less.
PART = 5 * MIB
LARGE = hashlib.shake_128(b"large").digest(2 * PART + 1000)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "PART_SIZE", PART)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(receiving, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


def sha256_key(content: bytes) -> AnnexKey:
    return AnnexKey("SHA256", len(content), hashlib.sha256(content).hexdigest(), ".nwb")


def md5_key(content: bytes) -> AnnexKey:
    return AnnexKey("MD5", len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())


def chunked(content: bytes, size: int = 700_001) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def send(
    dataset: Dataset, content: bytes, *, key: AnnexKey | None = None, offset: int = 0, actor: Actor | None = None
) -> Blob:
    """Send content from an offset on, by the dataset's owner, all of it in this one go."""
    rest = content[offset:]
    key = key or sha256_key(content)
    return receive(
        actor=actor or owner_of(dataset),
        dataset=dataset,
        key=key,
        offset=offset,
        length=len(rest),
        chunks=chunked(rest),
    )


def send_in_part(dataset: Dataset, content: bytes, until: int, key: AnnexKey | None = None) -> None:
    """Begin to send content, and be cut off."""
    with pytest.raises(InvalidError, match="Fewer bytes have come"):
        receive(
            actor=owner_of(dataset),
            dataset=dataset,
            key=key or sha256_key(content),
            offset=0,
            length=len(content),
            chunks=chunked(content[:until]),
        )


def received(dataset: Dataset, content: bytes) -> int | None:
    return received_so_far(actor=owner_of(dataset), dataset=dataset, key=sha256_key(content))


def stored(blob: Blob) -> bytes:
    return b"".join(store.read(blob.key))


def unfinished() -> set[str]:
    """The multipart uploads that the store has not been told the end of."""
    return {
        each["UploadId"] for each in store.client().list_multipart_uploads(Bucket=store.bucket()).get("Uploads", [])
    }


@pytest.fixture
def nothing_is_left(db: None) -> Check:
    """Whether no row, no object and no part of one is there of anything that the test has sent."""
    before = unfinished()
    return lambda: not (Reception.objects.exists() or Blob.objects.exists() or unfinished() - before)


# --- In one go --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key_of", [sha256_key, md5_key])
@pytest.mark.parametrize("content", [SMALL, b""], ids=["small", "empty"])
def test_content_becomes_a_blob_of_which_all_digests_are_known(
    dataset: Dataset, content: bytes, key_of: Callable[[bytes], AnnexKey]
) -> None:
    before = unfinished()
    blob = send(dataset, content, key=key_of(content))
    blob.refresh_from_db()
    assert (blob.size, blob.uploader, blob.received_for) == (len(content), owner_of(dataset).user, dataset)
    assert (blob.sha256, blob.md5) == (sha256_key(content).digest, md5_key(content).digest)
    assert blob.etag == digests.etag_of_file(BytesIO(content), len(content))
    assert stored(blob) == content
    assert not Reception.objects.exists()
    assert unfinished() == before


def test_content_of_many_parts_becomes_one_object(dataset: Dataset, small_parts: None) -> None:
    blob = send(dataset, LARGE)
    assert blob.etag.endswith("-3")
    assert stored(blob) == LARGE


def test_content_that_is_there_is_not_received_again(dataset: Dataset) -> None:
    blob = send(dataset, SMALL)
    assert received(dataset, SMALL) is None
    assert (
        receive(actor=owner_of(dataset), dataset=dataset, key=sha256_key(SMALL), offset=0, length=7, chunks=[b"x"])
        == blob
    )


def test_content_of_another_dataset_that_the_sender_may_attach_is_there(dataset: Dataset) -> None:
    other = make_dataset()
    blob = send(other, SMALL)
    make_asset(other, blob=blob)
    assert received(dataset, SMALL) is None
    assert received_so_far(actor=owner_of(dataset), dataset=dataset, key=md5_key(SMALL)) == 0


def test_content_of_an_embargoed_dataset_is_received_again_by_others(dataset: Dataset) -> None:
    theirs = make_embargoed_dataset()
    make_asset(theirs, blob=send(theirs, SMALL))
    assert received(dataset, SMALL) == 0
    assert send(dataset, SMALL).uploader == owner_of(dataset).user


@pytest.mark.parametrize("key", [sha256_key(SMALL), md5_key(SMALL)], ids=["SHA256", "MD5"])
def test_content_that_is_not_what_its_key_says_leaves_nothing(
    dataset: Dataset, key: AnnexKey, nothing_is_left: Callable[[], bool]
) -> None:
    with pytest.raises(InvalidError, match="does not match its key"):
        send(dataset, SMALL[::-1], key=key)
    with pytest.raises(InvalidError, match="does not match its key"):
        send(dataset, b"", key=key._replace(size=0))
    assert nothing_is_left()


def test_more_than_was_announced_is_refused(dataset: Dataset) -> None:
    with pytest.raises(InvalidError, match="More bytes have come"):
        receive(
            actor=owner_of(dataset),
            dataset=dataset,
            key=sha256_key(SMALL),
            offset=0,
            length=len(SMALL),
            chunks=[SMALL, b"x"],
        )
    assert not Blob.objects.exists()
    assert send(dataset, SMALL)


@pytest.mark.parametrize(("offset", "length"), [(0, 6), (0, 8), (1, 7), (7, 7)])
def test_length_that_does_not_lead_to_the_end_is_refused(dataset: Dataset, offset: int, length: int) -> None:
    with pytest.raises(InvalidError, match="are not the rest of 7"):
        receive(
            actor=owner_of(dataset),
            dataset=dataset,
            key=sha256_key(SMALL),
            offset=offset,
            length=length,
            chunks=[SMALL],
        )


def test_size_that_no_blob_has_is_refused(dataset: Dataset) -> None:
    key = sha256_key(SMALL)._replace(size=digests.MAX_OBJECT_SIZE + 1)
    with pytest.raises(InvalidError, match=f"at most {digests.MAX_OBJECT_SIZE} bytes"):
        received_so_far(actor=owner_of(dataset), dataset=dataset, key=key)


# --- In several goes --------------------------------------------------------------------------------------------------


def test_what_came_in_whole_parts_is_kept(dataset: Dataset, small_parts: None) -> None:
    send_in_part(dataset, LARGE, 2 * PART - 1)
    assert received(dataset, LARGE) == PART
    assert active_uploads(dataset) == 1
    blob = send(dataset, LARGE, offset=PART)
    assert (blob.sha256, blob.md5) == (sha256_key(LARGE).digest, md5_key(LARGE).digest)
    assert stored(blob) == LARGE
    assert active_uploads(dataset) == 0


@pytest.mark.parametrize("offset", [0, 1, PART - 1])
def test_what_came_before_may_be_sent_again(dataset: Dataset, small_parts: None, offset: int) -> None:
    send_in_part(dataset, LARGE, PART + 1)
    assert stored(send(dataset, LARGE, offset=offset)) == LARGE


def test_what_has_not_come_cannot_be_left_out(dataset: Dataset, small_parts: None) -> None:
    send_in_part(dataset, LARGE, PART + 1)
    with pytest.raises(InvalidError, match=f"Only {PART} bytes"):
        send(dataset, LARGE, offset=PART + 1)
    assert received(dataset, LARGE) == PART


def test_parts_that_are_not_what_the_key_says_leave_nothing(
    dataset: Dataset, small_parts: None, nothing_is_left: Callable[[], bool]
) -> None:
    key = sha256_key(LARGE)
    send_in_part(dataset, LARGE[::-1], PART, key)
    with pytest.raises(InvalidError, match="does not match its key"):
        send(dataset, LARGE, key=key, offset=PART)
    assert nothing_is_left()


def test_end_that_was_interrupted_is_gone_on_with(
    dataset: Dataset, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the end of the upload in the store, and the blob."""
    monkeypatch.setattr(receiving.store, "find", _crash)
    with pytest.raises(SystemExit):
        send(dataset, LARGE)
    monkeypatch.undo()
    monkeypatch.setattr(digests, "PART_SIZE", PART)
    assert received(dataset, LARGE) == len(LARGE)
    assert stored(send(dataset, LARGE, offset=len(LARGE))) == LARGE


def _crash(key: str) -> None:
    raise SystemExit


def test_parts_that_the_store_has_given_up_are_sent_again(
    dataset: Dataset, small_parts: None, nothing_is_left: Callable[[], bool]
) -> None:
    send_in_part(dataset, LARGE, PART)
    reception = Reception.objects.get()
    storage.abort_multipart(reception.key, reception.multipart_id)
    with pytest.raises(ConflictError, match="send all of it"):
        send(dataset, LARGE, offset=PART)
    assert nothing_is_left()
    assert stored(send(dataset, LARGE)) == LARGE


def test_part_that_the_store_has_of_somebody_else_is_noticed(
    dataset: Dataset, small_parts: None, nothing_is_left: Check
) -> None:
    """Of a process that was thought dead, and was only slow."""
    send_in_part(dataset, LARGE, PART)
    reception = Reception.objects.get()
    other = BytesIO(LARGE[-PART:])
    md5 = b64encode(hashlib.md5(LARGE[-PART:], usedforsecurity=False).digest()).decode()
    storage.upload_part(reception.key, reception.multipart_id, 1, other, md5=md5)
    with pytest.raises(ConflictError, match="has not kept what was received"):
        send(dataset, LARGE, offset=PART)
    assert nothing_is_left()


# --- Two at once ------------------------------------------------------------------------------------------------------


def held(dataset: Dataset, *, until: timedelta) -> None:
    """The reception of LARGE is held by a process that was last heard of a while ago."""
    send_in_part(dataset, LARGE, PART)
    Reception.objects.update(holder="0" * 32, held_until=timezone.now() + until)


def test_second_sender_is_told_that_there_is_a_first(dataset: Dataset, small_parts: None) -> None:
    held(dataset, until=timedelta(seconds=30))
    with pytest.raises(LockedError, match="already"):
        send(dataset, LARGE, offset=PART)
    assert received(dataset, LARGE) == PART


def test_sender_whose_process_was_killed_is_not_waited_for(dataset: Dataset, small_parts: None) -> None:
    held(dataset, until=timedelta(seconds=-1))
    assert stored(send(dataset, LARGE, offset=PART)) == LARGE


def test_sender_who_was_taken_over_changes_nothing(dataset: Dataset, small_parts: None) -> None:
    def chunks() -> Iterator[bytes]:
        yield LARGE[: PART - 1]
        Reception.objects.update(holder="0" * 32)
        yield LARGE[PART - 1 :]

    with pytest.raises(ConflictError, match="another request is sending"):
        receive(
            actor=owner_of(dataset),
            dataset=dataset,
            key=sha256_key(LARGE),
            offset=0,
            length=len(LARGE),
            chunks=chunks(),
        )
    assert Reception.objects.get().part_md5s == []
    assert not Blob.objects.exists()


def test_receptions_are_given_up_with_the_uploads(
    dataset: Dataset, small_parts: None, worker: Worker, nothing_is_left: Callable[[], bool]
) -> None:
    send_in_part(dataset, LARGE, PART)
    clear_uploads(actor=owner_of(dataset), dataset=dataset)
    assert active_uploads(dataset) == 0
    worker.run()
    assert nothing_is_left()


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_content_is_received_from_those_who_may_change_the_dataset(
    dataset: Dataset, nothing_is_left: Callable[[], bool]
) -> None:
    reader = acting(owner_of(dataset).user, make_token(owner_of(dataset).user, Token.Scope.READ))  # type: ignore[arg-type]
    refusals = [
        (ANONYMOUS, UnauthenticatedError),
        (acting(make_user()), ForbiddenError),
        (reader, ForbiddenError),
        (SYSTEM, ForbiddenError),
    ]
    for actor, error in refusals:
        with pytest.raises(error):
            send(dataset, SMALL, actor=actor)
        with pytest.raises(error):
            received_so_far(actor=actor, dataset=dataset, key=sha256_key(SMALL))
    assert nothing_is_left()
    assert send(dataset, SMALL, actor=acting(make_admin()))


def test_content_is_not_received_during_a_release() -> None:
    with pytest.raises(InvalidError, match="while it is being released"):
        send(make_releasing_dataset(), SMALL)


# --- Removing ---------------------------------------------------------------------------------------------------------


def removed(dataset: Dataset, actor: Actor | None = None) -> bool:
    return remove_sent_content(actor=actor or owner_of(dataset), dataset=dataset, key=sha256_key(SMALL))


def test_what_was_sent_is_removed_by_who_sent_it(
    dataset: Dataset, worker: Worker, nothing_is_left: Callable[[], bool]
) -> None:
    blob = send(dataset, SMALL)
    assert removed(dataset)
    worker.run()
    assert store.find(blob.key) is None
    assert nothing_is_left()
    assert send(dataset, SMALL)


def test_what_is_not_there_is_removed(dataset: Dataset) -> None:
    assert removed(dataset)


def test_what_an_asset_has_is_not_removed(dataset: Dataset) -> None:
    blob = send(dataset, SMALL)
    make_asset(dataset, blob=blob)
    assert not removed(dataset)
    assert stored(blob) == SMALL


def test_what_somebody_else_sent_is_not_removed(dataset: Dataset) -> None:
    send(dataset, SMALL)
    assert not removed(dataset, acting(make_admin()))
    with pytest.raises(ForbiddenError):
        removed(dataset, acting(make_user()))
    assert find_annex_content(ANONYMOUS, dataset, sha256_key(SMALL))
