"""Zarr archives and their files (docs/dialects/dandi.md#zarr-archives)."""

import base64
import hashlib
from typing import Any
from uuid import uuid4

import httpx
import pytest

from archive.datasets.models import Dataset
from archive.zarr.models import ZarrArchive
from archive.zarr.services import MAX_ENTRIES
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.factories import (
    make_asset,
    make_dataset,
    make_published_version,
    make_user,
    make_zarr,
    make_zarr_asset,
    upload_zarr,
    valid_asset_metadata,
)
from tests.factories.zarr import FILES, announce, md5, put
from tests.worker import Worker

ZARR = {"name", "dandiset", "zarr_id", "status", "checksum", "file_count", "size", "missing"}
BUSY = "Zarr archive is currently ingesting or has already ingested"
PATH = "sub-1/a.ome.zarr"


@pytest.fixture
def zarr(dataset: Dataset) -> ZarrArchive:
    """An archive of the owner's, without files."""
    return make_zarr(dataset)


@pytest.fixture
def full(zarr: ZarrArchive, worker: Worker) -> ZarrArchive:
    """The same, with files in it."""
    return upload_zarr(worker, zarr)


@pytest.fixture
def files(zarr: ZarrArchive) -> str:
    """The address of its files."""
    return f"zarr/{zarr.id}/files/"


def base64md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def keys(response: Any) -> list[str]:
    return [file["Key"] for file in response.json()["results"]]


# --- Archives ---------------------------------------------------------------------------------------------------------


def test_archive_is_made_and_shown(owner: Api, anonymous: Api, dataset: Dataset) -> None:
    response = owner.post("zarr/", {"name": PATH, "dandiset": dataset.identifier})
    made = response.json()
    assert (response.status_code, made.keys()) == (200, ZARR)
    assert (made["name"], made["dandiset"], made["status"]) == (PATH, dataset.identifier, "Pending")
    assert (made["checksum"], made["file_count"], made["size"]) == (None, 0, 0)
    assert anonymous.get(f"zarr/{made['zarr_id']}/").json() == made


def test_archive_of_a_taken_name_is_refused_in_the_words_that_clients_look_for(
    owner: Api, dataset: Dataset, zarr: ZarrArchive
) -> None:
    response = owner.post("zarr/", {"name": zarr.name, "dandiset": dataset.identifier})
    refused = {"non_field_errors": ["The fields dandiset, name must make a unique set."]}
    assert (response.status_code, response.json()) == (400, refused)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": PATH}, "dandiset"),
        ({"name": PATH, "dandiset": "x"}, "dandiset"),
        ({"dandiset": "000001"}, "name"),
        ({"name": "", "dandiset": "000001"}, "name"),
        ({"name": "x" * 513, "dandiset": "000001"}, "name"),
    ],
)
def test_archive_needs_a_name_and_a_dataset(owner: Api, body: dict[str, str], field: str) -> None:
    response = owner.post("zarr/", body)
    assert (response.status_code, response.json().keys()) == (400, {field})


def test_archives_are_listed_by_dataset_and_name(anonymous: Api, dataset: Dataset, zarr: ZarrArchive) -> None:
    other = make_zarr(dataset, "other.zarr")
    make_zarr(make_dataset(), zarr.name)
    everything = anonymous.get("zarr/").json()
    of_dataset = anonymous.get("zarr/", {"dandiset": dataset.identifier}).json()
    of_name = anonymous.get("zarr/", {"dandiset": dataset.identifier, "name": zarr.name}).json()
    assert (everything.keys(), everything["count"]) == (shapes.PAGE, 3)
    assert [row["zarr_id"] for row in of_dataset["results"]] == [str(zarr.id), str(other.id)]
    assert [row["zarr_id"] for row in of_name["results"]] == [str(zarr.id)]


@pytest.mark.usefixtures("embargoed")
def test_embargoed_archives_are_listed_for_their_owners(
    owner: Api, stranger: Api, anonymous: Api, zarr: ZarrArchive
) -> None:
    assert [caller.get("zarr/").json()["count"] for caller in (owner, stranger, anonymous)] == [1, 0, 0]


# --- Uploading --------------------------------------------------------------------------------------------------------


def test_archive_is_complete_after_upload_finalize_and_work(
    owner: Api, zarr: ZarrArchive, files: str, worker: Worker
) -> None:
    response = owner.post(files, [{"path": ".zattrs", "base64md5": base64md5(b"{}")}])
    [url] = response.json()
    httpx.put(url, content=b"{}", headers={"Content-MD5": base64md5(b"{}")}).raise_for_status()
    finalized = owner.post(f"zarr/{zarr.id}/finalize/")
    assert (finalized.status_code, finalized.content) == (204, b"")
    assert owner.get(f"zarr/{zarr.id}/").json()["status"] == "Uploaded"
    worker.run()
    complete = owner.get(f"zarr/{zarr.id}/").json()
    assert (complete["status"], complete["file_count"], complete["size"]) == ("Complete", 1, 2)


