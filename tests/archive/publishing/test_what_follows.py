"""What follows a change by itself: manifests are written (docs/dialects/dandi.md#manifests)."""

from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
import yaml
from django.utils import timezone

from archive.accounts.policy import ANONYMOUS
from archive.assets.models import Asset
from archive.assets.queries import AssetDocuments
from archive.assets.services import remove_asset
from archive.datasets.models import Dataset, Version
from archive.publishing.queries import manifest_key, manifest_url
from archive.storage import services as storage
from archive.storage.queries import client, find, public_url, read
from archive.storage.services import delete
from archive.timeline.models import Job, Projection, Timeline
from tests.factories import (
    make_dataset,
    make_embargoed_dataset,
    make_published_version,
    make_valid_dataset,
    owner_of,
)
from tests.worker import Worker

MANIFESTS = ("dandiset.yaml", "dandiset.jsonld", "assets.yaml", "assets.jsonld", "collection.jsonld")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_manifests(bucket: str) -> None:
    """Remove what another test's dataset of the same number has left."""
    left = client().list_objects_v2(Bucket=bucket, Prefix="dandisets/").get("Contents", [])
    for each in left:
        delete(each["Key"])


def _draft(dataset: Dataset) -> Version:
    return dataset.versions.get(version="draft")


def _projection(name: str) -> Projection:
    return Projection.objects.get(name=name)


# --- Manifests --------------------------------------------------------------------------------------------------------


def _read(version: Version, name: str) -> bytes:
    return b"".join(read(manifest_key(version, name)))


def _let_an_hour_pass() -> None:
    Timeline.objects.update(changed=timezone.now() - timedelta(hours=1))
    Projection.objects.update(next_attempt=timezone.now())


@pytest.fixture
def version(worker: Worker) -> Version:
    """A published version of two files, one of which the draft has lost since."""
    dataset = make_valid_dataset(worker, paths=("a.nwb", "sub-1/b.nwb"))
    version = make_published_version(worker, dataset)
    gone = Asset.objects.get(path="a.nwb")
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=gone.asset_id)
    return version


def test_manifests_lie_under_the_version() -> None:
    version = _draft(make_dataset())
    assert manifest_key(version, "x.yaml") == f"dandisets/{version.dataset_id:06}/draft/x.yaml"
    assert manifest_url(version, "x.yaml") == public_url(manifest_key(version, "x.yaml"))


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests_of_an_open_dataset_may_be_read_by_anybody(version: Version, name: str) -> None:
    assert httpx.get(manifest_url(version, name)).status_code == 200


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("dandiset.yaml", "text/yaml"), ("assets.jsonld", "application/ld+json")],
)
def test_manifests_say_what_they_are(version: Version, name: str, media_type: str) -> None:
    assert httpx.get(manifest_url(version, name)).headers["Content-Type"] == media_type


def test_manifests_hold_the_metadata_of_the_version(version: Version) -> None:
    assert orjson.loads(_read(version, "dandiset.jsonld")) == version.metadata
    assert yaml.safe_load(_read(version, "dandiset.yaml")) == version.metadata


def test_manifests_hold_the_metadata_of_each_file_of_the_version(version: Version) -> None:
    documents = AssetDocuments(version.dataset, reader=ANONYMOUS)
    expected = [documents.document(asset) for asset in Asset.objects.order_by("introduced")]
    assert orjson.loads(_read(version, "assets.jsonld")) == expected
    assert yaml.safe_load(_read(version, "assets.yaml")) == expected
    assert {asset["publishedBy"]["id"] for asset in expected} == {version.metadata["publishedBy"]["id"]}


def test_manifests_list_the_files_of_the_version(version: Version) -> None:
    collection = orjson.loads(_read(version, "collection.jsonld"))
    ids = [f"dandiasset:{asset.asset_id}" for asset in Asset.objects.order_by("introduced")]
    assert collection == {
        "@context": version.metadata["@context"],
        "id": version.metadata["id"],
        "@type": "prov:Collection",
        "hasMember": ids,
    }


def test_manifests_of_a_draft_wait_until_it_is_left_alone(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    draft = _draft(dataset)
    assert find(manifest_key(draft, "assets.yaml")) is None
    assert _projection("manifest").reason == "The dataset is being changed."
    _let_an_hour_pass()
    worker.run()
    assert [asset["path"] for asset in orjson.loads(_read(draft, "assets.jsonld"))] == ["a.nwb"]
    assert _projection("manifest").state == "following"


def test_manifests_of_an_empty_draft_are_lists_too(worker: Worker) -> None:
    draft = _draft(make_dataset())
    _let_an_hour_pass()
    worker.run()
    assert yaml.safe_load(_read(draft, "assets.yaml")) == []
    assert orjson.loads(_read(draft, "assets.jsonld")) == []
    assert orjson.loads(_read(draft, "collection.jsonld"))["hasMember"] == []


def test_manifests_of_an_embargoed_dataset_stay_closed(worker: Worker) -> None:
    draft = _draft(make_embargoed_dataset())
    _let_an_hour_pass()
    worker.run()
    assert find(manifest_key(draft, "assets.yaml"))
    assert [httpx.get(manifest_url(draft, name)).status_code for name in MANIFESTS] == [403] * 5


def test_manifests_are_written_after_all_when_the_store_was_away(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError("The store is away.")

    dataset = make_valid_dataset(worker)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "write", away)
        version = make_published_version(worker, dataset)
    assert find(manifest_key(version, "assets.yaml")) is None
    Job.objects.update(next_attempt=timezone.now())
    worker.run()
    assert find(manifest_key(version, "assets.yaml"))
