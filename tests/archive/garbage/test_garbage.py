"""Garbage: what is found, collected, given back, and deleted for good (docs/decisions/garbage.md)."""

from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from archive.assets.models import Asset
from archive.assets.services import remove_asset, replace_asset
from archive.blobs.models import Blob, Reception, Upload
from archive.blobs.services import receive, start_upload
from archive.datasets.models import Dataset
from archive.datasets.services import delete_dataset
from archive.errors import ConflictError, InvalidError, NotFoundError
from archive.garbage import queries, work
from archive.garbage.models import GarbageEvent
from archive.garbage.queries import Kind, garbage, garbage_totals
from archive.garbage.services import collect_garbage, purge_garbage, undo_collection
from archive.garbage.tasks import collect_garbage_task
from archive.git_annex.keys import AnnexKey
from archive.storage.queries import find
from archive.storage.services import upload_part
from archive.timeline.models import Change
from tests.factories import (
    attachable_row,
    make_asset,
    make_blob,
    make_dataset,
    make_published_version,
    make_valid_dataset,
    owner_of,
    valid_asset_metadata,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def _age(row: Any, days: float) -> None:
    type(row).objects.filter(pk=row.pk).update(created=timezone.now() - days * DAY)


def _upload(dataset: Dataset) -> Upload:
    upload, _ = start_upload(actor=owner_of(dataset), dataset=dataset, size=5, etag=f"{'0' * 32}-1")
    return upload


def _reception(dataset: Dataset) -> Reception:
    """Content of which the first byte has come."""
    key = AnnexKey("SHA256", 5, "0" * 64)
    with pytest.raises(InvalidError):
        receive(actor=owner_of(dataset), dataset=dataset, key=key, offset=0, length=5, chunks=[b"x"])
    return Reception.objects.get(dataset=dataset)


def _collect(kind: str, **options: Any) -> list[GarbageEvent]:
    return list(collect_garbage(kind=kind, **options))


def _purge() -> list[GarbageEvent]:
    return list(purge_garbage())


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


@pytest.fixture
def unused(dataset: Dataset) -> Blob:
    """A blob, with bytes, that nothing has used for eight days."""
    blob = make_blob(dataset)
    _age(blob, 8)
    return blob


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is eight days later. Assets age by their dataset's history, which cannot be changed; so the clock moves."""
    now = timezone.now() + 8 * DAY
    monkeypatch.setattr(queries, "timezone", SimpleNamespace(now=lambda: now))


# --- Finding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "found"), [(6.9, 0), (7.1, 1)])
def test_blob_is_garbage_when_nothing_has_used_it_for_a_week(dataset: Dataset, days: float, found: int) -> None:
    _age(attachable_row(dataset), days)
    assert garbage(Kind.BLOBS).count() == found


def test_blob_is_kept_as_long_as_any_asset_has_it(dataset: Dataset) -> None:
    asset = make_asset(dataset)
    _age(asset.blob, 100)
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    assert not garbage(Kind.BLOBS).exists()


@pytest.mark.parametrize(("days", "found"), [(6.9, 0), (7.1, 1)])
def test_upload_is_garbage_when_it_was_begun_a_week_ago(dataset: Dataset, days: float, found: int) -> None:
    _age(_upload(dataset), days)
    assert garbage(Kind.UPLOADS).count() == found


@pytest.mark.parametrize(("days", "found"), [(6.9, 0), (7.1, 1)])
def test_reception_is_garbage_when_nobody_has_gone_on_with_it_for_a_week(
    dataset: Dataset, days: float, found: int
) -> None:
    reception = _reception(dataset)
    _age(reception, 100)
    assert garbage(Kind.RECEPTIONS).count() == 0
    Reception.objects.update(modified=timezone.now() - days * DAY)
    assert garbage(Kind.RECEPTIONS).count() == found


def test_asset_is_garbage_when_it_left_the_draft_and_no_version_shows_it(dataset: Dataset, later: None) -> None:
    gone, kept = make_asset(dataset, "a.nwb"), make_asset(dataset, "b.nwb")
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=gone.asset_id)
    assert list(garbage(Kind.ASSETS)) == [Asset.objects.get(pk=gone.pk)]
    assert kept not in garbage(Kind.ASSETS)


def test_asset_that_left_the_draft_lately_is_kept(dataset: Dataset) -> None:
    asset = make_asset(dataset)
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    assert not garbage(Kind.ASSETS).exists()


def test_asset_is_kept_when_a_version_shows_it(worker: Worker, later: None) -> None:
    dataset = make_valid_dataset(worker)
    make_published_version(worker, dataset)
    asset = Asset.objects.get(dataset=dataset)
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    assert not garbage(Kind.ASSETS).exists()


def test_heap_says_how_much_there_is(dataset: Dataset) -> None:
    for size in (3, 4):
        _age(attachable_row(dataset, size=size), 8)
    assert (garbage_totals(Kind.BLOBS).count, garbage_totals(Kind.BLOBS).size) == (2, 7)
    assert (garbage_totals(Kind.UPLOADS).count, garbage_totals(Kind.UPLOADS).size) == (0, 0)


# --- Collecting -------------------------------------------------------------------------------------------------------


def test_blob_is_collected_and_its_bytes_stay_for_a_while(unused: Blob) -> None:
    [event] = _collect(Kind.BLOBS)
    assert (event.kind, event.row_count, event.size) == ("blobs", 1, unused.size)
    assert not Blob.objects.filter(pk=unused.pk).exists()
    assert _purge() == []
    assert find(unused.key)


