"""Assets: added, replaced, removed, shown, listed (docs/dialects/dandi.md#assets)."""

import re
from typing import Any
from uuid import uuid4

import pytest

from archive.assets.models import Asset
from archive.datasets.models import Dataset
from archive.metadata.queries import schema_info
from archive.timeline.queries import position
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.factories import (
    make_asset,
    make_blob_row,
    make_dataset,
    make_embargoed_dataset,
    make_user,
    valid_asset_metadata,
)
from tests.worker import Worker


@pytest.fixture
def assets(draft: str) -> str:
    """Where the draft's assets are."""
    return f"{draft}assets/"


@pytest.fixture
def new(owner: Api) -> dict[str, Any]:
    """What makes an asset."""
    return {"blob_id": str(make_blob_row(owner.user).pk), "metadata": valid_asset_metadata("sub-2/b.nwb")}


def at(new: dict[str, Any], path: object) -> dict[str, Any]:
    return {**new, "metadata": {**new["metadata"], "path": path}}


# --- Adding -----------------------------------------------------------------------------------------------------------


def test_added_asset_is_answered_with_200_and_its_metadata(owner: Api, assets: str, new: dict[str, Any]) -> None:
    response = owner.post(assets, new)
    asset = response.json()
    assert (response.status_code, set(asset)) == (200, shapes.ASSET)
    assert re.fullmatch(shapes.UUID, asset["asset_id"])
    assert re.fullmatch(shapes.TIMESTAMP, asset["created"])
    assert (asset["blob"], asset["zarr"], asset["path"]) == (new["blob_id"], None, "sub-2/b.nwb")


def test_added_asset_says_what_the_archive_knows(owner: Api, assets: str, new: dict[str, Any]) -> None:
    asset = owner.post(assets, new).json()
    metadata = asset["metadata"]
    assert metadata["id"] == f"dandiasset:{asset['asset_id']}"
    assert metadata["identifier"] == asset["asset_id"]
    assert metadata["contentUrl"][0].endswith(f"/api/assets/{asset['asset_id']}/download/")
    assert metadata["contentUrl"][1].endswith(f"/{asset['blob']}")
    assert (metadata["path"], metadata["contentSize"]) == ("sub-2/b.nwb", 1)
    assert set(metadata["digest"]) == {"dandi:dandi-etag", "dandi:sha2-256"}


def test_added_asset_makes_the_draft_pending(owner: Api, draft: str, assets: str, new: dict[str, Any]) -> None:
    owner.post(assets, new)
    info = owner.get(f"{draft}info/").json()
    assert (info["status"], info["asset_count"], info["size"]) == ("Pending", 1, 1)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"blob_id": None}, {"blob_id": ["Exactly one of blob_id or zarr_id must be specified."]}),
        ({"zarr_id": str(uuid4())}, {"blob_id": ["Exactly one of blob_id or zarr_id must be specified."]}),
        ({"blob_id": "x"}, {"blob_id": ["Must be a valid UUID."]}),
        ({"blob_id": 1.5}, {"blob_id": ["Must be a valid UUID."]}),
        ({"blob_id": [1]}, {"blob_id": ["Must be a valid UUID."]}),
        ({"blob_id": {"a": 1}}, {"blob_id": ["Must be a valid UUID."]}),
        ({"metadata": None}, {"metadata": ["This field may not be null."]}),
        ({"metadata": "x"}, {"metadata": ["Must be a JSON object."]}),
        ({"metadata": []}, {"metadata": ["Must be a JSON object."]}),
        ({"metadata": {}}, {"metadata": ["No path specified in metadata."]}),
    ],
)
def test_asset_is_refused_when_a_field_is_wrong(
    owner: Api, dataset: Dataset, new: dict[str, Any], body: dict[str, Any], answer: dict[str, Any]
) -> None:
    before = position(dataset.number)
    response = owner.post(f"dandisets/{dataset.identifier}/versions/draft/assets/", new | body)
    assert (response.status_code, response.json()) == (400, answer)
    assert position(dataset.number) == before