def test_urls_come_in_the_order_of_the_request(owner: Api, zarr: ZarrArchive, files: str) -> None:
    contents = [b"c", b"a", b"b"]
    body = [{"path": f"{number}", "base64md5": base64md5(each)} for number, each in enumerate(contents)]
    urls = owner.post(files, body).json()
    assert [httpx.URL(url).path.rpartition("/")[2] for url in urls] == [md5(each).hexdigest() for each in contents]


def test_store_refuses_content_of_another_md5(owner: Api, files: str) -> None:
    [url] = owner.post(files, [{"path": "0", "base64md5": base64md5(b"announced")}]).json()
    assert httpx.put(url, content=b"other", headers={"Content-MD5": base64md5(b"announced")}).status_code == 400


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, {"non_field_errors": ["Expected a list of items."]}),
        ([1], [{"non_field_errors": ["Expected an object."]}]),
        ([{"path": "a"}], [{"base64md5": ["Must be a string."]}]),
        ([{"path": 1, "base64md5": "x"}], [{"path": ["Must be a string."]}]),
        ([{"path": "a", "base64md5": "x"}], "Entry 'a': the MD5 must be 16 bytes in base64."),
    ],
)
def test_bad_request_for_urls_says_what_is_wrong(owner: Api, files: str, body: Any, answer: Any) -> None:
    response = owner.post(files, body)
    assert (response.status_code, response.json()) == (400, answer)


@pytest.mark.parametrize("path", ["../a", "a/../b", "..\\a", "a\\..\\b", "/a", "a//b", "x" * 1025])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_path_that_climbs_out_is_refused_by_its_name(owner: Api, files: str, path: str, method: str) -> None:
    response = owner.send(method, files, [{"path": path, "base64md5": base64md5(b"")}])
    assert response.status_code == 400
    assert f"Entry {path[:100]!r}: " in "".join(response.json())


def test_files_are_not_changed_between_finalize_and_ingest(owner: Api, full: ZarrArchive, files: str) -> None:
    owner.post(files, [{"path": "0", "base64md5": base64md5(b"")}])
    owner.post(f"zarr/{full.id}/finalize/")
    answers = [
        owner.post(files, [{"path": "1", "base64md5": base64md5(b"")}]),
        owner.post(f"zarr/{full.id}/finalize/"),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(400, BUSY)] * 2
    assert owner.send("DELETE", files, [{"path": ".zattrs"}]).status_code == 400


def test_complete_archive_is_not_finalized(owner: Api, full: ZarrArchive) -> None:
    response = owner.post(f"zarr/{full.id}/finalize/")
    assert (response.status_code, response.json()) == (400, BUSY)


def test_files_are_deleted_all_or_none(owner: Api, full: ZarrArchive, files: str) -> None:
    refused = owner.send("DELETE", files, [{"path": ".zattrs"}, {"path": "nowhere"}])
    assert (refused.status_code, refused.json()) == (400, ["File nowhere does not exist."])
    assert owner.get(f"zarr/{full.id}/").json()["status"] == "Complete"
    deleted = owner.send("DELETE", files, [{"path": ".zattrs"}, {"path": "0/0/0"}])
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert owner.get(f"zarr/{full.id}/").json()["status"] == "Pending"
    assert keys(owner.get(files)) == ["0/.zarray", "0/0/1"]


# --- Reading ----------------------------------------------------------------------------------------------------------


def test_files_are_listed_as_the_store_would(anonymous: Api, full: ZarrArchive, files: str) -> None:
    answer = anonymous.get(files).json()
    assert (answer["next"], [file["Key"] for file in answer["results"]]) == (None, sorted(FILES))
    first = answer["results"][0]
    assert first.keys() == {"Key", "LastModified", "ETag", "Size"}
    assert (first["ETag"], first["Size"]) == (md5(b"{}").hexdigest(), 2)


def test_files_are_paged_by_key(anonymous: Api, full: ZarrArchive, files: str) -> None:
    address, pages = f"/api/{files}?limit=3", []
    while address:
        answer = anonymous.client.get(address).json()
        pages.append([file["Key"] for file in answer["results"]])
        address = answer["next"]
    assert pages == [[".zattrs", "0/.zarray", "0/0/0"], ["0/0/1"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"prefix": "0"}, ["0/.zarray", "0/0/0", "0/0/1"]),
        ({"prefix": "0/0/"}, ["0/0/0", "0/0/1"]),
        ({"prefix": "0/0", "after": "0/0/0"}, ["0/0/1"]),
        ({"prefix": "%"}, []),
        ({"after": "~"}, []),
        ({"limit": 0}, []),
    ],
)
def test_files_are_chosen_by_prefix_and_after(
    anonymous: Api, full: ZarrArchive, files: str, query: dict[str, Any], found: list[str]
) -> None:
    assert keys(anonymous.get(files, query)) == found


