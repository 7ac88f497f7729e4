"""Checks of the content of versions against what the store has."""

from collections.abc import Callable
from typing import Any

import pytest

from archive.assets.models import Asset
from archive.datasets.models import Dataset, Version
from archive.fixity import work
from archive.fixity.models import ContentCheck
from archive.fixity.queries import checks_of_versions
from archive.fixity.services import request_check
from archive.storage import services as store
from archive.zarr.models import ZarrEntry, entry_key
from tests.factories import make_asset, make_blob, make_dataset, owner_of
from tests.factories.zarr import make_zarr, make_zarr_asset, upload_zarr
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def stored(dataset: Dataset, path: str) -> Asset:
    return make_asset(dataset, path, blob=make_blob(dataset))


def draft_of(dataset: Dataset) -> Version:
    return Version.objects.select_related("dataset").get(dataset=dataset, version=Version.DRAFT)


def checked(dataset: Dataset, worker: Worker) -> ContentCheck:
    draft = draft_of(dataset)
    request_check(actor=owner_of(dataset), version=draft)
    worker.run()
    return checks_of_versions(owner_of(dataset), [draft])[draft]


def failures(dataset: Dataset, worker: Worker) -> dict[str, list[str]]:
    return {each["path"]: each["messages"] for each in checked(dataset, worker).failures}


def key_of(dataset: Dataset, path: str) -> str:
    blob = dataset.assets.select_related("blob").get(path=path).blob
    assert blob
    return blob.key


def test_content_that_is_whole_has_no_failures(worker: Worker) -> None:
    dataset = make_dataset()
    for path in ("a", "b/c"):
        stored(dataset, path)
    check = checked(dataset, worker)
    assert (check.count, check.failures, check.remote) == (0, [], "")


DAMAGES: dict[str, tuple[Callable[[str], Any], str]] = {
    "missing": (store.delete, "The store does not have it."),
    "longer": (lambda key: store.put(key, b"x" * 9999), "It has 9999 bytes in the store, and should have"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_content_that_is_damaged_is_named(worker: Worker, name: str) -> None:
    dataset = make_dataset()
    for path in ("a", "b/c"):
        stored(dataset, path)
    damage, message = DAMAGES[name]
    damage(key_of(dataset, "b/c"))
    found = failures(dataset, worker)
    assert found.keys() == {"b/c"}
    assert found["b/c"][0].startswith(message)


def test_bytes_of_the_right_number_that_are_others_are_named(worker: Worker) -> None:
    dataset = make_dataset()
    asset = stored(dataset, "a")
    store.put(key_of(dataset, "a"), b"x" * asset.size)
    assert failures(dataset, worker)["a"][0].startswith("The store has other bytes: their ETag is ")


def test_check_is_that_of_other_files_once_the_draft_has_changed(worker: Worker) -> None:
    dataset = make_dataset()
    stored(dataset, "a")
    checked(dataset, worker)
    stored(dataset, "b")
    assert checks_of_versions(owner_of(dataset), [draft_of(dataset)]) == {}


def test_check_is_replaced_by_the_next(worker: Worker) -> None:
    dataset = make_dataset()
    stored(dataset, "a")
    store.delete(key_of(dataset, "a"))
    assert checked(dataset, worker).count == 1
    dataset.assets.update(retired=dataset.assets.get().introduced + 1)
    assert checked(dataset, worker).count == 0
    assert ContentCheck.objects.count() == 1


def test_check_keeps_the_first_failures_and_counts_all(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "MAX_FAILURES", 1)
    monkeypatch.setattr(work, "BATCH", 1)
    dataset = make_dataset()
    for path in ("a", "b"):
        stored(dataset, path)
        store.delete(key_of(dataset, path))
    check = checked(dataset, worker)
    assert check.count == 2
    assert [each["path"] for each in check.failures] == ["a"]


def test_entries_of_a_zarr_archive_are_compared_one_by_one(worker: Worker) -> None:
    dataset = make_dataset()
    zarr = make_zarr(dataset)
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    assert failures(dataset, worker) == {}
    store.delete(entry_key(zarr.pk, ZarrEntry.objects.get(path="0/0/0").md5))
    store.put(entry_key(zarr.pk, ZarrEntry.objects.get(path="0/0/1").md5), b"SECOND chunk")
    found = failures(dataset, worker)
    assert found["sub-1/a.ome.zarr/0/0/0"] == ["The store does not have it."]
    assert found["sub-1/a.ome.zarr/0/0/1"][0].startswith("The store has other bytes")
    assert len(found) == 2
