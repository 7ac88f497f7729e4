"""What differs between two versions, or a version and the draft."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.accounts.policy import ANONYMOUS
from archive.assets.models import Asset
from archive.assets.services import NewAsset, change_assets, remove_asset, replace_asset
from archive.datasets.models import Dataset, Version
from archive.datasets.services import update_draft
from archive.differences import Difference, Operation
from archive.errors import NotFoundError
from archive.publishing.changes import FileOperation, FileSums
from archive.publishing.queries import (
    Comparison,
    compare_versions,
    drafted_changelog,
    metadata_differences,
    page_of_changes,
    sums_of_changes,
)
from tests.factories import (
    attachable_row,
    make_asset,
    make_dataset,
    make_embargoed_dataset,
    make_published_version,
    make_valid_dataset,
    new_asset,
    owner_of,
    valid_dandiset_metadata,
)
from tests.worker import Worker

ADDED, REMOVED, CHANGED, MOVED = FileOperation

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(worker: Worker) -> Dataset:
    """A dataset with three files, published."""
    dataset = make_valid_dataset(worker, paths=("a.nwb", "b.nwb", "sub-1/c.nwb"))
    make_published_version(worker, dataset)
    return dataset


@pytest.fixture
def first(dataset: Dataset) -> Version:
    return dataset.versions.get(at__isnull=False)


def compared(dataset: Dataset, before: str, after: str = Version.DRAFT) -> Comparison:
    return compare_versions(ANONYMOUS, dataset.number, before, after)


def changes(comparison: Comparison, **options: Any) -> list[tuple[str, str | None, str]]:
    found = page_of_changes(comparison, **{"limit": 100, **options})
    return [(change.operation, change.path_before, change.path) for change in found]


def live(dataset: Dataset, path: str) -> Asset:
    return Asset.objects.select_related("blob").get(dataset=dataset, path=path, retired__isnull=True)


def move(dataset: Dataset, old: str, new: str) -> None:
    add = [NewAsset(new, live(dataset, old).blob, live(dataset, old).metadata)]
    change_assets(actor=owner_of(dataset), dataset=dataset, add=add, remove=[old])


def replace(dataset: Dataset, path: str, *, size: int = 1) -> None:
    actor = owner_of(dataset)
    asset = live(dataset, path)
    blob = attachable_row(dataset, size=size)
    metadata = {**asset.metadata, "path": path}
    replace_asset(actor=actor, dataset=dataset, asset_id=asset.asset_id, blob_id=blob.pk, metadata=metadata)


def test_comparison_finds_nothing_when_nothing_has_changed(dataset: Dataset, first: Version) -> None:
    comparison = compared(dataset, first.version)
    assert changes(comparison) == []
    assert set(sums_of_changes(comparison).values()) == {FileSums()}
    assert drafted_changelog(comparison) == ""


def test_comparison_finds_files_added_removed_changed_and_moved(dataset: Dataset, first: Version) -> None:
    make_asset(dataset, "d.nwb", blob=attachable_row(dataset, size=7))
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=live(dataset, "a.nwb").asset_id)
    replace(dataset, "b.nwb", size=5)
    move(dataset, "sub-1/c.nwb", "sub-2/c.nwb")
    comparison = compared(dataset, first.version)
    assert changes(comparison) == [
        ("removed", "a.nwb", "a.nwb"),
        ("changed", "b.nwb", "b.nwb"),
        ("added", None, "d.nwb"),
        ("moved", "sub-1/c.nwb", "sub-2/c.nwb"),
    ]
    assert sums_of_changes(comparison) == {
        ADDED: FileSums(1, 0, 7),
        REMOVED: FileSums(1, 1, 0),
        CHANGED: FileSums(1, 1, 5),
        MOVED: FileSums(1, 1, 1),
    }


def test_comparison_the_other_way_round_is_the_reverse(dataset: Dataset, first: Version) -> None:
    make_asset(dataset, "d.nwb")
    move(dataset, "a.nwb", "e.nwb")
    assert changes(compared(dataset, Version.DRAFT, first.version)) == [
        ("moved", "e.nwb", "a.nwb"),
        ("removed", "d.nwb", "d.nwb"),
    ]


def test_comparison_of_two_published_versions_knows_nothing_of_the_draft(
    dataset: Dataset, first: Version, worker: Worker
) -> None:
    make_asset(dataset, "d.nwb")
    worker.run()
    second = make_published_version(worker, dataset)
    make_asset(dataset, "e.nwb")
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=live(dataset, "d.nwb").asset_id)
    assert changes(compared(dataset, first.version, second.version)) == [("added", None, "d.nwb")]


def test_file_that_came_and_went_between_is_no_difference(dataset: Dataset, first: Version) -> None:
    asset = make_asset(dataset, "d.nwb")
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    assert changes(compared(dataset, first.version)) == []


def test_file_that_is_again_what_it_was_is_no_difference(dataset: Dataset, first: Version) -> None:
    move(dataset, "a.nwb", "x.nwb")
    move(dataset, "x.nwb", "a.nwb")
    assert changes(compared(dataset, first.version)) == []


def test_change_of_metadata_alone_is_shown_by_pointers(dataset: Dataset, first: Version) -> None:
    asset = live(dataset, "a.nwb")
    metadata = {**asset.metadata, "path": "a.nwb", "keywords": ["mouse"]}
    replace_asset(
        actor=owner_of(dataset),
        dataset=dataset,
        asset_id=asset.asset_id,
        blob_id=asset.blob_id,
        metadata=metadata,
    )
    [change] = page_of_changes(compared(dataset, first.version), limit=10)
    assert (change.operation, change.has_other_bytes) == (CHANGED, False)
    assert change.metadata == [Difference(Operation.ADDED, "/keywords", new=["mouse"])]


def test_files_with_the_same_bytes_are_paired_one_by_one(worker: Worker) -> None:
    dataset = make_dataset()
    blob = attachable_row(dataset)
    actor = owner_of(dataset)
    change_assets(actor=actor, dataset=dataset, add=[new_asset(path, blob) for path in ("1.nwb", "2.nwb", "3.nwb")])
    worker.run()
    version = make_published_version(worker, dataset)
    add = [new_asset(path, blob) for path in ("8.nwb", "9.nwb")]
    change_assets(actor=actor, dataset=dataset, add=add, remove=["1.nwb", "2.nwb", "3.nwb"])
    assert changes(compared(dataset, version.version)) == [
        ("removed", "3.nwb", "3.nwb"),
        ("moved", "1.nwb", "8.nwb"),
        ("moved", "2.nwb", "9.nwb"),
    ]


def test_pages_follow_one_another_by_path(dataset: Dataset, first: Version) -> None:
    blob = attachable_row(dataset)
    add = [new_asset(f"new/{number}.nwb", blob) for number in range(5)]
    change_assets(actor=owner_of(dataset), dataset=dataset, add=add)
    comparison = compared(dataset, first.version)
    page = page_of_changes(comparison, limit=2)
    following = page_of_changes(comparison, limit=2, after=page[-1].path)
    assert [change.path for change in (*page, *following)] == [f"new/{number}.nwb" for number in range(4)]


def test_page_has_only_the_operations_asked_for(dataset: Dataset, first: Version) -> None:
    make_asset(dataset, "d.nwb")
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=live(dataset, "a.nwb").asset_id)
    assert changes(compared(dataset, first.version), operations=[REMOVED]) == [("removed", "a.nwb", "a.nwb")]


def test_metadata_of_the_dataset_differs_by_what_its_owner_wrote(dataset: Dataset, first: Version) -> None:
    metadata = {**valid_dandiset_metadata(), "description": "What a mouse heard.", "keywords": ["ear"]}
    update_draft(actor=owner_of(dataset), dataset=dataset, name="Mouse hearing", metadata=metadata)
    assert metadata_differences(compared(dataset, first.version)) == [
        Difference(Operation.CHANGED, "/name", "Mouse vision", "Mouse hearing"),
        Difference(Operation.CHANGED, "/description", "What a mouse saw.", "What a mouse heard."),
        Difference(Operation.ADDED, "/keywords", new=["ear"]),
    ]


def test_changelog_says_it_in_plain_text(dataset: Dataset, first: Version) -> None:
    blob = attachable_row(dataset, size=100)
    add = [new_asset(f"new/{number:02}.nwb", blob) for number in range(12)]
    change_assets(actor=owner_of(dataset), dataset=dataset, add=add)
    move(dataset, "a.nwb", "z.nwb")
    update_draft(actor=owner_of(dataset), dataset=dataset, name="Other", metadata=valid_dandiset_metadata())
    changelog = drafted_changelog(compared(dataset, first.version))
    assert changelog.startswith("Added 12 files (1.2 kB):\n- new/00.nwb\n")
    assert "- new/09.nwb\n- and 2 more\n\nMoved 1 file (1 byte):\n- a.nwb -> z.nwb\n" in changelog
    assert changelog.endswith("Metadata of the dataset:\n- changed name")


def test_sums_are_asked_for_once(dataset: Dataset, first: Version) -> None:
    comparison = compared(dataset, first.version)
    sums_of_changes(comparison)
    with CaptureQueriesContext(connection) as queries:
        sums_of_changes(comparison)
    assert len(queries) == 0


def test_comparison_needs_two_versions_of_the_dataset(dataset: Dataset, first: Version) -> None:
    with pytest.raises(NotFoundError):
        compared(dataset, first.version, "0.000000.0000")


def test_comparison_is_for_those_who_may_read_the_dataset() -> None:
    dataset = make_embargoed_dataset()
    with pytest.raises(NotFoundError):
        compared(dataset, Version.DRAFT)