@pytest.mark.parametrize("query", [{"limit": -1}, {"limit": 1001}, {"limit": "x"}, {"download": "x"}])
def test_files_are_not_listed_for_a_bad_query(anonymous: Api, zarr: ZarrArchive, files: str, query: Any) -> None:
    assert anonymous.get(files, query).status_code == 400


def test_owner_sees_what_has_arrived_and_others_what_is_complete(
    owner: Api, anonymous: Api, full: ZarrArchive, files: str
) -> None:
    announce(full, {"here": b"here", "not here": b"not here"})
    put(full, b"here")
    assert keys(owner.get(files)) == [*sorted(FILES), "here"]
    assert keys(anonymous.get(files)) == sorted(FILES)


def test_file_is_downloaded_by_a_redirect(anonymous: Api, full: ZarrArchive, files: str) -> None:
    response = anonymous.get(files, {"prefix": "0/0/0", "download": True})
    assert (response.status_code, httpx.get(response["Location"]).content) == (302, b"first chunk")


@pytest.mark.parametrize("question", ["prefix=0/0/0", "prefix=0/0/0&download=true"])
def test_file_is_asked_for_by_a_redirect(anonymous: Api, full: ZarrArchive, files: str, question: str) -> None:
    response = anonymous.head(f"{files}?{question}")
    asked = httpx.head(response["Location"])
    assert (response.status_code, asked.status_code, asked.headers["Content-Length"]) == (302, 200, "11")


@pytest.mark.parametrize("prefix", ["", "0/0", "nowhere"])
def test_file_that_is_not_there_is_not_found(anonymous: Api, full: ZarrArchive, files: str, prefix: str) -> None:
    assert anonymous.get(files, {"prefix": prefix, "download": True}).status_code == 404
    assert anonymous.head(f"{files}?download=true&prefix={prefix}").status_code == 404


@pytest.mark.parametrize("path", [".zattrs", "0/0/0"])
def test_content_of_an_open_archive_is_at_a_lasting_address(anonymous: Api, full: ZarrArchive, path: str) -> None:
    response = anonymous.get(f"zarr/{full.id}/content/{path}")
    assert (response.status_code, "?" in response["Location"]) == (302, False)
    assert httpx.get(response["Location"]).content == FILES[path]


def test_files_are_found_in_whatever_form_their_names_come(
    anonymous: Api, files: str, zarr: ZarrArchive, worker: Worker
) -> None:
    upload_zarr(worker, zarr, {"\u00e9t\u00e9/0": b"summer"})
    asked = "e\u0301te\u0301/0"
    assert httpx.get(anonymous.get(f"zarr/{zarr.id}/content/{asked}")["Location"]).content == b"summer"
    assert keys(anonymous.get(files, {"prefix": asked})) == keys(anonymous.get(files))
    assert anonymous.get(files, {"prefix": asked, "download": True}).status_code == 302


@pytest.mark.usefixtures("embargoed")
def test_content_of_an_embargoed_archive_is_signed(owner: Api, anonymous: Api, full: ZarrArchive) -> None:
    address = f"zarr/{full.id}/content/.zattrs"
    assert httpx.get(owner.get(address)["Location"]).content == b"{}"
    assert httpx.head(owner.head(address)["Location"]).status_code == 200
    assert httpx.get(owner.get(address)["Location"].partition("?")[0]).status_code in {200, 403}
    assert anonymous.get(address).status_code == 401


@pytest.mark.parametrize("path", ["nowhere", "0", "../x", "0/0/0/0"])
def test_content_that_is_not_there_is_not_found(anonymous: Api, full: ZarrArchive, path: str) -> None:
    assert anonymous.get(f"zarr/{full.id}/content/{path}").status_code == 404


# --- Assets -----------------------------------------------------------------------------------------------------------


def test_asset_is_made_before_there_is_data(owner: Api, draft: str, zarr: ZarrArchive) -> None:
    body = {"zarr_id": str(zarr.id), "metadata": valid_asset_metadata(PATH)}
    response = owner.post(f"{draft}assets/", body)
    asset = response.json()
    assert (response.status_code, asset.keys()) == (200, shapes.ASSET)
    assert (asset["zarr"], asset["blob"], asset["size"]) == (str(zarr.id), None, 0)
    assert asset["metadata"]["digest"] == {"dandi:dandi-zarr-checksum": None}