def test_asset_is_given_the_present_schema_when_its_metadata_name_none(
    owner: Api, assets: str, new: dict[str, Any]
) -> None:
    body = {**new, "metadata": {"path": "a.txt", "note": "hello"}}
    asset = owner.post(assets, body).json()
    assert asset["metadata"].items() >= {"schemaVersion": schema_info().current, "note": "hello"}.items()

    again = owner.put(f"{assets}{asset['asset_id']}/", body)
    assert (again.status_code, again.json()["asset_id"]) == (200, asset["asset_id"])


@pytest.mark.parametrize("named", [None, 1, "9.9.9", ["0.8.0"], {"is": "new"}])
def test_asset_is_kept_and_not_valid_when_its_metadata_name_no_schema_that_there_is(
    owner: Api, dataset: Dataset, assets: str, worker: Worker, named: object
) -> None:
    blob = make_blob_row(owner.user, sha256="a" * 64)
    response = owner.post(assets, {"blob_id": str(blob.pk), "metadata": {"path": "a.txt", "schemaVersion": named}})
    assert (response.status_code, response.json()["metadata"]["schemaVersion"]) == (200, named)

    worker.run()
    validation = owner.get(f"{assets}{response.json()['asset_id']}/validation/").json()
    assert validation["status"] == "Invalid"
    assert f"Metadata version {named} is not allowed" in validation["validation_errors"][0]["message"]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("", "Path must not be empty"),
        (None, "Path must be a string"),
        (1, "Path must be a string"),
        (["a"], "Path must be a string"),
        ("/a", "Path must not begin with /"),
        ("a/", "Path improperly formatted: it contains an empty name (// or a trailing /)"),
        ("a//b", "Path improperly formatted: it contains an empty name (// or a trailing /)"),
        ("../a", "Path improperly formatted: '..' is not allowed as a name"),
        ("a/../b", "Path improperly formatted: '..' is not allowed as a name"),
        ("a/.", "Path improperly formatted: '.' is not allowed as a name"),
        ("a/.GIT/b", "Path improperly formatted: '.GIT' is not allowed as a name"),
        ("a\\b", "Path improperly formatted: it contains a backslash"),
        ("a\nb", "Path improperly formatted: it contains a control character"),
        ("a\u202eb", "Path improperly formatted: it contains a control character"),
        ("e\u0301", "Path improperly formatted: it is not in Unicode normalization form C; use '\u00e9'"),
        ("\u65e5/" * 256 + "x" * 2, "Path improperly formatted: it is longer than 1024 bytes"),
        ("x/" * 256 + "x", "Path improperly formatted: it is longer than 512 characters"),
        ("x" * 256, "Path improperly formatted: a name in it is longer than 255 bytes"),
    ],
)
def test_asset_is_refused_when_its_path_is_none(
    owner: Api, dataset: Dataset, new: dict[str, Any], path: object, answer: str
) -> None:
    before = position(dataset.number)
    response = owner.post(f"dandisets/{dataset.identifier}/versions/draft/assets/", at(new, path))
    assert (response.status_code, response.json()) == (400, answer)
    assert position(dataset.number) == before


@pytest.mark.parametrize("path", ["Sub-1/A.nwb", "SUB-1/a.nwb", "sub-1/a.NWB/b"])
def test_asset_is_refused_when_some_systems_cannot_tell_its_path_from_another(
    owner: Api, assets: str, asset: Asset, new: dict[str, Any], path: str
) -> None:
    response = owner.post(assets, at(new, path))
    assert response.status_code == 409
    assert response.json() == f'Some systems cannot tell path "{path}" from "sub-1/a.nwb"; please give it another name'


@pytest.mark.parametrize("path", ["a", ".hidden", "a/.x", "a b/(c),&#+~_=-[d]^", "größe/日本.nwb", "x/" * 255 + "x"])
def test_asset_is_added_when_its_path_is_unusual_but_right(
    owner: Api, assets: str, new: dict[str, Any], path: str
) -> None:
    asset_id = owner.post(assets, at(new, path)).json()["asset_id"]
    assert owner.get(f"assets/{asset_id}/info/").json()["path"] == path


