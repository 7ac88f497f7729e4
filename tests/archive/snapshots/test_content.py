"""What content a repository has, by the keys of git-annex: to whom, and how nobody else's is told from none."""

import hashlib

import pytest

from archive.accounts.models import Token, User
from archive.accounts.policy import ANONYMOUS, Actor
from archive.assets.services import remove_asset
from archive.blobs.models import Blob
from archive.blobs.queries import find_annex_content
from archive.datasets.models import Dataset
from archive.datasets.services import set_owners
from archive.git_annex.keys import AnnexKey
from archive.snapshots.queries import find_content
from archive.zarr.models import ZarrArchive, entry_key
from tests.factories import (
    acting,
    attachable_row,
    make_admin,
    make_asset,
    make_dataset,
    make_embargoed_dataset,
    make_reviewer_link,
    make_token,
    make_user,
    make_viewer,
    make_zarr,
    make_zarr_asset,
    owner_of,
    start_release,
    upload_zarr,
)
from tests.factories.zarr import announce, ingest, put
from tests.worker import Worker

pytestmark = pytest.mark.django_db

CHUNK = b"first chunk"
OTHER_CHUNK = b"another first chunk"


def sha256_key(blob: Blob) -> AnnexKey:
    assert blob.sha256
    return AnnexKey("SHA256", blob.size, blob.sha256, ".nwb")


def md5_key(content: bytes) -> AnnexKey:
    return AnnexKey("MD5", len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())


def asset_blob(dataset: Dataset) -> Blob:
    blob = make_asset(dataset).blob
    assert blob
    return blob


def received_blob(dataset: Dataset, uploader: User, content: bytes = b"received") -> Blob:
    blob = attachable_row(dataset, size=len(content))
    Blob.objects.filter(pk=blob.pk).update(md5=md5_key(content).digest, received_for=dataset, uploader=uploader)
    return blob


def user_of(actor: Actor) -> User:
    assert actor.user
    return actor.user


# --- Blobs of assets --------------------------------------------------------------------------------------------------


def test_content_of_an_open_dataset_is_there_for_anybody() -> None:
    dataset = make_dataset()
    blob = asset_blob(dataset)
    assert find_annex_content(ANONYMOUS, dataset, sha256_key(blob)) == blob
    found = find_content(ANONYMOUS, dataset, sha256_key(blob))
    assert found == (blob.key, blob.size, blob)


def test_content_is_not_there_under_another_size_or_digest() -> None:
    dataset = make_dataset()
    key = sha256_key(asset_blob(dataset))
    assert find_content(ANONYMOUS, dataset, key._replace(size=key.size + 1)) is None
    assert find_content(ANONYMOUS, dataset, key._replace(digest="0" * 64)) is None


def test_content_of_an_embargoed_dataset_is_there_for_those_inside() -> None:
    dataset = make_embargoed_dataset()
    key = sha256_key(asset_blob(dataset))
    reviewer = Actor(link=make_reviewer_link(dataset)[0])
    for actor in [owner_of(dataset), acting(make_viewer(dataset)), reviewer, acting(make_admin())]:
        assert find_content(actor, dataset, key)
    for actor in [ANONYMOUS, acting(make_user())]:
        assert find_content(actor, dataset, key) is None


def test_content_that_was_removed_before_a_release_stays_closed() -> None:
    dataset = make_embargoed_dataset()
    gone = make_asset(dataset, "gone.nwb")
    kept = make_asset(dataset, "kept.nwb")
    assert gone.blob
    assert kept.blob
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=gone.asset_id)
    start_release(dataset)
    assert find_content(ANONYMOUS, dataset, sha256_key(gone.blob)) is None
    assert find_content(ANONYMOUS, dataset, sha256_key(kept.blob))
    assert find_content(owner_of(dataset), dataset, sha256_key(gone.blob))


def test_content_of_another_dataset_is_there_only_for_who_could_add_it() -> None:
    blob = asset_blob(make_dataset())
    dataset = make_dataset()
    assert find_content(owner_of(dataset), dataset, sha256_key(blob))
    for actor in [ANONYMOUS, acting(make_user())]:
        assert find_content(actor, dataset, sha256_key(blob)) is None


def test_content_of_another_embargoed_dataset_is_not_there_for_an_owner_of_this_one() -> None:
    blob = asset_blob(make_embargoed_dataset())
    dataset = make_dataset()
    assert find_content(owner_of(dataset), dataset, sha256_key(blob)) is None


