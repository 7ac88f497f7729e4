"""Zarr archives as owners work on them, from announced to finalized (docs/dialects/dandi.md#zarr-archives)."""

import base64
from uuid import uuid4

import httpx
import pytest

from archive.accounts.policy import ANONYMOUS, Actor
from archive.datasets.models import Dataset
from archive.datasets.services import delete_dataset
from archive.errors import ForbiddenError, InvalidError, NotFoundError
from archive.storage.queries import find
from archive.timeline.models import Job
from archive.timeline.queries import changes
from archive.zarr.models import ZarrArchive, ZarrEntry, ZarrRevision, entry_key
from archive.zarr.queries import ZarrView, entries_of, find_view_to_read
from archive.zarr.services import NewEntry, announce_entries, create_zarr, delete_entries, finalize, look_for_arrivals
from tests.factories import (
    acting,
    make_admin,
    make_dataset,
    make_embargoed_dataset,
    make_user,
    make_zarr,
    make_zarr_asset,
    owner_of,
    start_release,
    upload_zarr,
)
from tests.factories.zarr import FILES, announce, entry, ingest, md5, put
from tests.threads import threads
from tests.worker import Worker

MD5 = base64.b64encode(bytes(16)).decode()

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


@pytest.fixture
def zarr(dataset: Dataset) -> ZarrArchive:
    return make_zarr(dataset)


@pytest.fixture
def owner(dataset: Dataset) -> Actor:
    return owner_of(dataset)


def paths_of(view: ZarrView) -> list[str]:
    return [each.path for each in entries_of(view)]


def blinded_for(actor: Actor, zarr: ZarrArchive) -> dict[str, str]:
    return {each.path: each.md5 for each in entries_of(find_view_to_read(actor, zarr.id))}


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {path: md5(content).hexdigest() for path, content in files.items()}


# --- Making -----------------------------------------------------------------------------------------------------------


def test_new_archive_is_pending_and_empty(zarr: ZarrArchive) -> None:
    assert (zarr.status, zarr.checksum, zarr.file_count, zarr.size, zarr.revision) == ("Pending", None, 0, 0, 0)


def test_name_is_taken_once_in_a_dataset(dataset: Dataset, zarr: ZarrArchive) -> None:
    with pytest.raises(InvalidError, match="has a Zarr archive called"):
        make_zarr(dataset, zarr.name)
    make_zarr(make_dataset(), zarr.name)


@pytest.mark.parametrize("name", ["", " ", "x" * 513])
def test_name_is_neither_empty_nor_too_long(dataset: Dataset, name: str) -> None:
    with pytest.raises(InvalidError, match="1 to 512"):
        make_zarr(dataset, name)


def test_archive_is_made_by_owners_only(dataset: Dataset) -> None:
    with pytest.raises(ForbiddenError):
        create_zarr(actor=acting(make_user()), dataset=dataset, name="a.zarr")


def test_nothing_is_made_or_changed_while_a_dataset_is_released() -> None:
    dataset = make_embargoed_dataset()
    zarr = make_zarr(dataset)
    start_release(dataset)
    with pytest.raises(InvalidError, match="No Zarr archive can be added while"):
        make_zarr(dataset, "b.zarr")
    with pytest.raises(InvalidError, match="Nothing of the dataset can be changed"):
        announce_entries(actor=owner_of(dataset), zarr_id=zarr.id, entries=[])


def test_archive_goes_with_its_dataset(zarr: ZarrArchive, worker: Worker) -> None:
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    delete_dataset(actor=owner_of(zarr.dataset), dataset=zarr.dataset)
    assert (ZarrArchive.objects.count(), ZarrRevision.objects.count(), ZarrEntry.objects.count()) == (0, 0, 0)


def test_archive_is_not_made_in_a_dataset_that_was_deleted_meanwhile(dataset: Dataset, owner: Actor) -> None:
    waiting = Dataset.objects.get()
    delete_dataset(actor=owner, dataset=dataset)
    with pytest.raises(NotFoundError):
        create_zarr(actor=acting(make_admin()), dataset=waiting, name="late.zarr")


