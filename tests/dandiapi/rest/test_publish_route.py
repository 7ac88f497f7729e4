"""Publishing (docs/dialects/dandi.md#publishing)."""

import re

import pytest

from archive.assets.models import Asset
from archive.datasets.models import Dataset, Version
from archive.timeline.queries import position
from tests.dandiapi.rest.api import Api
from tests.worker import Worker


@pytest.fixture
def address(draft: str, asset: Asset, worker: Worker) -> str:
    """Where a valid draft is published."""
    worker.run()
    return f"{draft}publish/"


def newest(caller: Api, dataset: Dataset) -> dict[str, str]:
    published: dict[str, str] = caller.get(f"dandisets/{dataset.identifier}/").json()["most_recent_published_version"]
    return published


@pytest.mark.parametrize("body", [None, {}, {"release_notes": ""}, {"release_notes": "First."}, {"unknown": 1}])
def test_publish_is_accepted_with_nothing_to_read(owner: Api, address: str, body: object) -> None:
    response = owner.post(address, body)
    assert (response.status_code, response.content) == (202, b"")


def test_published_version_appears_when_the_worker_has_worked(
    owner: Api, dataset: Dataset, address: str, worker: Worker
) -> None:
    owner.post(address, {"release_notes": "First."})
    assert newest(owner, dataset) is None
    worker.run()
    assert re.fullmatch(r"0\.\d{6}\.\d{4}", newest(owner, dataset)["version"])
    assert newest(owner, dataset)["release_notes"] == "First."


def test_draft_says_that_it_is_being_published_and_then_that_it_is(
    owner: Api, draft: str, address: str, worker: Worker
) -> None:
    owner.post(address)
    during = owner.get(f"{draft}info/").json()["status"]
    worker.run()
    after = owner.get(f"{draft}info/").json()
    assert (during, after["status"], after["release_notes"]) == ("Publishing", "Published", "")


def test_publish_is_refused_while_one_is_under_way(owner: Api, dataset: Dataset, address: str) -> None:
    owner.post(address)
    before = position(dataset.number)
    response = owner.post(address)
    assert (response.status_code, response.json()) == (423, "Dandiset is currently being published")
    assert position(dataset.number) == before


def test_publish_is_refused_when_nothing_has_changed(owner: Api, address: str, worker: Worker) -> None:
    owner.post(address)
    worker.run()
    response = owner.post(address)
    assert response.status_code == 400
    assert response.json() == "There have been no changes to the draft version since the last publish."


def test_publish_is_refused_while_validation_is_pending(owner: Api, draft: str, asset: Asset) -> None:
    response = owner.post(f"{draft}publish/")
    assert response.status_code == 409
    assert response.json() == "Metadata validation is pending for this dandiset, please try again later."


def test_publish_is_refused_while_the_draft_is_being_validated(owner: Api, address: str) -> None:
    Version.objects.update(status=Version.Status.VALIDATING)
    response = owner.post(address)
    assert (response.status_code, response.json()) == (409, "Dandiset is currently being validated")


def test_publish_is_refused_when_the_draft_is_not_valid(owner: Api, draft: str, worker: Worker) -> None:
    worker.run()
    response = owner.post(f"{draft}publish/")
    assert (response.status_code, response.json()) == (400, "Dandiset metadata or asset metadata is not valid")


def test_publish_is_refused_when_an_asset_is_not_valid(owner: Api, address: str) -> None:
    Asset.objects.update(status=Asset.Status.INVALID)
    response = owner.post(address)
    assert (response.status_code, response.json()) == (400, "Dandiset metadata or asset metadata is not valid")


def test_publish_is_refused_when_the_dataset_is_embargoed(owner: Api, address: str, embargoed: None) -> None:
    response = owner.post(address)
    assert (response.status_code, response.json()) == (400, "Operation only allowed on OPEN dandisets")


def test_publish_is_refused_when_it_is_not_of_a_draft(
    owner: Api, dataset: Dataset, address: str, worker: Worker
) -> None:
    owner.post(address)
    worker.run()
    version = newest(owner, dataset)["version"]
    response = owner.post(f"dandisets/{dataset.identifier}/versions/{version}/publish/")
    assert (response.status_code, response.json()) == (405, "Only draft versions can be published")


def test_publish_is_refused_to_strangers(stranger: Api, dataset: Dataset, address: str) -> None:
    before = position(dataset.number)
    response = stranger.post(address)
    assert (response.status_code, response.json()) == (403, "Action not allowed")
    assert position(dataset.number) == before


@pytest.mark.parametrize("notes", [None, True, ["a"], {"a": 1}, "x" * 5001])
def test_publish_is_refused_when_the_release_notes_are_wrong(
    owner: Api, dataset: Dataset, address: str, notes: object
) -> None:
    before = position(dataset.number)
    response = owner.post(address, {"release_notes": notes})
    assert (response.status_code, list(response.json())) == (400, ["release_notes"])
    assert position(dataset.number) == before


@pytest.mark.parametrize("body", [[], [1], "text", 1, True])
def test_publish_is_refused_when_the_body_is_no_object(
    owner: Api, dataset: Dataset, address: str, body: object
) -> None:
    before = position(dataset.number)
    assert owner.post(address, body).status_code == 400
    assert position(dataset.number) == before