def test_content_that_was_not_added_yet_is_there_only_for_who_brought_it_and_may_write() -> None:
    dataset = make_dataset()
    key = sha256_key(attachable_row(dataset))
    owner = user_of(owner_of(dataset))
    reader = make_token(owner, scope=Token.Scope.READ)
    assert find_content(acting(owner), dataset, key)
    assert find_content(acting(owner, reader), dataset, key) is None
    assert find_content(ANONYMOUS, dataset, key) is None


# --- By MD5 -----------------------------------------------------------------------------------------------------------


def test_received_content_is_found_in_the_dataset_it_was_sent_to() -> None:
    dataset = make_dataset()
    owner = user_of(owner_of(dataset))
    blob = received_blob(dataset, owner)
    other = make_dataset(owner)
    for key in [md5_key(b"received"), sha256_key(blob)]:
        assert find_annex_content(acting(owner), dataset, key) == blob
        assert find_annex_content(ANONYMOUS, dataset, key) == blob
        assert find_annex_content(ANONYMOUS, other, key) is None
    assert find_annex_content(acting(owner), other, md5_key(b"received")) is None


def test_received_content_is_found_by_another_owner_of_an_embargoed_dataset() -> None:
    dataset = make_embargoed_dataset()
    owner, other = user_of(owner_of(dataset)), make_user()
    set_owners(actor=acting(owner), dataset=dataset, usernames=[owner.username, other.username])
    received_blob(dataset, owner)
    assert find_annex_content(acting(other), dataset, md5_key(b"received"))
    assert find_annex_content(ANONYMOUS, dataset, md5_key(b"received")) is None


def test_received_content_is_not_opened_by_a_release() -> None:
    dataset = make_embargoed_dataset()
    blob = received_blob(dataset, user_of(owner_of(dataset)))
    start_release(dataset)
    assert find_annex_content(owner_of(dataset), dataset, sha256_key(blob))
    assert find_annex_content(ANONYMOUS, dataset, sha256_key(blob)) is None


def test_content_of_another_dataset_is_never_found_by_its_md5() -> None:
    theirs = make_dataset()
    blob = received_blob(theirs, user_of(owner_of(theirs)))
    make_asset(theirs, blob=blob)
    dataset = make_dataset()
    assert find_content(ANONYMOUS, theirs, md5_key(b"received"))
    assert find_content(owner_of(dataset), dataset, md5_key(b"received")) is None


# --- Entries of Zarr archives -----------------------------------------------------------------------------------------


def shown_zarr(worker: Worker, dataset: Dataset) -> ZarrArchive:
    zarr = make_zarr(dataset)
    make_zarr_asset(zarr)
    return upload_zarr(worker, zarr)


def test_entry_of_an_archive_is_found_by_its_md5(worker: Worker) -> None:
    dataset = make_dataset()
    zarr = shown_zarr(worker, dataset)
    key = md5_key(CHUNK)
    assert find_content(ANONYMOUS, dataset, key) == (entry_key(zarr.pk, key.digest), len(CHUNK), None)
    assert find_content(ANONYMOUS, dataset, key._replace(size=1)) is None
    assert find_content(ANONYMOUS, make_dataset(), key) is None


def test_entry_of_an_archive_that_is_no_asset_is_not_found(worker: Worker) -> None:
    dataset = make_dataset()
    upload_zarr(worker, make_zarr(dataset))
    assert find_content(ANONYMOUS, dataset, md5_key(CHUNK)) is None


def test_entry_that_was_announced_only_is_not_found(worker: Worker) -> None:
    dataset = make_dataset()
    announce(shown_zarr(worker, dataset), {"0/0/2": OTHER_CHUNK})
    assert find_content(owner_of(dataset), dataset, md5_key(OTHER_CHUNK)) is None


def test_entry_of_an_embargoed_archive_is_found_by_those_inside_only(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    shown_zarr(worker, dataset)
    assert find_content(owner_of(dataset), dataset, md5_key(CHUNK))
    assert find_content(ANONYMOUS, dataset, md5_key(CHUNK)) is None


def test_entry_that_was_replaced_before_a_release_stays_closed(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    zarr = shown_zarr(worker, dataset)
    announce(zarr, {"0/0/0": OTHER_CHUNK})
    put(zarr, OTHER_CHUNK)
    ingest(worker, zarr)
    start_release(dataset)
    assert find_content(ANONYMOUS, dataset, md5_key(OTHER_CHUNK))
    assert find_content(ANONYMOUS, dataset, md5_key(CHUNK)) is None
