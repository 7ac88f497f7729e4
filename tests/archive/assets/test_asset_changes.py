"""Adding, replacing, moving and removing files of a draft: all of a change, or nothing of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from archive.assets.models import Asset
from archive.assets.queries import live_assets
from archive.assets.services import add_asset, change_assets, remove_asset, replace_asset
from archive.blobs.models import Blob
from archive.datasets.models import Dataset, Version
from archive.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from archive.metadata.queries import schema_info
from archive.timeline.queries import changes, position
from tests.archive.assets.state import draft_of, everything, files_of
from tests.factories import (
    acting,
    attachable_row,
    make_asset,
    make_blob_row,
    make_dataset,
    make_user,
    make_valid_dataset,
    new_asset,
    owner_of,
    valid_asset_metadata,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def _replace(asset: Asset, path: str, *, blob: Blob | None = None, **metadata: Any) -> Asset:
    return replace_asset(
        actor=owner_of(asset.dataset),
        dataset=asset.dataset,
        asset_id=asset.asset_id,
        blob_id=(blob or asset.blob).pk,
        metadata=valid_asset_metadata(path, **metadata),
    )


def _remove(asset: Asset) -> None:
    remove_asset(actor=owner_of(asset.dataset), dataset=asset.dataset, asset_id=asset.asset_id)


def _batch(dataset: Dataset, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    blob = attachable_row(dataset, size=10)
    change_assets(actor=owner_of(dataset), dataset=dataset, add=[new_asset(path, blob) for path in add], remove=remove)


def _dataset_with(*paths: str) -> Dataset:
    dataset = make_dataset()
    for path in paths:
        make_asset(dataset, path)
    return dataset


def _paths(dataset: Dataset) -> set[str]:
    return set(files_of(draft_of(dataset)))


# --- One at a time ----------------------------------------------------------------------------------------------------


def test_add_puts_a_pending_asset_into_the_draft() -> None:
    dataset = make_dataset()
    asset = make_asset(dataset, "sub-1/a.nwb", blob=attachable_row(dataset, size=5), keywords=["vision"])
    asset.refresh_from_db()
    assert (asset.path, asset.folder, asset.size, asset.status) == ("sub-1/a.nwb", "sub-1", 5, Asset.Status.PENDING)
    assert (asset.introduced, asset.retired) == (position(dataset.number), None)
    assert asset.metadata["keywords"] == ["vision"]
    assert "path" not in asset.metadata


def test_add_counts_the_draft_and_asks_for_its_validation(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    make_asset(dataset, "b.nwb", blob=attachable_row(dataset, size=5))
    draft = draft_of(dataset)
    assert (draft.file_count, draft.size, draft.status) == (2, 6, Version.Status.PENDING)


def test_add_says_in_the_history_what_came() -> None:
    dataset = make_dataset()
    asset = make_asset(dataset, "a.nwb")
    change = changes(dataset.number).last()
    assert change
    assert change.kind == "add_asset"
    assert change.details == {
        "path": "a.nwb",
        "size": 1,
        "asset_id": str(asset.asset_id),
        "asset_blob_id": str(asset.blob_id),
        "zarr_archive_id": None,
        "checksum": asset.blob.etag,
    }


def test_replace_puts_a_new_asset_in_the_place_of_the_old() -> None:
    dataset = _dataset_with("a.nwb")
    old = Asset.objects.get()
    new = _replace(old, "a.nwb", blob=attachable_row(dataset, size=5))
    old.refresh_from_db()
    assert new.asset_id != old.asset_id
    assert old.retired == new.introduced == position(dataset.number)
    assert files_of(draft_of(dataset)) == {"a.nwb": 5}
    assert (draft_of(dataset).file_count, draft_of(dataset).size) == (1, 5)


def test_replace_at_another_path_moves() -> None:
    dataset = _dataset_with("a.nwb")
    asset = _replace(Asset.objects.get(), "sub-1/b.nwb")
    assert _paths(dataset) == {"sub-1/b.nwb"}
    assert asset.folder == "sub-1"


@pytest.mark.parametrize(("old", "new"), [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a"), ("a", "a/b/c")])
def test_replace_moves_a_file_into_or_out_of_its_own_name(old: str, new: str) -> None:
    dataset = _dataset_with(old)
    _replace(Asset.objects.get(), new)
    assert _paths(dataset) == {new}


def test_replace_by_the_same_changes_nothing() -> None:
    dataset = _dataset_with("a.nwb")
    asset, before = Asset.objects.get(), everything(dataset)
    assert _replace(asset, "a.nwb") == asset
    assert everything(dataset) == before


def test_replace_by_other_metadata_alone_is_a_change() -> None:
    dataset = _dataset_with("a.nwb")
    asset = _replace(Asset.objects.get(), "a.nwb", keywords=["vision"])
    assert asset.metadata["keywords"] == ["vision"]
    assert position(dataset.number) == 3


def test_remove_takes_an_asset_out_of_the_draft() -> None:
    dataset = _dataset_with("a.nwb", "b.nwb")
    asset = Asset.objects.get(path="a.nwb")
    _remove(asset)
    assert _paths(dataset) == {"b.nwb"}
    assert draft_of(dataset).file_count == 1
    change = changes(dataset.number).last()
    assert change
    assert (change.kind, change.details) == ("remove_asset", {"path": "a.nwb", "asset_id": str(asset.asset_id)})


def test_path_may_be_used_again_after_removal() -> None:
    dataset = _dataset_with("a.nwb")
    _remove(Asset.objects.get())
    make_asset(dataset, "a.nwb")
    assert _paths(dataset) == {"a.nwb"}
    assert Asset.objects.count() == 2


@pytest.mark.parametrize("change", [_remove, lambda asset: _replace(asset, "b.nwb")], ids=["remove", "replace"])
def test_asset_that_has_left_the_draft_is_not_found(change: Callable[[Asset], object]) -> None:
    dataset = _dataset_with("a.nwb")
    asset = Asset.objects.get()
    _remove(asset)
    before = everything(dataset)
    with pytest.raises(NotFoundError):
        change(asset)
    assert everything(dataset) == before


def test_asset_of_another_dataset_is_not_found() -> None:
    _dataset_with("a.nwb")
    other = make_dataset()
    with pytest.raises(NotFoundError):
        remove_asset(actor=owner_of(other), dataset=other, asset_id=Asset.objects.get().asset_id)


# --- Many at a time ---------------------------------------------------------------------------------------------------


def test_batch_is_one_change() -> None:
    dataset = _dataset_with("a.nwb", "b.nwb", "c.nwb")
    before = position(dataset.number)
    _batch(dataset, add=("sub-1/d.nwb", "b.nwb"), remove=("a.nwb", "b.nwb"))
    assert files_of(draft_of(dataset)) == {"b.nwb": 10, "c.nwb": 1, "sub-1/d.nwb": 10}
    assert position(dataset.number) == before + 1
    assert set(Asset.objects.exclude(path="c.nwb").values_list("path", "introduced", "retired")) == {
        ("a.nwb", before - 2, before + 1),
        ("b.nwb", before - 1, before + 1),
        ("b.nwb", before + 1, None),
        ("sub-1/d.nwb", before + 1, None),
    }
    change = changes(dataset.number).last()
    assert change
    assert (change.kind, change.details) == ("change_assets", {"added": 2, "removed": 2})


def test_batch_gives_metadata_the_present_schema_when_they_name_none() -> None:
    dataset = _dataset_with("a.nwb")
    new = replace(new_asset("b.nwb", attachable_row(dataset, size=10)), metadata={"note": "hello"})
    change_assets(actor=owner_of(dataset), dataset=dataset, add=[new])
    [added] = live_assets(dataset).filter(path="b.nwb")
    assert added.metadata == {"note": "hello", "schemaVersion": schema_info().current}


@pytest.mark.parametrize(
    ("before", "remove", "add"),
    [
        (("a",), ("a",), ("a/b",)),
        (("a/b",), ("a/b",), ("a",)),
        (("a/b", "a/c/d"), ("a/b", "a/c/d"), ("a",)),
        (("a/b", "c"), ("a/b", "c"), ("a", "c/d")),
    ],
)
def test_batch_turns_files_into_folders_and_folders_into_files(
    before: tuple[str, ...], remove: tuple[str, ...], add: tuple[str, ...]
) -> None:
    dataset = _dataset_with(*before)
    _batch(dataset, remove=remove, add=add)
    assert _paths(dataset) == set(add)


def test_batch_names_what_is_not_there_to_remove() -> None:
    dataset = _dataset_with("a.nwb")
    with pytest.raises(InvalidError, match=r"There is no asset to remove at: b\.nwb, c\.nwb"):
        _batch(dataset, remove=("c.nwb", "a.nwb", "b.nwb"))


# --- Refusals ---------------------------------------------------------------------------------------------------------


def _add(dataset: Dataset, path: str) -> object:
    return make_asset(dataset, path)


def _add_in_batch(dataset: Dataset, path: str) -> None:
    _batch(dataset, add=("x", path, "y"), remove=("other",))


def _move(dataset: Dataset, path: str) -> object:
    return _replace(Asset.objects.get(path="other"), path)


@pytest.mark.parametrize("change", [_add, _add_in_batch, _move])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a/b/c", "An asset with that path already exists"),
        ("a/b", "Path of new asset \"a/b\" conflicts with existing assets: ['a/b/c']"),
        ("a", "Path of new asset \"a\" conflicts with existing assets: ['a/b/c']"),
        ("a/b/c/d", "Path of new asset \"a/b/c/d\" conflicts with existing assets: ['a/b/c']"),
        ("a/b/c/d/e", "Path of new asset \"a/b/c/d/e\" conflicts with existing assets: ['a/b/c']"),
    ],
    ids=["same file", "file as folder", "file as upper folder", "under file", "far under file"],
)
def test_change_is_refused_whole_when_its_path_is_taken(
    change: Callable[[Dataset, str], object], path: str, message: str
) -> None:
    dataset = _dataset_with("a/b/c", "other")
    before = everything(dataset)
    with pytest.raises(ConflictError) as caught:
        change(dataset, path)
    assert caught.value.message == message
    assert everything(dataset) == before


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (("a", "a"), "The same path is given more than once"),
        (("a", "a/b"), "Paths are both file and folder: ['a']"),
        (("a/b/c", "a"), "Paths are both file and folder: ['a']"),
    ],
)
def test_batch_is_refused_when_it_contradicts_itself(add: tuple[str, ...], message: str) -> None:
    dataset = make_dataset()
    with pytest.raises(ConflictError) as caught:
        _batch(dataset, add=add)
    assert caught.value.message == message
    assert _paths(dataset) == set()


def test_folder_that_keeps_a_file_is_still_in_the_way() -> None:
    dataset = _dataset_with("a/b", "a/c")
    with pytest.raises(ConflictError) as caught:
        _batch(dataset, remove=("a/b",), add=("a",))
    assert caught.value.message == "Path of new asset \"a\" conflicts with existing assets: ['a/c']"


def test_batch_is_told_the_first_files_that_are_in_its_way() -> None:
    dataset = _dataset_with(*(f"a_%/{number:02}" for number in range(12)), "abc/x", "b")
    with pytest.raises(ConflictError) as caught:
        _batch(dataset, add=("a_%", "b/c"))
    there = [f"a_%/{number:02}" for number in range(10)]
    assert caught.value.message == f'Path of new asset "a_%" conflicts with existing assets: {there}'


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"schemaVersion": "0.8.0"}, "No path specified in metadata."),
        ({"schemaVersion": "0.8.0", "path": "../a"}, "Path improperly formatted: '..' is not allowed as a name"),
    ],
)
def test_add_refuses_metadata_that_no_asset_has(metadata: dict[str, Any], message: str) -> None:
    dataset = make_dataset()
    with pytest.raises(InvalidError) as caught:
        add_asset(actor=owner_of(dataset), dataset=dataset, blob_id=attachable_row(dataset).pk, metadata=metadata)
    assert caught.value.message == message
    assert position(dataset.number) == 1


@pytest.mark.parametrize("change", ["add", "remove"])
def test_batch_refuses_a_path_that_is_none(change: str) -> None:
    paths: dict[str, Any] = {change: ("a//b",)}
    with pytest.raises(InvalidError, match="empty name"):
        _batch(make_dataset(), **paths)


def test_add_knows_no_blob_of_a_stranger() -> None:
    dataset = make_dataset()
    for blob_id in [make_blob_row(make_user()).pk, uuid4()]:
        with pytest.raises(NotFoundError):
            add_asset(actor=owner_of(dataset), dataset=dataset, blob_id=blob_id, metadata=valid_asset_metadata("a.nwb"))


def test_changes_are_refused_to_strangers() -> None:
    dataset = _dataset_with("a.nwb")
    actor, asset, before = acting(make_user()), Asset.objects.get(), everything(dataset)
    metadata = valid_asset_metadata("b.nwb")
    with pytest.raises(ForbiddenError):
        add_asset(actor=actor, dataset=dataset, blob_id=asset.blob_id, metadata=metadata)
    with pytest.raises(ForbiddenError):
        replace_asset(actor=actor, dataset=dataset, asset_id=asset.asset_id, blob_id=asset.blob_id, metadata=metadata)
    with pytest.raises(ForbiddenError):
        remove_asset(actor=actor, dataset=dataset, asset_id=asset.asset_id)
    with pytest.raises(ForbiddenError):
        change_assets(actor=actor, dataset=dataset, remove=["a.nwb"])
    assert everything(dataset) == before


@pytest.mark.parametrize(
    "fields", [{"status": "x"}, {"retired": 2}, {"metadata": {}}], ids=["status", "retired at once", "no schema"]
)
def test_rows_refuse_what_no_asset_is(fields: dict[str, Any]) -> None:
    _dataset_with("a.nwb")
    with pytest.raises(IntegrityError), transaction.atomic():
        Asset.objects.update(**fields)


def test_rows_refuse_a_second_asset_at_a_path_of_the_draft() -> None:
    dataset = _dataset_with("a.nwb", "b.nwb")
    assert _paths(dataset) == {"a.nwb", "b.nwb"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Asset.objects.update(path="a.nwb")
