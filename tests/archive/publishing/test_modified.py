"""When a draft was modified: never before what it shows, so that who asks for what is newer misses nothing."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db.models import Max

from archive.accounts.policy import ANONYMOUS
from archive.assets.models import Asset
from archive.assets.queries import Anchors, Filter, page_of_assets
from archive.blobs.models import Blob
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_version
from archive.datasets.services import set_owners
from archive.embargo.services import release
from archive.metadata.problems import Problem, validate_version
from archive.publishing import work
from archive.publishing.services import publish, revalidate
from archive.timeline.work.projections import advance_projection
from tests.factories import (
    make_asset,
    make_dataset,
    make_embargoed_dataset,
    make_user,
    make_valid_dataset,
    make_zarr,
    make_zarr_asset,
    owner_of,
    upload_zarr,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def modified(dataset: Dataset) -> datetime:
    return dataset.versions.get(version=Version.DRAFT).modified


def newest_asset(dataset: Dataset) -> datetime:
    found: datetime = Asset.objects.filter(dataset=dataset, retired__isnull=True).aggregate(at=Max("modified"))["at"]
    return found


def judge(dataset: Dataset, worker: Worker) -> None:
    """Let an asset be judged."""
    make_asset(dataset, approach="none")
    worker.run()


def learn_sha256(dataset: Dataset, worker: Worker) -> None:
    """Let the SHA-256 of an asset become known."""
    asset = make_asset(dataset)
    Blob.objects.filter(pk=asset.blob_id).update(sha256="a" * 64)
    worker.run()


def ingest(dataset: Dataset, worker: Worker) -> None:
    """Let the checksum of a Zarr archive become known."""
    zarr = make_zarr(dataset)
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    worker.run()


@pytest.mark.parametrize("happen", [judge, learn_sha256, ingest])
def test_draft_is_modified_no_earlier_than_its_assets(
    happen: Callable[[Dataset, Worker], None], worker: Worker
) -> None:
    dataset = make_dataset()
    happen(dataset, worker)
    assert modified(dataset) >= newest_asset(dataset)


def test_draft_is_modified_when_its_assets_are_judged_though_it_is_not_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = make_dataset()
    make_asset(dataset)
    monkeypatch.setattr(work, "_validate_draft_itself", lambda *_: None)
    before = modified(dataset)
    advance_projection(dataset.number, "validation")
    assert before < newest_asset(dataset) <= modified(dataset)


def test_draft_is_modified_when_it_is_settled(worker: Worker) -> None:
    dataset = make_dataset()
    before = modified(dataset)
    worker.run()
    assert modified(dataset) > before


def test_draft_is_modified_when_it_is_to_be_validated_again(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    before = modified(dataset)
    revalidate(dataset=dataset)
    assert modified(dataset) > before


def test_draft_is_modified_when_its_publishing_begins_and_when_it_ends(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    before = modified(dataset)
    publish(actor=owner_of(dataset), dataset=dataset)
    begun = modified(dataset)
    worker.run()
    assert before < begun < modified(dataset)


def test_draft_is_modified_when_its_release_begins_and_when_it_ends(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    worker.run()
    before = modified(dataset)
    release(actor=owner_of(dataset), dataset=dataset)
    begun = modified(dataset)
    worker.run()
    assert before < begun < modified(dataset)


def test_draft_is_not_modified_when_validation_finds_what_it_had_found(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    before = modified(dataset)
    set_owners(actor=owner_of(dataset), dataset=dataset, usernames=[make_user().username])
    worker.run()
    assert modified(dataset) == before


def test_published_version_is_not_modified_by_what_becomes_of_the_draft(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    publish(actor=owner_of(dataset), dataset=dataset)
    worker.run()
    published = dataset.versions.get(at__isnull=False)
    make_asset(dataset, "another.nwb")
    worker.run()
    assert dataset.versions.get(pk=published.pk).modified == published.modified


# --- Not a guard ------------------------------------------------------------------------------------------------------


def test_draft_is_settled_though_it_was_touched_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    def touching(metadata: dict[str, object]) -> list[Problem]:
        dataset.versions.update(status=Version.Status.PENDING)
        return validate_version(metadata)

    dataset = make_dataset()
    monkeypatch.setattr(work, "validate_version", touching)
    advance_projection(dataset.number, "validation")
    assert dataset.versions.get().status == Version.Status.INVALID


def test_page_is_found_from_its_anchor_though_assets_were_judged_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.assets.queries.ANCHOR_STEP", 1)
    dataset = make_dataset()
    for name in "abcd":
        make_asset(dataset, f"{name}.nwb")
    before = find_version(ANONYMOUS, dataset.number, Version.DRAFT)
    [third] = page_of_assets(before, Filter(), order="path", offset=2, limit=1)
    advance_projection(dataset.number, "validation")

    after = find_version(ANONYMOUS, dataset.number, Version.DRAFT)
    assert Anchors.of(after, "path", 3).before(3) == (2, [third.path, third.introduced])


def test_anchor_is_forgotten_when_an_asset_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.assets.queries.ANCHOR_STEP", 1)
    dataset = make_dataset()
    for name in "bcd":
        make_asset(dataset, f"{name}.nwb")
    version = find_version(ANONYMOUS, dataset.number, Version.DRAFT)
    assert page_of_assets(version, Filter(), order="path", offset=2, limit=1)[0].path == "d.nwb"
    make_asset(dataset, "a.nwb")
    version = find_version(ANONYMOUS, dataset.number, Version.DRAFT)
    assert page_of_assets(version, Filter(), order="path", offset=2, limit=1)[0].path == "c.nwb"