def test_history_tells_of_archives(zarr: ZarrArchive, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    kinds = list(changes(zarr.dataset_id).values_list("kind", flat=True))
    assert kinds == ["create_dandiset", "create_zarr", "finalize_zarr", "ingest_zarr"]


# --- Announcing -------------------------------------------------------------------------------------------------------


def test_announced_file_is_put_by_its_url(zarr: ZarrArchive) -> None:
    [url] = announce(zarr, {"0/0": b"chunk"})
    assert httpx.put(url, content=b"chunk", headers={"Content-MD5": entry("", b"chunk").base64md5}).status_code == 200
    stored = find(entry_key(zarr.id, md5(b"chunk").hexdigest()))
    assert stored
    assert stored.size == 5


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("../a", "'..' is not allowed"),
        ("a/../../b", "'..' is not allowed"),
        ("..\\a", "backslash"),
        ("/a", "must not begin with /"),
        ("a\0b", "control character"),
        ("", "must not be empty"),
        ("a//b", "empty name"),
        ("a/", "empty name"),
        ("a/" * 512 + "b", "longer than"),
        (".git/config", "not allowed"),
    ],
)
def test_bad_path_is_refused_by_its_name_and_nothing_announced(zarr: ZarrArchive, path: str, fault: str) -> None:
    with pytest.raises(InvalidError, match=fault) as refusal:
        announce(zarr, {"good": b"", path: b""})
    assert repr(path[:100]) in refusal.value.message
    assert not ZarrEntry.objects.exists()


@pytest.mark.parametrize("text", ["", "!", "AAAA", MD5[:-2], f"{MD5}\n", MD5.replace("AA==", "AB=="), "é" * 24])
def test_bad_md5_is_refused_by_its_entrys_name(zarr: ZarrArchive, owner: Actor, text: str) -> None:
    with pytest.raises(InvalidError, match="Entry '0/0': the MD5 must be 16 bytes in base64"):
        announce_entries(actor=owner, zarr_id=zarr.id, entries=[NewEntry("0/0", text)])


def test_path_is_announced_once_in_a_request(zarr: ZarrArchive, owner: Actor) -> None:
    with pytest.raises(InvalidError, match="'a' is given more than once"):
        announce_entries(actor=owner, zarr_id=zarr.id, entries=[NewEntry("a", MD5), NewEntry("a", MD5)])


def test_path_announced_again_has_its_last_content(zarr: ZarrArchive, worker: Worker) -> None:
    announce(zarr, {"a": b"first"})
    put(zarr, b"first")
    upload_zarr(worker, zarr, {"a": b"last"})
    assert [(each.path, each.size) for each in entries_of(ZarrView(zarr))] == [("a", 4)]