def test_asset_is_refused_when_its_path_is_taken(owner: Api, assets: str, new: dict[str, Any]) -> None:
    owner.post(assets, new)
    response = owner.post(assets, new)
    assert (response.status_code, response.json()) == (409, "An asset with that path already exists")


@pytest.mark.parametrize(
    ("there", "path"),
    [("a", "a/b"), ("a", "a/b/c"), ("a/b", "a"), ("a/b/c", "a/b"), ("sub-1/sub-1.nwb", "sub-1"), ("a_%/b", "a_%")],
)
def test_asset_is_refused_with_what_is_there_when_its_path_is_both_file_and_folder(
    owner: Api, new: dict[str, Any], there: str, path: str
) -> None:
    dataset = make_dataset(owner.user)
    make_asset(dataset, there)
    before = position(dataset.number)
    response = owner.post(f"dandisets/{dataset.identifier}/versions/draft/assets/", at(new, path))
    assert response.status_code == 409
    assert response.json() == f"Path of new asset \"{path}\" conflicts with existing assets: ['{there}']"
    assert position(dataset.number) == before


def test_asset_is_not_made_of_a_blob_that_there_is_not(owner: Api, assets: str, new: dict[str, Any]) -> None:
    response = owner.post(assets, {**new, "blob_id": str(uuid4())})
    assert (response.status_code, response.json()) == (404, shapes.NOT_FOUND)


def test_asset_is_not_made_of_a_zarr_that_there_is_not(owner: Api, assets: str, new: dict[str, Any]) -> None:
    response = owner.post(assets, {"metadata": new["metadata"], "zarr_id": str(uuid4())})
    assert (response.status_code, response.json()) == (404, shapes.NOT_FOUND)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_asset_is_not_made_of_a_strangers_blob(owner: Api, dataset: Dataset, asset: Asset, method: str) -> None:
    hidden = make_asset(make_embargoed_dataset(make_user()), "secret.nwb")
    addresses = {"POST": "assets/", "PUT": f"assets/{asset.asset_id}/"}
    before = position(dataset.number)
    response = owner.send(
        method,
        f"dandisets/{dataset.identifier}/versions/draft/{addresses[method]}",
        {"blob_id": str(hidden.blob_id), "metadata": valid_asset_metadata("mine.nwb")},
    )
    assert (response.status_code, response.json()) == (404, shapes.NOT_FOUND)
    assert position(dataset.number) == before


def test_asset_is_made_of_a_strangers_blob_when_it_is_open(owner: Api, assets: str, new: dict[str, Any]) -> None:
    shared = make_asset(make_dataset(make_user()), "open.nwb")
    assert owner.post(assets, {**new, "blob_id": str(shared.blob_id)}).json()["blob"] == str(shared.blob_id)


# --- Replacing and removing -------------------------------------------------------------------------------------------


def test_replaced_asset_has_a_new_id(
    owner: Api, assets: str, asset: Asset, asset_body: dict[str, Any], anonymous: Api
) -> None:
    asset_body["metadata"]["keywords"] = ["changed"]
    response = owner.put(f"{assets}{asset.asset_id}/", asset_body)
    assert (response.status_code, set(response.json())) == (200, shapes.ASSET)
    assert response.json()["asset_id"] != str(asset.asset_id)
    assert anonymous.get(f"{assets}{asset.asset_id}/").status_code == 404


def test_asset_is_the_same_when_nothing_has_changed(
    owner: Api, dataset: Dataset, asset: Asset, asset_body: dict[str, Any]
) -> None:
    before = position(dataset.number)
    address = f"dandisets/{dataset.identifier}/versions/draft/assets/{asset.asset_id}/"
    assert owner.put(address, asset_body).json()["asset_id"] == str(asset.asset_id)
    assert position(dataset.number) == before


def test_asset_is_moved_by_another_path(owner: Api, assets: str, asset: Asset, asset_body: dict[str, Any]) -> None:
    moved = owner.put(f"{assets}{asset.asset_id}/", at(asset_body, "sub-1/a.nwb/now-a-folder")).json()
    assert moved["path"] == "sub-1/a.nwb/now-a-folder"
    assert [row["path"] for row in owner.get(assets).json()["results"]] == ["sub-1/a.nwb/now-a-folder"]


