"""Blobs: to whom they exist, and their SHA-256."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from archive.accounts.policy import ANONYMOUS, Actor
from archive.blobs.models import Blob
from archive.blobs.queries import (
    attachable_blob,
    attachable_blobs,
    find_attachable_blob,
    find_blob_by_digest,
    readable_blobs,
)
from archive.blobs.work import CHECKSUM_JOB
from archive.datasets.models import Dataset
from archive.errors import InvalidError, NotFoundError
from archive.storage import queries as store
from archive.timeline.models import Job
from archive.timeline.services import start_job
from archive.timeline.work.jobs import drain_due_jobs
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_blob,
    make_blob_row,
    make_dataset,
    make_embargoed_dataset,
    make_reviewer_link,
    make_user,
    make_viewer,
    owner_of,
    start_release,
)
from tests.worker import Message, Worker

pytestmark = pytest.mark.django_db


# --- To whom it exists ------------------------------------------------------------------------------------------------


def test_blob_may_be_attached_by_who_uploaded_it() -> None:
    user = make_user()
    blob = make_blob_row(user)
    assert attachable_blob(acting(user), make_dataset(), blob.pk) == blob


def test_blob_may_be_attached_by_an_administrator() -> None:
    blob = make_blob_row(make_user())
    assert attachable_blob(acting(make_admin()), make_dataset(), blob.pk) == blob


def test_blob_of_an_open_dataset_may_be_attached_by_anybody() -> None:
    dataset = make_dataset()
    blob = make_asset(dataset).blob
    assert attachable_blob(acting(make_user()), make_dataset(), blob.pk) == blob


def test_blob_of_an_embargoed_dataset_may_be_attached_by_its_owners_only() -> None:
    owner, uploader = make_user(), make_user()
    dataset = make_embargoed_dataset(owner)
    blob = make_asset(dataset).blob
    Blob.objects.update(uploader=uploader)
    assert attachable_blob(acting(owner), make_dataset(owner), blob.pk) == blob
    with pytest.raises(NotFoundError):
        attachable_blob(acting(make_user()), make_dataset(), blob.pk)


def test_strangers_blob_is_not_told_from_one_that_is_not_there() -> None:
    blob = make_blob_row(make_user())
    messages = []
    for actor, blob_id in [(acting(make_user()), blob.pk), (ANONYMOUS, blob.pk), (acting(make_user()), uuid4())]:
        with pytest.raises(NotFoundError) as caught:
            attachable_blob(actor, make_dataset(), blob_id)
        messages.append((caught.value.message, caught.value.field))
    assert set(messages) == {("", "blob_id")}


@pytest.mark.parametrize(("algorithm", "field"), [("dandi:dandi-etag", "etag"), ("dandi:sha2-256", "sha256")])
def test_digest_finds_a_blob_for_who_may_read_it(algorithm: str, field: str) -> None:
    user = make_user()
    blob = make_blob_row(user)
    digest = getattr(blob, field)
    assert find_blob_by_digest(acting(user), algorithm, digest) == blob
    assert find_blob_by_digest(acting(make_user()), algorithm, digest) is None
    assert find_blob_by_digest(ANONYMOUS, algorithm, digest) is None
    assert find_blob_by_digest(acting(user), algorithm, digest[::-1]) is None


def test_digest_finds_the_oldest_of_several_that_may_be_read() -> None:
    user, etag = make_user(), f"{'0' * 32}-1"
    make_blob_row(make_user(), etag=etag)
    older = make_blob_row(user, etag=etag)
    make_blob_row(user, etag=etag)
    assert find_blob_by_digest(acting(user), "dandi:dandi-etag", etag) == older


@pytest.mark.parametrize("among", [readable_blobs, attachable_blobs])
def test_blobs_of_many_digests_are_found_without_reading_them_twice(among: Callable[[Actor], QuerySet[Blob]]) -> None:
    for actor in (ANONYMOUS, acting(make_user())):
        assert str(among(actor).query).count('FROM "archive_blob"') == 1


def test_digest_of_another_algorithm_is_refused() -> None:
    with pytest.raises(InvalidError) as caught:
        find_blob_by_digest(ANONYMOUS, "md5", "0" * 32)
    assert caught.value.field == "algorithm"


@pytest.mark.parametrize("fields", [{"size": -1}, {"etag": "x"}, {"sha256": "x"}])
def test_rows_refuse_what_no_blob_has(fields: dict[str, Any]) -> None:
    blob = make_blob_row(make_user())
    with pytest.raises(IntegrityError), transaction.atomic():
        Blob.objects.filter(pk=blob.pk).update(**fields)


# --- SHA-256 ----------------------------------------------------------------------------------------------------------


def _sha256(blob: Blob) -> str | None:
    return Blob.objects.values_list("sha256", flat=True).get(pk=blob.pk)


@pytest.mark.usefixtures("late_checksums")
def test_checksum_follows_the_upload(worker: Worker) -> None:
    blob = make_blob(make_dataset(), b"content")
    worker.run()
    assert _sha256(blob) == hashlib.sha256(b"content").hexdigest()
    assert Job.objects.get().state == Job.State.SUCCEEDED


@pytest.mark.usefixtures("late_checksums")
def test_checksum_nudges_the_datasets_that_wait_for_it(published: list[Message]) -> None:
    dataset, other = make_dataset(), make_dataset()
    blob = make_blob(dataset)
    make_asset(dataset, "a.nwb", blob=blob)
    make_asset(dataset, "b.nwb", blob=blob)
    make_asset(other)
    drain_due_jobs(CHECKSUM_JOB)
    assert [message.arguments for message in published] == [(dataset.number,)]


@pytest.mark.usefixtures("late_checksums")
def test_checksum_is_computed_after_all_when_its_worker_was_killed(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(key: str) -> Any:
        yield b"cont"
        raise Killed

    blob = make_blob(make_dataset(), b"content")
    with monkeypatch.context() as patch:
        patch.setattr(store, "read", killed)
        with pytest.raises(Killed):
            worker.run()
    worker.run()
    assert _sha256(blob) is None
    Job.objects.update(leased_until="2000-01-01T00:00Z")
    worker.run()
    assert _sha256(blob) == hashlib.sha256(b"content").hexdigest()


def test_checksum_once_known_is_not_computed_again(worker: Worker) -> None:
    # There are no bytes in the store that it could be computed from.
    blob = make_blob_row(make_user(), sha256="0" * 64)
    start_job(CHECKSUM_JOB, subject=str(blob.pk))
    worker.run()
    assert Job.objects.get().state == Job.State.SUCCEEDED
    assert _sha256(blob) == "0" * 64


# --- By the state of the dataset it is in -----------------------------------------------------------------------------

READERS: dict[str, Callable[[Dataset], Actor]] = {
    "anonymous": lambda dataset: ANONYMOUS,
    "stranger": lambda dataset: acting(make_user()),
    "viewer": lambda dataset: acting(make_viewer(dataset)),
    "reviewer": lambda dataset: Actor(link=make_reviewer_link(dataset)[0]),
    "owner": owner_of,
    "admin": lambda dataset: acting(make_admin()),
}
INSIDE = {"viewer", "reviewer", "owner", "admin"}


@pytest.mark.parametrize(
    ("make", "told", "allowed"),
    [
        (make_embargoed_dataset, INSIDE, {"owner", "admin"}),
        (make_dataset, set(READERS), set(READERS)),
    ],
)
def test_blob_is_told_of_and_attached_by_the_access_of_its_dataset(
    make: Callable[[], Dataset], told: set[str], allowed: set[str]
) -> None:
    dataset = make()
    assert _told_and_allowed(dataset, _blob_of_another_uploader(dataset)) == (told, allowed)


def test_blob_is_told_of_and_attached_by_everybody_from_the_release_on() -> None:
    dataset = make_embargoed_dataset()
    blob = _blob_of_another_uploader(dataset)
    readers = {name: make(dataset) for name, make in READERS.items()}
    start_release(dataset)
    assert {name for name, actor in readers.items() if readable_blobs(actor).filter(pk=blob.pk)} == set(READERS)
    assert {name for name, actor in readers.items() if find_attachable_blob(actor, blob.etag)} == set(READERS)


def _told_and_allowed(dataset: Dataset, blob: Blob) -> tuple[set[str], set[str]]:
    readers = {name: make(dataset) for name, make in READERS.items()}
    return (
        {name for name, actor in readers.items() if find_blob_by_digest(actor, "dandi:dandi-etag", blob.etag)},
        {name for name, actor in readers.items() if find_attachable_blob(actor, blob.etag)},
    )


def _blob_of_another_uploader(dataset: Dataset) -> Blob:
    blob = make_asset(dataset).blob
    Blob.objects.filter(pk=blob.pk).update(uploader=make_user())
    return blob
