"""Versions: listed, shown, edited, withdrawn (docs/dialects/dandi.md#versions)."""

import re
from typing import Any

import pytest

from archive.assets.models import Asset
from archive.datasets.models import Dataset, Version
from archive.metadata.queries import schema_info
from archive.timeline.queries import position
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.factories import make_asset, make_published_version, make_valid_dataset, valid_dandiset_metadata
from tests.worker import Worker


@pytest.fixture
def version(owner: Api, worker: Worker) -> Version:
    """A published version of the owner's."""
    return make_published_version(worker, make_valid_dataset(worker, owner.user))


@pytest.fixture
def published_address(version: Version) -> str:
    return f"dandisets/{version.dataset.identifier}/versions/{version.version}/"


@pytest.fixture
def body() -> dict[str, Any]:
    return {"name": "Mouse hearing", "metadata": valid_dandiset_metadata()}


# --- Shapes -----------------------------------------------------------------------------------------------------------


def test_info_has_exactly_the_fields_of_the_dialect(anonymous: Api, draft: str, asset: Asset) -> None:
    info = anonymous.get(f"{draft}info/").json()
    assert set(info) == shapes.VERSION_INFO
    assert set(info["dandiset"]) == shapes.DATASET
    assert re.fullmatch(shapes.TIMESTAMP, info["created"])
    assert re.fullmatch(shapes.TIMESTAMP, info["modified"])
    assert (info["version"], info["asset_count"], info["size"]) == ("draft", 1, 1)
    assert (info["status"], info["active_uploads"], info["release_notes"]) == ("Pending", 0, "")


def test_draft_is_shown_modified_no_earlier_than_its_assets(
    anonymous: Api, dataset: Dataset, draft: str, asset: Asset, worker: Worker
) -> None:
    worker.run()
    info = anonymous.get(f"{draft}info/").json()
    [shown] = anonymous.get(f"{draft}assets/").json()["results"]
    [listed] = anonymous.get("dandisets/").json()["results"]
    assert shown["asset_id"] == str(asset.asset_id)
    assert shown["modified"] <= info["modified"] == listed["draft_version"]["modified"]
    assert info["created"] < shown["modified"]


def test_info_says_of_each_problem_where_it_is(owner: Api, dataset: Dataset, draft: str, worker: Worker) -> None:
    make_asset(dataset, "a.nwb", approach="none")
    owner.put(draft, {"name": "Mouse vision", "metadata": {**valid_dandiset_metadata(), "license": []}})
    worker.run()
    info = owner.get(f"{draft}info/").json()
    assert info["status"] == "Invalid"
    assert {frozenset(problem) for problem in info["version_validation_errors"]} == {frozenset({"field", "message"})}
    assert {frozenset(problem) for problem in info["asset_validation_errors"]} == {
        frozenset({"field", "message", "path"})
    }


def test_info_says_which_assets_are_waited_for(anonymous: Api, draft: str, asset: Asset) -> None:
    assert anonymous.get(f"{draft}info/").json()["asset_validation_errors"] == [
        {"field": "", "message": "asset is currently being validated, please wait.", "path": asset.path}
    ]


def test_info_becomes_valid_when_the_worker_has_worked(
    anonymous: Api, draft: str, asset: Asset, worker: Worker
) -> None:
    worker.run()
    info = anonymous.get(f"{draft}info/").json()
    assert (info["status"], info["asset_validation_errors"], info["version_validation_errors"]) == ("Valid", [], [])


def test_info_of_a_published_version_has_a_doi_and_no_problems(anonymous: Api, published_address: str) -> None:
    info = anonymous.get(f"{published_address}info/").json()
    assert set(info) == shapes.VERSION_INFO
    assert (info["status"], info["asset_validation_errors"], info["version_validation_errors"]) == ("Valid", [], [])
    assert info["metadata"]["doi"].startswith("10.80507/dandi.")
    assert info["metadata"]["version"] == info["version"]


def test_version_itself_is_its_metadata(anonymous: Api, draft: str) -> None:
    metadata = anonymous.get(draft).json()
    assert metadata == anonymous.get(f"{draft}info/").json()["metadata"]
    assert (metadata["schemaKey"], metadata["version"]) == ("Dandiset", "draft")


def test_list_has_exactly_the_fields_of_the_dialect(anonymous: Api, dataset: Dataset) -> None:
    page = anonymous.get(f"dandisets/{dataset.identifier}/versions/").json()
    assert set(page) == shapes.PAGE
    assert set(page["results"][0]) == shapes.VERSION_ITEM
    assert set(page["results"][0]["dandiset"]) == shapes.DATASET


@pytest.mark.parametrize(
    ("order", "first_is_draft"), [("", True), ("?order=created", True), ("?order=-created", False)]
)
def test_list_is_in_the_order_that_is_asked_for(
    anonymous: Api, version: Version, order: str, *, first_is_draft: bool
) -> None:
    rows = anonymous.get(f"dandisets/{version.dataset.identifier}/versions/{order}").json()["results"]
    assert len(rows) == 2
    assert (rows[0]["version"] == "draft") is first_is_draft


def test_list_is_refused_when_the_order_is_none(anonymous: Api, dataset: Dataset) -> None:
    response = anonymous.get(f"dandisets/{dataset.identifier}/versions/?order=name")
    assert (response.status_code, list(response.json())) == (400, ["order"])


def test_version_is_not_found_when_there_is_none(anonymous: Api, dataset: Dataset) -> None:
    response = anonymous.get(f"dandisets/{dataset.identifier}/versions/0.260101.0000/")
    assert (response.status_code, response.json()) == (404, shapes.NOT_FOUND)