def test_announcing_reopens_a_complete_archive(zarr: ZarrArchive, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    announce(zarr, {"new": b"new"})
    zarr.refresh_from_db()
    assert (zarr.status, zarr.checksum, zarr.file_count, zarr.size, zarr.revision) == ("Pending", None, 0, 0, 1)


def test_archive_is_not_changed_from_finalize_until_it_is_ingested(
    zarr: ZarrArchive, owner: Actor, worker: Worker
) -> None:
    upload_zarr(worker, zarr)
    announce(zarr, {})
    finalize(actor=owner, zarr_id=zarr.id)
    with pytest.raises(InvalidError, match="currently ingesting"):
        announce(zarr, {"a": b""})
    with pytest.raises(InvalidError, match="currently ingesting"):
        delete_entries(actor=owner, zarr_id=zarr.id, entry_paths=[".zattrs"])
    with pytest.raises(InvalidError, match="currently ingesting"):
        finalize(actor=owner, zarr_id=zarr.id)


def test_complete_archive_is_not_finalized_again(zarr: ZarrArchive, owner: Actor, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    with pytest.raises(InvalidError, match="has already ingested"):
        finalize(actor=owner, zarr_id=zarr.id)


def test_strangers_change_nothing_and_do_not_know_of_what_is_not_there(zarr: ZarrArchive) -> None:
    stranger = acting(make_user())
    with pytest.raises(ForbiddenError):
        finalize(actor=stranger, zarr_id=zarr.id)
    with pytest.raises(NotFoundError):
        finalize(actor=stranger, zarr_id=uuid4())


# --- Deleting ---------------------------------------------------------------------------------------------------------


def test_deleted_entries_are_gone_at_once_for_owners_and_with_the_next_revision_for_others(
    zarr: ZarrArchive, owner: Actor, worker: Worker
) -> None:
    upload_zarr(worker, zarr)
    delete_entries(actor=owner, zarr_id=zarr.id, entry_paths=["0/0/0"])
    assert "0/0/0" not in blinded_for(owner, zarr)
    assert "0/0/0" in blinded_for(ANONYMOUS, zarr)
    ingest(worker, zarr)
    assert "0/0/0" not in blinded_for(ANONYMOUS, zarr)
    assert zarr.file_count == len(FILES) - 1


def test_nothing_is_deleted_when_one_path_is_not_there(zarr: ZarrArchive, owner: Actor, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    with pytest.raises(InvalidError, match="File nowhere does not exist"):
        delete_entries(actor=owner, zarr_id=zarr.id, entry_paths=["0/0/0", "nowhere"])
    zarr.refresh_from_db()
    assert (zarr.status, "0/0/0" in blinded_for(owner, zarr)) == ("Complete", True)


def test_deleted_file_can_be_uploaded_again(zarr: ZarrArchive, owner: Actor, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    delete_entries(actor=owner, zarr_id=zarr.id, entry_paths=[".zattrs"])
    announce(zarr, {".zattrs": b"{}"})
    ingest(worker, zarr)
    assert blinded_for(ANONYMOUS, zarr) == digests(FILES)


def test_what_was_only_announced_can_be_taken_back(zarr: ZarrArchive, owner: Actor) -> None:
    announce(zarr, {"a": b""})
    delete_entries(actor=owner, zarr_id=zarr.id, entry_paths=["a"])
    assert not ZarrEntry.objects.exists()


# --- Taking up what was broken off ------------------------------------------------------------------------------------


def test_owner_finds_what_has_arrived_before_it_is_finalized(zarr: ZarrArchive, owner: Actor) -> None:
    announce(zarr, {"a": b"here", "b": b"not here"})
    put(zarr, b"here")
    look_for_arrivals(actor=owner_of(zarr.dataset), view=ZarrView(zarr), prefix="", after="", limit=10)
    assert blinded_for(owner, zarr) == digests({"a": b"here"})
    assert blinded_for(ANONYMOUS, zarr) == {}


def test_arrivals_are_looked_for_only_where_the_page_is(zarr: ZarrArchive, owner: Actor) -> None:
    announce(zarr, {"a": b"a", "b": b"b", "c": b"c", "d/e": b"e"})
    put(zarr, b"a", b"b", b"c", b"e")
    look_for_arrivals(actor=owner_of(zarr.dataset), view=ZarrView(zarr), prefix="", after="a", limit=1)
    look_for_arrivals(actor=owner_of(zarr.dataset), view=ZarrView(zarr), prefix="d", after="", limit=10)
    assert list(blinded_for(owner, zarr)) == ["b", "d/e"]


# --- At the same time -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_of_two_finalizes_wins() -> None:
    zarr = make_zarr(make_dataset())
    owner = owner_of(zarr.dataset)

    def finalized() -> str:
        try:
            finalize(actor=owner, zarr_id=zarr.id)
        except InvalidError as error:
            return error.message
        return "accepted"

    with threads(4) as start:
        answers = [start(finalized) for _ in range(4)]
    refused = "Zarr archive is currently ingesting or has already ingested"
    assert sorted(answer.result() for answer in answers) == [refused] * 3 + ["accepted"]
    assert Job.objects.filter(kind="ingest_zarr").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clients_announce_the_same_paths() -> None:
    zarr = make_zarr(make_dataset())
    with threads(4) as start:
        answers = [start(announce, zarr, {f"{number}": b"same" for number in range(100)}) for _ in range(4)]
    assert [len(answer.result()) for answer in answers] == [100] * 4
    assert ZarrEntry.objects.filter(zarr=zarr).count() == 100