def test_upload_is_collected_and_its_parts_are_given_up(dataset: Dataset) -> None:
    upload = _upload(dataset)
    _age(upload, 8)
    assert [event.row_count for event in _collect(Kind.UPLOADS)] == [1]
    assert not Upload.objects.exists()


def test_reception_is_collected_and_its_parts_are_given_up(dataset: Dataset) -> None:
    reception = _reception(dataset)
    Reception.objects.update(modified=timezone.now() - 8 * DAY)
    assert [event.row_count for event in _collect(Kind.RECEPTIONS)] == [1]
    assert not Reception.objects.exists()
    with pytest.raises(NotFoundError):
        upload_part(reception.key, reception.multipart_id, 1, BytesIO(b"x"), md5="nd20zzz7/U91M6ux9tPeEA==")


def test_replaced_asset_is_collected_and_then_its_blob(dataset: Dataset, later: None) -> None:
    old = make_asset(dataset)
    replace_asset(
        actor=owner_of(dataset), dataset=dataset, asset_id=old.asset_id, blob_id=attachable_row(dataset).pk,
        metadata=valid_asset_metadata(old.path),
    )  # fmt: skip
    assert [event.row_count for event in _collect(Kind.ASSETS)] == [1]
    assert old.blob in garbage(Kind.BLOBS)
    assert Asset.objects.filter(dataset=dataset, retired=None).count() == 1
    assert Change.objects.filter(dataset_id=dataset.number).count() == 3


def test_garbage_is_collected_some_rows_at_a_time(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BATCH", 2)
    for _ in range(5):
        _age(attachable_row(dataset), 8)
    assert [event.row_count for event in _collect(Kind.BLOBS)] == [2, 2, 1]
    assert _collect(Kind.BLOBS) == []


def test_what_is_younger_than_a_day_is_never_collected() -> None:
    with pytest.raises(InvalidError):
        _collect(Kind.BLOBS, older_than=timedelta(hours=23))


@pytest.mark.parametrize(("enabled", "left"), [(False, 1), (True, 0)])
def test_night_collects_only_where_the_settings_say_so(unused: Blob, settings: Any, enabled: bool, left: int) -> None:
    settings.GARBAGE_COLLECTION = enabled
    collect_garbage_task()
    assert Blob.objects.count() == left


# --- Giving back ------------------------------------------------------------------------------------------------------


def test_collection_is_undone_row_by_row(unused: Blob) -> None:
    before = Blob.objects.values().get()
    [event] = _collect(Kind.BLOBS)
    assert undo_collection(event_id=event.pk).undone
    assert Blob.objects.values().get() == before


def test_collected_asset_is_given_back_after_its_blob(dataset: Dataset, later: None) -> None:
    asset = make_asset(dataset)
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    [assets], [blobs] = _collect(Kind.ASSETS), _collect(Kind.BLOBS)
    with pytest.raises(ConflictError):
        undo_collection(event_id=assets.pk)
    undo_collection(event_id=blobs.pk)
    undo_collection(event_id=assets.pk)
    assert Asset.objects.get().asset_id == asset.asset_id


def test_collected_asset_of_a_deleted_dataset_stays_collected(dataset: Dataset, later: None) -> None:
    asset = make_asset(dataset)
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    [event] = _collect(Kind.ASSETS)
    delete_dataset(actor=owner_of(dataset), dataset=dataset)
    with pytest.raises(ConflictError):
        undo_collection(event_id=event.pk)
    assert GarbageEvent.objects.get().undone is None


def test_collection_is_undone_once(unused: Blob) -> None:
    [event] = _collect(Kind.BLOBS)
    undo_collection(event_id=event.pk)
    with pytest.raises(InvalidError, match="It was undone"):
        undo_collection(event_id=event.pk)


def test_collection_that_there_is_not_is_not_undone() -> None:
    with pytest.raises(NotFoundError):
        undo_collection(event_id=1)


# --- Purging ----------------------------------------------------------------------------------------------------------


def test_bytes_are_deleted_when_the_time_to_undo_is_over(unused: Blob) -> None:
    [event] = _collect(Kind.BLOBS)
    _age(event, 31)
    assert [purged.pk for purged in _purge()] == [event.pk]
    assert find(unused.key) is None
    with pytest.raises(InvalidError, match="too late"):
        undo_collection(event_id=event.pk)
    assert _purge() == []


def test_bytes_of_what_was_given_back_stay(unused: Blob) -> None:
    [event] = _collect(Kind.BLOBS)
    undo_collection(event_id=event.pk)
    _age(event, 31)
    assert _purge() == []
    assert find(unused.key)


def test_purge_that_was_broken_off_goes_on(unused: Blob, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(key: str) -> None:
        raise KeyboardInterrupt

    [event] = _collect(Kind.BLOBS)
    _age(event, 31)
    with monkeypatch.context() as patch:
        patch.setattr(work.storage, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            _purge()
    with pytest.raises(InvalidError, match="too late"):
        undo_collection(event_id=event.pk)
    assert [purged.pk for purged in _purge()] == [event.pk]
    assert find(unused.key) is None


def test_bytes_of_an_upload_that_became_a_blob_after_all_stay(dataset: Dataset) -> None:
    blob = make_blob(dataset)
    late = Upload.objects.create(
        id=blob.pk, dataset=dataset, user=blob.uploader, size=blob.size, etag=blob.etag, multipart_id="x"
    )
    _age(late, 8)
    [event] = _collect(Kind.UPLOADS)
    _age(event, 31)
    assert [purged.pk for purged in _purge()] == [event.pk]
    assert find(blob.key)