# --- Editing ----------------------------------------------------------------------------------------------------------


def test_draft_is_given_a_name_and_metadata(owner: Api, draft: str, body: dict[str, Any]) -> None:
    body["metadata"]["keywords"] = ["sound"]
    response = owner.put(draft, body)
    assert (response.status_code, set(response.json())) == (200, shapes.VERSION_INFO)
    assert (response.json()["name"], response.json()["status"]) == ("Mouse hearing", "Pending")
    assert owner.get(draft).json()["keywords"] == ["sound"]


def test_draft_keeps_fields_that_no_schema_knows(owner: Api, draft: str, body: dict[str, Any]) -> None:
    body["metadata"]["lab"] = {"room": 7, "größe": ["\U0001f42d", None, 1.5]}
    owner.put(draft, body)
    assert owner.get(draft).json()["lab"] == {"room": 7, "größe": ["\U0001f42d", None, 1.5]}


def test_draft_is_given_the_present_schema_when_its_metadata_name_none(
    owner: Api, dataset: Dataset, draft: str
) -> None:
    body = {"name": "Mouse hearing", "metadata": {"description": "What a mouse heard."}}
    metadata = owner.put(draft, body).json()["metadata"]
    assert metadata.items() >= {"schemaVersion": schema_info().current, "description": "What a mouse heard."}.items()

    before = position(dataset.number)
    assert (owner.put(draft, body).status_code, position(dataset.number)) == (200, before)


@pytest.mark.parametrize(
    "wrong",
    [
        {"schemaVersion": None},
        {"schemaVersion": 1},
        {"schemaVersion": "9.9.9"},
        {"schemaVersion": {"is": "new"}},
        {"schemaKey": 5},
        {"contributor": "Jane"},
        {"contributor": [None, "Jane", {"name": 1}]},
        {"access": "open"},
        {"access": ["open", None]},
        {"license": {"spdx": "CC0"}},
        {"keywords": [1, None, {}]},
        {"about": "mice"},
        {"description": 7},
        {"description": "x" * 10_001},
        {"assetsSummary": "large", "citation": 1, "doi": [], "manifestLocation": None},
        {"@context": 1, "id": 2, "repository": 3, "url": 4, "version": 5},
    ],
)
def test_draft_is_kept_and_not_valid_when_its_metadata_are_wrong(
    owner: Api, anonymous: Api, draft: str, worker: Worker, wrong: dict[str, Any]
) -> None:
    response = owner.put(draft, {"name": "Mouse hearing", "metadata": wrong})
    assert response.status_code == 200
    worker.run()
    info = anonymous.get(f"{draft}info/").json()
    assert (info["status"], bool(info["version_validation_errors"])) == ("Invalid", True)


def test_draft_computes_what_its_owner_may_not_say(owner: Api, draft: str, body: dict[str, Any]) -> None:
    before = owner.get(draft).json()
    claims = {"identifier": "DANDI:999999", "version": "1", "url": "http://x", "doi": "10.1/x", "citation": "me"}
    owner.put(draft, {**body, "name": before["name"], "metadata": body["metadata"] | claims})
    assert owner.get(draft).json() == before


def test_draft_does_not_change_when_it_is_given_what_it_has(
    owner: Api, dataset: Dataset, draft: str, worker: Worker
) -> None:
    worker.run()
    before, shown = position(dataset.number), owner.get(f"{draft}info/").json()
    response = owner.put(draft, {"name": shown["name"], "metadata": shown["metadata"]})
    assert (response.json(), position(dataset.number)) == (shown, before)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": None}, ["name"]),
        ({"name": [1]}, ["name"]),
        ({"name": "x" * 301}, ["name"]),
        ({"metadata": None}, ["metadata"]),
        ({"metadata": []}, ["metadata"]),
        ({"metadata": "x"}, ["metadata"]),
        ({"name": 1.5, "metadata": 3}, ["metadata"]),
    ],
)
def test_draft_does_not_change_when_a_field_is_wrong(
    owner: Api, draft: str, body: dict[str, Any], change: dict[str, Any], fields: list[str]
) -> None:
    before = owner.get(f"{draft}info/").json()
    response = owner.put(draft, body | change)
    assert (response.status_code, list(response.json())) == (400, fields)
    assert owner.get(f"{draft}info/").json() == before


def test_draft_does_not_change_when_a_stranger_edits_it(stranger: Api, draft: str, body: dict[str, Any]) -> None:
    response = stranger.put(draft, body)
    assert (response.status_code, response.json()) == (403, shapes.NOT_PERMITTED)
    assert stranger.get(draft).json()["name"] == "Mouse vision"


def test_published_version_does_not_change(owner: Api, published_address: str, body: dict[str, Any]) -> None:
    response = owner.put(published_address, body)
    assert (response.status_code, response.json()) == (405, "Only draft versions can be modified.")


# --- Withdrawing ------------------------------------------------------------------------------------------------------


def test_published_version_is_withdrawn_by_administrators(admin: Api, published_address: str) -> None:
    response = admin.delete(published_address)
    assert (response.status_code, response.content) == (204, b"")
    assert admin.get(published_address).status_code == 404


def test_published_version_is_not_withdrawn_by_its_owner(owner: Api, published_address: str) -> None:
    response = owner.delete(published_address)
    assert (response.status_code, response.json()) == (403, "Cannot delete published versions")


@pytest.mark.parametrize("caller", ["stranger", "owner", "admin"])
def test_draft_is_withdrawn_by_nobody(caller: str, request: pytest.FixtureRequest, draft: str) -> None:
    response = request.getfixturevalue(caller).delete(draft)
    assert (response.status_code, response.json()) == (403, "Cannot delete draft versions")
