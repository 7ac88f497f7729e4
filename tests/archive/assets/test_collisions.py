"""Paths that some systems cannot tell apart are not both in a draft, however the second would come in."""

import pytest

from archive.assets.collisions import case_collisions
from archive.assets.queries import live_assets
from archive.assets.services import change_assets, remove_asset, replace_asset
from archive.datasets.models import Dataset
from archive.errors import ConflictError
from tests.factories import (
    attachable_row,
    make_asset,
    make_dataset,
    make_zarr,
    make_zarr_asset,
    new_asset,
    owner_of,
    valid_asset_metadata,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset() -> Dataset:
    """A dataset of two files."""
    dataset = make_dataset()
    for path in ("sub-1/a.nwb", "\u00e9t\u00e9.txt"):
        make_asset(dataset, path)
    return dataset


def paths_of(dataset: Dataset) -> set[str]:
    return set(live_assets(dataset).values_list("path", flat=True))


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("sub-1/A.nwb", "sub-1/a.nwb"),
        ("SUB-1/a.nwb", "sub-1/a.nwb"),
        ("\u00c9T\u00c9.txt", "\u00e9t\u00e9.txt"),
        ("Sub-1", "sub-1"),
        ("Sub-1/a.nwb/b", "sub-1/a.nwb"),
    ],
)
def test_look_alike_of_a_file_or_of_a_folder_is_refused(dataset: Dataset, path: str, other: str) -> None:
    assert case_collisions(dataset.number, [path]) == {path: other}
    with pytest.raises(ConflictError, match="Some systems cannot tell"):
        make_asset(dataset, path)
    with pytest.raises(ConflictError, match="Some systems cannot tell"):
        make_zarr_asset(make_zarr(dataset, path), path)
    assert path not in paths_of(dataset)


@pytest.mark.parametrize("path", ["SUB-1/b.nwb", "sub-1/a.nwb2", "sub-10", "ete.txt", "sub_1/a.nwb"])
def test_other_names_are_taken_and_folders_may_look_alike(dataset: Dataset, path: str) -> None:
    make_asset(dataset, path)
    assert path in paths_of(dataset)


@pytest.mark.parametrize(
    ("paths", "alike"),
    [
        (["x/a", "x/A"], {"x/a": "x/A", "x/A": "x/a"}),
        (["x", "X/a"], {"x": "X", "X/a": "x"}),
        (["x/a", "X/b"], {}),
    ],
)
def test_look_alikes_that_come_together_are_found(dataset: Dataset, paths: list[str], alike: dict[str, str]) -> None:
    assert case_collisions(dataset.number, paths) == alike


def test_case_of_a_name_can_be_changed(dataset: Dataset) -> None:
    asset = live_assets(dataset).get(path="sub-1/a.nwb")
    metadata = valid_asset_metadata("Sub-1/A.nwb")
    assert asset.blob_id
    actor = owner_of(dataset)
    replace_asset(actor=actor, dataset=dataset, asset_id=asset.asset_id, blob_id=asset.blob_id, metadata=metadata)
    change_assets(
        actor=actor, dataset=dataset, add=[new_asset("SUB-1/a.NWB", attachable_row(dataset))], remove=["Sub-1/A.nwb"]
    )
    assert paths_of(dataset) == {"SUB-1/a.NWB", "\u00e9t\u00e9.txt"}


def test_name_is_free_once_its_look_alike_has_left(dataset: Dataset) -> None:
    asset = live_assets(dataset).get(path="sub-1/a.nwb")
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    make_asset(dataset, "Sub-1")
    assert "Sub-1" in paths_of(dataset)


def test_look_alikes_of_old_can_be_changed(dataset: Dataset) -> None:
    old = make_asset(dataset, "b.nwb")
    live_assets(dataset).filter(path="b.nwb").update(path="sub-1/A.nwb")
    metadata = valid_asset_metadata("sub-1/A.nwb", encodingFormat="text/plain")
    replace_asset(
        actor=owner_of(dataset), dataset=dataset, asset_id=old.asset_id, blob_id=old.blob_id, metadata=metadata
    )
    assert {"sub-1/a.nwb", "sub-1/A.nwb"} <= paths_of(dataset)
