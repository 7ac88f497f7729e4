"""Ingesting Zarr archives: what becomes a revision, what the assets show of it, and workers that die over it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone
from zarr_checksum.tree import ZarrChecksumTree

from archive.accounts.policy import ANONYMOUS
from archive.assets.models import Asset
from archive.assets.queries import AssetDocuments, assets_of, find_folder
from archive.assets.services import replace_asset
from archive.datasets.models import Dataset, Version
from archive.publishing import work as publishing
from archive.storage.queries import public_url
from archive.timeline.models import Job
from archive.zarr import work
from archive.zarr.models import ZarrArchive, ZarrEntry, ZarrRevision, entry_key
from archive.zarr.queries import ZarrView, entries_of
from archive.zarr.services import delete_entries, finalize
from tests.archive.assets.state import draft_of, files_of, recounted, sums_of
from tests.factories import (
    make_dataset,
    make_embargoed_dataset,
    make_published_version,
    make_zarr,
    make_zarr_asset,
    owner_of,
    upload_zarr,
    valid_asset_metadata,
)
from tests.factories.zarr import FILES, announce, ingest, md5, put
from tests.worker import Worker

PATH = "sub-1/a.ome.zarr"
EDITED = {**FILES, "0/0/0": b"another first chunk"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


@pytest.fixture
def zarr(dataset: Dataset) -> ZarrArchive:
    return make_zarr(dataset)


def checksum(files: dict[str, bytes]) -> str:
    tree = ZarrChecksumTree()
    for path, content in files.items():
        tree.add_leaf(Path(path), len(content), md5(content).hexdigest())
    return str(tree.process())


def size(files: dict[str, bytes]) -> int:
    return sum(map(len, files.values()))


def draft_asset() -> Asset:
    return Asset.objects.get(retired__isnull=True)


def shown_by(revision: ZarrRevision | None) -> dict[str, str]:
    assert revision
    return {each.path: each.md5 for each in entries_of(ZarrView(revision.zarr, revision))}


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {path: md5(content).hexdigest() for path, content in files.items()}


# --- Revisions --------------------------------------------------------------------------------------------------------


def test_ingest_completes_the_archive_with_the_librarys_checksum(zarr: ZarrArchive, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    assert (zarr.status, zarr.checksum, zarr.revision) == ("Complete", checksum(FILES), 1)
    assert (zarr.file_count, zarr.size, zarr.missing) == (len(FILES), size(FILES), [])


def test_archive_without_files_is_complete_and_empty(zarr: ZarrArchive, worker: Worker) -> None:
    ingest(worker, zarr)
    assert (zarr.status, zarr.checksum) == ("Complete", "481a2f77ab786a0f45aafd5db0971caa-0--0")


def test_revisions_each_keep_what_they_show(zarr: ZarrArchive, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    delete_entries(actor=owner_of(zarr.dataset), zarr_id=zarr.id, entry_paths=["0/0/1"])
    upload_zarr(worker, zarr, {"0/0/0": b"another first chunk", "1": b"new"})
    first, second = zarr.revisions.order_by("number")
    edited = {".zattrs": b"{}", "0/.zarray": b"{}", "0/0/0": b"another first chunk", "1": b"new"}
    assert (shown_by(first), first.checksum) == (digests(FILES), checksum(FILES))
    assert (shown_by(second), second.checksum) == (digests(edited), checksum(edited))


def test_ingest_touches_only_entries_that_have_changed(zarr: ZarrArchive, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    upload_zarr(worker, zarr, {"0/0/0": b"another first chunk"})
    introduced = dict(ZarrEntry.objects.filter(retired__isnull=True).values_list("path", "introduced"))
    assert introduced == {".zattrs": 1, "0/.zarray": 1, "0/0/0": 2, "0/0/1": 1}


def test_announced_files_that_never_came_are_named_and_leave_what_was_there(zarr: ZarrArchive, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    announce(zarr, {"0/0/0": b"never comes", "lost": b"nor this"})
    ingest(worker, zarr)
    assert (zarr.status, zarr.checksum, zarr.missing) == ("Complete", checksum(FILES), ["0/0/0", "lost"])
    ingest_again = upload_zarr(worker, zarr, {"lost": b"found"})
    assert ingest_again.missing == []


def test_many_arrivals_are_found_in_the_stores_list(
    zarr: ZarrArchive, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "ASKED_SINGLY", 2)
    monkeypatch.setattr(work, "BATCH", 3)
    announce(zarr, {"lost": b"never comes"})
    upload_zarr(worker, zarr)
    assert (zarr.checksum, zarr.missing) == (checksum(FILES), ["lost"])


def test_ingest_fails_and_says_why_when_a_path_is_file_and_folder(zarr: ZarrArchive, worker: Worker) -> None:
    upload_zarr(worker, zarr, {"a": b"file", "a/b": b"in a folder"})
    job = Job.objects.get(kind="ingest_zarr")
    assert (zarr.status, job.state) == ("Pending", Job.State.FAILED)
    assert job.reason == "'a' is both a file and a folder in ''."
    delete_entries(actor=owner_of(zarr.dataset), zarr_id=zarr.id, entry_paths=["a"])
    assert ingest(worker, zarr).checksum == checksum({"a/b": b"in a folder"})


def test_archive_whose_ingest_passed_its_deadline_can_be_finalized_again(zarr: ZarrArchive, worker: Worker) -> None:
    announce(zarr, FILES)
    put(zarr, *FILES.values())
    finalize(actor=owner_of(zarr.dataset), zarr_id=zarr.id)
    long_ago = timezone.now() - timedelta(days=2)
    Job.objects.filter(kind="ingest_zarr").update(created=long_ago, deadline=long_ago + timedelta(hours=1))
    worker.run()
    zarr.refresh_from_db()
    assert zarr.status == "Pending"
    assert ingest(worker, zarr).checksum == checksum(FILES)


# --- Assets -----------------------------------------------------------------------------------------------------------


def test_asset_is_pending_and_empty_before_there_is_data(zarr: ZarrArchive, worker: Worker) -> None:
    asset = make_zarr_asset(zarr)
    worker.run()
    asset.refresh_from_db()
    document = AssetDocuments(zarr.dataset, reader=ANONYMOUS).document(asset)
    assert (asset.status, asset.size, asset.zarr_revision) == ("Pending", 0, None)
    assert document["digest"] == {"dandi:dandi-zarr-checksum": None}


def test_asset_shows_the_first_revision_under_the_id_it_had(zarr: ZarrArchive, worker: Worker) -> None:
    asset = make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    asset.refresh_from_db()
    document = AssetDocuments(zarr.dataset, reader=ANONYMOUS).document(asset)
    assert (asset.status, asset.size, asset.retired) == ("Valid", size(FILES), None)
    assert document["digest"] == {"dandi:dandi-zarr-checksum": checksum(FILES)}
    assert document["encodingFormat"] == "application/x-zarr"
    assert document["contentUrl"][1].endswith(f"/api/zarr/{asset.zarr_revision_id}/content/")


def test_asset_of_a_complete_archive_shows_its_newest_revision_at_once(zarr: ZarrArchive, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    announce(zarr, {"new": b"new"})
    assert make_zarr_asset(zarr).size == size(FILES)


def test_folders_and_draft_count_what_was_ingested(zarr: ZarrArchive, worker: Worker) -> None:
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    upload_zarr(worker, zarr, EDITED)
    draft = draft_of(zarr.dataset)
    assert (draft.file_count, draft.size) == (1, size(EDITED))
    assert sums_of(draft) == recounted(files_of(draft))


def test_dataset_with_zarr_is_published_and_each_version_keeps_its_revision(zarr: ZarrArchive, worker: Worker) -> None:
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    first = make_published_version(worker, zarr.dataset)
    upload_zarr(worker, zarr, EDITED)
    second = make_published_version(worker, zarr.dataset)
    (old,), (new,) = assets_of(first), assets_of(second)
    assert (shown_by(old.zarr_revision), old.size) == (digests(FILES), size(FILES))
    assert (shown_by(new.zarr_revision), new.size) == (digests(EDITED), size(EDITED))
    assert old.asset_id != new.asset_id
    for version in (first, second):
        assert sums_of(version) == recounted(files_of(version))


def test_published_version_summarises_its_zarr(zarr: ZarrArchive, worker: Worker) -> None:
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    summary = make_published_version(worker, zarr.dataset).metadata["assetsSummary"]
    assert (summary["numberOfFiles"], summary["numberOfBytes"]) == (1, size(FILES))


def test_draft_is_pending_again_after_an_ingest(zarr: ZarrArchive, worker: Worker) -> None:
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    make_published_version(worker, zarr.dataset)
    upload_zarr(worker, zarr, EDITED)
    assert draft_of(zarr.dataset).status == Version.Status.VALID
    assert draft_asset().status == "Valid"


def test_replacing_an_asset_by_the_same_archive_changes_nothing(zarr: ZarrArchive, worker: Worker) -> None:
    asset = make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    again = replace_asset(
        actor=owner_of(zarr.dataset),
        dataset=zarr.dataset,
        asset_id=asset.asset_id,
        zarr_id=zarr.id,
        metadata=valid_asset_metadata(PATH),
    )
    assert again.asset_id == asset.asset_id


def test_dataset_is_deleted_with_its_archives(zarr: ZarrArchive, worker: Worker) -> None:
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    zarr.dataset.delete()
    assert not ZarrEntry.objects.exists()


def test_folder_of_a_zarr_asset_has_its_size(zarr: ZarrArchive, worker: Worker) -> None:
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    folder = find_folder(draft_of(zarr.dataset), "sub-1")
    assert folder
    assert folder.size == size(FILES)


# --- Who may read -----------------------------------------------------------------------------------------------------


def test_entries_of_open_datasets_are_open_to_all(zarr: ZarrArchive, worker: Worker) -> None:
    upload_zarr(worker, zarr)
    upload_zarr(worker, zarr, {"new": b"new"})
    zarr.refresh_from_db()
    contents = {*FILES.values(), b"new"}
    urls = [public_url(entry_key(zarr.id, md5(content).hexdigest())) for content in contents]
    assert {httpx.get(url).status_code for url in urls} == {200}
    assert zarr.opened == max(ZarrEntry.objects.values_list("pk", flat=True))


def test_entries_of_embargoed_datasets_are_not(worker: Worker) -> None:
    zarr = upload_zarr(worker, make_zarr(make_embargoed_dataset()))
    assert httpx.get(public_url(entry_key(zarr.id, md5(b"{}").hexdigest()))).status_code == 403
    assert zarr.opened == 0


def test_opening_goes_on_where_it_was_broken_off(
    zarr: ZarrArchive, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_zarr(worker, zarr)
    second = ZarrEntry.objects.order_by("pk")[1]
    zarr.opened = second.pk
    opened: list[str] = []
    monkeypatch.setattr("archive.storage.services.open_to_all", opened.append)
    work.open_entries(zarr, lambda: None, lambda: None)
    assert len(opened) == len(FILES) - 2


# --- Workers that die -------------------------------------------------------------------------------------------------


class KilledError(BaseException):
    """What no handler catches, as it would not catch the end of its process."""


STEPS = ["begin_ingest", "find_arrivals", "introduce_arrivals", "sum_up", "complete", "show_revision", "append"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_ingest_is_finished_by_another_worker_when_one_is_killed(
    zarr: ZarrArchive, worker: Worker, step: str, moment: str
) -> None:
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    make_published_version(worker, zarr.dataset)
    announce(zarr, {"0/0/0": b"another first chunk", "lost": b"never comes"})
    put(zarr, b"another first chunk")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, step, _dying(getattr(publishing, step), moment))
        with pytest.raises(KilledError):
            ingest(worker, zarr)
    Job.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    worker.run()

    zarr.refresh_from_db()
    assert (zarr.status, zarr.checksum, zarr.revision) == ("Complete", checksum(EDITED), 2)
    assert zarr.missing == ["lost"]
    assert (draft_asset().size, draft_asset().status) == (size(EDITED), "Valid")
    assert not Job.objects.filter(ended__isnull=True).exists()


def _dying(function: Any, moment: str) -> Any:
    def dying(*arguments: Any, **options: Any) -> Any:
        if moment == "after":
            function(*arguments, **options)
        raise KilledError

    return dying


def test_ingest_that_another_worker_has_finished_changes_nothing(zarr: ZarrArchive, worker: Worker) -> None:
    announce(zarr, FILES)
    put(zarr, *FILES.values())
    finalize(actor=owner_of(zarr.dataset), zarr_id=zarr.id)
    slow = work.begin_ingest(zarr.id)
    assert slow
    worker.run()
    sums = work.sum_up(slow, lambda _: None)
    assert not work.complete(slow, sums)
    assert zarr.revisions.count() == 1