def test_asset_is_not_moved_when_the_path_is_taken(
    owner: Api, dataset: Dataset, asset: Asset, asset_body: dict[str, Any]
) -> None:
    make_asset(dataset, "b.nwb")
    before = position(dataset.number)
    address = f"dandisets/{dataset.identifier}/versions/draft/assets/{asset.asset_id}/"
    response = owner.put(address, at(asset_body, "b.nwb"))
    assert (response.status_code, response.json()) == (409, "An asset with that path already exists")
    assert position(dataset.number) == before


def test_removed_asset_is_gone_from_the_draft(owner: Api, assets: str, asset: Asset) -> None:
    response = owner.delete(f"{assets}{asset.asset_id}/")
    assert (response.status_code, response.content) == (204, b"")
    assert owner.get(assets).json()["results"] == []
    assert owner.delete(f"{assets}{asset.asset_id}/").status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_asset_of_another_dataset_is_not_found(
    owner: Api, dataset: Dataset, asset_body: dict[str, Any], method: str
) -> None:
    other = make_asset(make_dataset(owner.user), "other.nwb")
    response = owner.send(method, f"dandisets/{dataset.identifier}/versions/draft/assets/{other.asset_id}/", asset_body)
    assert (response.status_code, response.json()) == (404, shapes.NOT_FOUND)


def test_published_version_keeps_the_asset_that_the_draft_replaces(
    owner: Api, dataset: Dataset, asset: Asset, worker: Worker, asset_body: dict[str, Any]
) -> None:
    worker.run()
    versions = f"dandisets/{dataset.identifier}/versions/"
    owner.post(f"{versions}draft/publish/")
    worker.run()
    owner.put(f"{versions}draft/assets/{asset.asset_id}/", at(asset_body, "moved.nwb"))
    name = owner.get(f"dandisets/{dataset.identifier}/").json()["most_recent_published_version"]["version"]
    assert owner.get(f"{versions}{name}/assets/{asset.asset_id}/").json()["path"] == "sub-1/a.nwb"
    assert owner.get(f"assets/{asset.asset_id}/").json()["datePublished"]


# --- Showing ----------------------------------------------------------------------------------------------------------


def test_asset_is_the_same_by_both_of_its_addresses(anonymous: Api, assets: str, asset: Asset) -> None:
    nested, flat = f"{assets}{asset.asset_id}/", f"assets/{asset.asset_id}/"
    assert anonymous.get(nested).json() == anonymous.get(flat).json()
    assert anonymous.get(f"{nested}info/").json() == anonymous.get(f"{flat}info/").json()


def test_asset_itself_is_its_metadata(anonymous: Api, assets: str, asset: Asset) -> None:
    info = anonymous.get(f"{assets}{asset.asset_id}/info/").json()
    assert set(info) == shapes.ASSET
    assert anonymous.get(f"{assets}{asset.asset_id}/").json() == info["metadata"]


def test_validation_says_whether_an_asset_is_valid(anonymous: Api, assets: str, asset: Asset, worker: Worker) -> None:
    address = f"{assets}{asset.asset_id}/validation/"
    before = anonymous.get(address).json()
    worker.run()
    assert (before, anonymous.get(address).json()) == (
        {"status": "Pending", "validation_errors": [], "bids_issues": []},
        {"status": "Valid", "validation_errors": [], "bids_issues": []},
    )


def test_validation_says_what_is_wrong(anonymous: Api, dataset: Dataset, assets: str, worker: Worker) -> None:
    asset = make_asset(dataset, "a.nwb", approach="none")
    worker.run()
    answer = anonymous.get(f"{assets}{asset.asset_id}/validation/").json()
    assert answer["status"] == "Invalid"
    assert set(answer["validation_errors"][0]) == {"field", "message"}


# --- Listing ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(dataset: Dataset) -> None:
    for path in ("sub-2/b.nwb", "sub-1/a.nwb", "sub-1/a.txt", "SUB-3/100%_c.nwb"):
        make_asset(dataset, path)


