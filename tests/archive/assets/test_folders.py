"""Folders: sums that are kept, and history that costs only what versions need (docs/decisions/folders-in-time.md)."""

import pytest

from archive.assets.models import Asset, Folder
from archive.assets.queries import find_folder, page_of_children
from archive.assets.services import change_assets
from archive.datasets.models import Dataset
from tests.archive.assets.state import Sums, draft_of, recounted, sums_of
from tests.factories import (
    attachable_row,
    make_dataset,
    make_published_version,
    make_valid_dataset,
    new_asset,
    owner_of,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def _change(dataset: Dataset, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = (), size: int = 1) -> None:
    blob = attachable_row(dataset, size=size)
    change_assets(actor=owner_of(dataset), dataset=dataset, add=[new_asset(path, blob) for path in add], remove=remove)


def test_folders_sum_what_is_below_them() -> None:
    dataset = make_dataset()
    _change(dataset, add=("a.nwb", "sub-1/b.nwb", "sub-1/ses-1/c.nwb", "sub-1/ses-1/d.nwb"), size=10)
    assert sums_of(draft_of(dataset)) == {
        "": Sums(files=4, size=40, children=2),
        "sub-1": Sums(files=3, size=30, children=2),
        "sub-1/ses-1": Sums(files=2, size=20, children=2),
    }


def test_folders_disappear_with_their_last_file() -> None:
    dataset = make_dataset()
    _change(dataset, add=("a/b/c/d", "e"))
    _change(dataset, remove=("a/b/c/d",))
    assert sums_of(draft_of(dataset)) == {"": Sums(files=1, size=1, children=1)}
    _change(dataset, remove=("e",))
    assert sums_of(draft_of(dataset)) == {}
    assert find_folder(draft_of(dataset), "") is None


def test_children_are_files_and_folders_in_byte_order() -> None:
    dataset = make_dataset()
    _change(dataset, add=("b", "a/x", "a.b", "Z", "é", "a/y/z"), size=10)
    children = page_of_children(draft_of(dataset), "", offset=0, limit=10)
    assert [(child.path, child.file_count, child.size, child.asset_id is None) for child in children] == [
        ("Z", 1, 10, False),
        ("a", 2, 20, True),
        ("a.b", 1, 10, False),
        ("b", 1, 10, False),
        ("é", 1, 10, False),
    ]
    asset = Asset.objects.get(path="Z")
    assert (children[0].asset_id, children[0].blob_id) == (asset.asset_id, asset.blob_id)
    assert [child.path for child in page_of_children(draft_of(dataset), "a", offset=0, limit=10)] == ["a/x", "a/y"]
    assert page_of_children(draft_of(dataset), "b", offset=0, limit=10) == []


def test_folders_that_no_version_shows_are_updated_in_place() -> None:
    dataset = make_dataset()
    _change(dataset, add=("a/b",))
    _change(dataset, add=("a/c",))
    _change(dataset, remove=("a/b",), add=("d",))
    assert Folder.objects.filter(retired__isnull=False).count() == 0
    assert Folder.objects.count() == 2
    _change(dataset, remove=("a/c", "d"))
    assert Folder.objects.count() == 0


def test_folders_that_a_version_shows_are_never_touched_again(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("a/b", "a/c", "d/e"))
    version = make_published_version(worker, dataset)
    rows = {row["path"]: row for row in Folder.objects.values()}
    _change(dataset, add=("a/f",), remove=("d/e",), size=10)
    _change(dataset, add=("a/g",), remove=("a/b",), size=10)
    now = {row["id"]: row for row in Folder.objects.values()}
    # All that may be written into such a row is when it stopped to be the draft's.
    assert [{**now[row["id"]], "retired": None} for row in rows.values()] == list(rows.values())
    assert {path: now[row["id"]]["retired"] for path, row in rows.items()} == {"": 6, "a": 6, "d": 6}
    assert sums_of(version) == recounted({"a/b": 1, "a/c": 1, "d/e": 1})


def test_folders_take_one_row_per_version_however_many_changes_there_are_between(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("a/b",))
    make_published_version(worker, dataset)
    for name in "cdef":
        _change(dataset, add=(f"a/{name}",))
    assert Folder.objects.filter(path="a").count() == 2


def test_folders_that_a_change_leaves_as_they_were_are_left_alone(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("a/b", "c/d"))
    make_published_version(worker, dataset)
    _change(dataset, remove=("a/b",), add=("a/b",))
    assert Folder.objects.filter(retired__isnull=False).count() == 0


def test_rows_of_a_version_that_failed_to_be_published_do_no_harm(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("a/b",))
    version = make_published_version(worker, dataset)
    _change(dataset, add=("a/c",))
    version.delete()
    _change(dataset, add=("a/d",))
    _change(dataset, remove=("a/b",))
    assert sums_of(draft_of(dataset)) == recounted({"a/c": 1, "a/d": 1})