def test_asset_is_not_made_of_another_datasets_archive(owner: Api, draft: str) -> None:
    elsewhere = make_zarr(make_dataset(make_user()))
    response = owner.post(f"{draft}assets/", {"zarr_id": str(elsewhere.id), "metadata": valid_asset_metadata(PATH)})
    assert (response.status_code, response.json()) == (400, "The zarr archive belongs to a different dandiset")


def test_asset_keeps_its_id_when_its_archive_is_ingested(
    owner: Api, draft: str, zarr: ZarrArchive, worker: Worker
) -> None:
    asset = make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    [row] = owner.get(f"{draft}assets/").json()["results"]
    assert (row["asset_id"], row["size"]) == (str(asset.asset_id), sum(map(len, FILES.values())))


def test_filter_finds_zarr_assets(anonymous: Api, draft: str, dataset: Dataset, zarr: ZarrArchive) -> None:
    make_asset(dataset, "sub-1/a.nwb")
    make_zarr_asset(zarr)
    found = anonymous.get(f"{draft}assets/", {"zarr": True, "page_size": 1}).json()
    assert (found["count"], [row["path"] for row in found["results"]]) == (1, [PATH])


def test_folder_leads_to_the_content_of_a_zarr_asset(anonymous: Api, draft: str, full: ZarrArchive) -> None:
    asset = make_zarr_asset(full)
    [child] = anonymous.get(f"{draft}assets/paths/", {"path_prefix": "sub-1"}).json()["results"]
    assert child["asset"]["url"].endswith(f"/api/zarr/{asset.zarr_revision_id}/content/")


def test_zarr_asset_is_not_downloaded_as_one_file(anonymous: Api, full: ZarrArchive) -> None:
    response = anonymous.get(f"assets/{make_zarr_asset(full).asset_id}/download/")
    assert response.status_code == 400
    assert "Zarr archive" in response.json()


@pytest.fixture
def old_version(full: ZarrArchive, dataset: Dataset, worker: Worker) -> str:
    """The address of a version that shows the archive as it was before it was changed."""
    make_zarr_asset(full)
    worker.run()
    version = make_published_version(worker, dataset).version
    upload_zarr(worker, full, {".zattrs": b"{'edited': true}", "new": b"new"})
    return f"dandisets/{dataset.identifier}/versions/{version}/"


@pytest.mark.parametrize("metadata", [True, False])
def test_version_names_a_zarr_that_stays_as_it_was(anonymous: Api, old_version: str, metadata: bool) -> None:
    [asset] = anonymous.get(f"{old_version}assets/", {"metadata": metadata}).json()["results"]
    listed = anonymous.get(f"zarr/{asset['zarr']}/files").json()["results"]
    assert {file["Key"]: file["ETag"] for file in listed} == {
        path: md5(content).hexdigest() for path, content in FILES.items()
    }
    detail = anonymous.get(f"zarr/{asset['zarr']}/").json()
    assert (detail["zarr_id"], detail["status"], detail["file_count"]) == (asset["zarr"], "Complete", len(FILES))


def test_version_of_an_archive_is_not_changed(owner: Api, old_version: str) -> None:
    [asset] = owner.get(f"{old_version}assets/").json()["results"]
    answers = [
        owner.post(f"zarr/{asset['zarr']}/files/", [{"path": "a", "base64md5": base64md5(b"")}]),
        owner.send("DELETE", f"zarr/{asset['zarr']}/files/", [{"path": ".zattrs"}]),
        owner.post(f"zarr/{asset['zarr']}/finalize/"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 3


def test_flat_asset_of_an_old_version_names_its_revision(anonymous: Api, old_version: str) -> None:
    [asset] = anonymous.get(f"{old_version}assets/").json()["results"]
    flat = anonymous.get(f"assets/{asset['asset_id']}/info/").json()
    assert flat["zarr"] == asset["zarr"]
    content = anonymous.get(f"zarr/{flat['zarr']}/content/.zattrs")["Location"]
    assert httpx.get(content).content == b"{}"


def test_archive_that_there_is_not_is_not_found(anonymous: Api) -> None:
    assert anonymous.get(f"zarr/{uuid4()}/").json() == shapes.NOT_FOUND


TOO_MANY = f"A request names at most {MAX_ENTRIES} entries; this one names {MAX_ENTRIES + 1}."


@pytest.mark.parametrize(("method", "answer"), [("POST", TOO_MANY), ("DELETE", [TOO_MANY])])
def test_cheap_request_names_no_more_entries_than_may_be(owner: Api, files: str, method: str, answer: Any) -> None:
    entry = {"path": "a", "base64md5": base64md5(b"")}
    response = owner.send(method, files, [entry] * (MAX_ENTRIES + 1))
    assert (response.status_code, response.json()) == (400, answer)