def listed(caller: Api, assets: str, **query: Any) -> list[str]:
    return [row["path"] for row in caller.get(assets, query).json()["results"]]


def test_list_has_metadata_only_when_asked(anonymous: Api, assets: str, asset: Asset) -> None:
    without = anonymous.get(assets).json()
    assert set(without) == shapes.PAGE
    assert set(without["results"][0]) == shapes.ASSET_ROW
    with_metadata = anonymous.get(assets, {"metadata": True}).json()["results"][0]
    assert set(with_metadata) == shapes.ASSET
    assert with_metadata["metadata"] == anonymous.get(f"{assets}{asset.asset_id}/").json()


@pytest.mark.parametrize(
    ("order", "paths"),
    [
        ("", ["sub-2/b.nwb", "sub-1/a.nwb", "sub-1/a.txt", "SUB-3/100%_c.nwb"]),
        ("created", ["sub-2/b.nwb", "sub-1/a.nwb", "sub-1/a.txt", "SUB-3/100%_c.nwb"]),
        ("-created", ["SUB-3/100%_c.nwb", "sub-1/a.txt", "sub-1/a.nwb", "sub-2/b.nwb"]),
        ("-modified", ["SUB-3/100%_c.nwb", "sub-1/a.txt", "sub-1/a.nwb", "sub-2/b.nwb"]),
        ("path", ["SUB-3/100%_c.nwb", "sub-1/a.nwb", "sub-1/a.txt", "sub-2/b.nwb"]),
        ("-path", ["sub-2/b.nwb", "sub-1/a.txt", "sub-1/a.nwb", "SUB-3/100%_c.nwb"]),
    ],
)
def test_list_is_in_the_order_that_is_asked_for(
    anonymous: Api, assets: str, many: None, order: str, paths: list[str]
) -> None:
    assert listed(anonymous, assets, order=order) == paths


@pytest.mark.parametrize(
    ("path", "paths"),
    [
        ("sub-1/a.nwb", ["sub-1/a.nwb"]),
        ("sub-1/", ["sub-1/a.nwb", "sub-1/a.txt"]),
        ("SUB-1/A", ["sub-1/a.nwb", "sub-1/a.txt"]),
        ("sub-3", ["SUB-3/100%_c.nwb"]),
        ("ub-1", []),
        ("%", []),
        ("sub-_", []),
        (" sub-1", []),
    ],
)
def test_list_has_the_path_or_else_what_begins_with_it(
    anonymous: Api, assets: str, many: None, path: str, paths: list[str]
) -> None:
    assert listed(anonymous, assets, path=path, order="path") == paths


@pytest.mark.parametrize(
    ("glob", "paths"),
    [
        ("*.nwb", ["SUB-3/100%_c.nwb", "sub-1/a.nwb", "sub-2/b.nwb"]),
        ("SUB-1/*", ["sub-1/a.nwb", "sub-1/a.txt"]),
        ("sub*a*", ["sub-1/a.nwb", "sub-1/a.txt"]),
        ("*%_c*", ["SUB-3/100%_c.nwb"]),
        ("a.nwb", []),
        ("sub-1/a.n?b", []),
        ("sub-1/a.nw.", []),
        ("[s]ub*", []),
        ("(", []),
    ],
)
def test_list_has_what_the_pattern_matches_from_end_to_end(
    anonymous: Api, assets: str, many: None, glob: str, paths: list[str]
) -> None:
    assert listed(anonymous, assets, glob=glob, order="path") == paths


def test_list_has_no_zarrs_when_there_are_none(anonymous: Api, assets: str, many: None) -> None:
    assert anonymous.get(assets, {"zarr": True}).json()["count"] == 0


@pytest.mark.parametrize(("query", "field"), [("order=size", "order"), ("metadata=2", "metadata"), ("zarr=x", "zarr")])
def test_list_is_refused_when_the_query_is_wrong(anonymous: Api, assets: str, query: str, field: str) -> None:
    response = anonymous.get(f"{assets}?{query}")
    assert (response.status_code, list(response.json())) == (400, [field])


def test_there_is_no_list_of_all_assets(anonymous: Api) -> None:
    assert anonymous.get("assets/").status_code == 404
