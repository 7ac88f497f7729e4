"""Folders and files in the shape that DANDI's WebDAV server reads (docs/dialects/dandi.md#webdav)."""

from typing import Any, Literal
from unicodedata import normalize

import pytest

from archive.datasets.models import Dataset
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.dandiapi.rest.world import embargo
from tests.factories import make_asset

ADDRESS = "webdav/assets/atpath/"


@pytest.fixture
def files(dataset: Dataset) -> None:
    for path in ["sub-1/a.nwb", "sub-1/b.nwb", "sub-1/ses-1/c.nwb", "sub-2/d.nwb", "top.txt"]:
        make_asset(dataset, path)


@pytest.fixture
def query(dataset: Dataset, files: None) -> dict[str, Any]:
    return {"dandiset_id": dataset.identifier, "version_id": "draft"}


def _listed(caller: Api, query: dict[str, Any], **more: Any) -> list[str]:
    return [entry["resource"]["path"] for entry in caller.get(ADDRESS, query | more).json()["results"]]


def test_root_is_empty_without_its_children(anonymous: Api, query: dict[str, Any]) -> None:
    assert _listed(anonymous, query) == []
    assert _listed(anonymous, query, children=True) == ["sub-1", "sub-2", "top.txt"]


@pytest.mark.parametrize("path", ["sub-1", "sub-1/"])
def test_folder_comes_before_its_children(anonymous: Api, query: dict[str, Any], path: str) -> None:
    assert _listed(anonymous, query, path=path) == ["sub-1"]
    expected = ["sub-1", "sub-1/a.nwb", "sub-1/b.nwb", "sub-1/ses-1"]
    assert _listed(anonymous, query, path=path, children=True) == expected


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_entry_is_found_in_whatever_form_its_name_comes(
    anonymous: Api, dataset: Dataset, query: dict[str, Any], form: Literal["NFC", "NFD"]
) -> None:
    make_asset(dataset, "\u00e9t\u00e9/\u00e0.nwb")
    folder, file = (normalize(form, path) for path in ("\u00e9t\u00e9", "\u00e9t\u00e9/\u00e0.nwb"))
    assert _listed(anonymous, query, path=folder, children=True) == ["\u00e9t\u00e9", "\u00e9t\u00e9/\u00e0.nwb"]
    assert _listed(anonymous, query, path=file) == ["\u00e9t\u00e9/\u00e0.nwb"]


def test_file_is_found_in_any_case_when_none_is_called_just_so(
    anonymous: Api, dataset: Dataset, query: dict[str, Any]
) -> None:
    assert _listed(anonymous, query, path="Sub-1/A.NWB") == ["sub-1/a.nwb"]
    assert _listed(anonymous, query, path="sub-1/a.nwb") == ["sub-1/a.nwb"]


def test_pages_go_on_where_the_last_ended(anonymous: Api, query: dict[str, Any]) -> None:
    of_folder = query | {"path": "sub-1", "children": True, "page_size": 3}
    first = anonymous.get(ADDRESS, of_folder).json()
    assert (first["count"], len(first["results"]), first["previous"]) == (4, 3, None)
    assert _listed(anonymous, of_folder, page=2) == ["sub-1/ses-1"]
    assert anonymous.get(ADDRESS, of_folder | {"page": 3}).status_code == 404


def test_entries_have_the_fields_of_the_dialect(anonymous: Api, query: dict[str, Any]) -> None:
    file, folder = (_entry(anonymous, query, path) for path in ("top.txt", "sub-1"))
    assert (file["type"], set(file["resource"])) == ("asset", shapes.ASSET_ROW)
    assert folder == {"type": "folder", "resource": {"path": "sub-1", "total_assets": 3, "total_size": 3}}


def _entry(caller: Api, query: dict[str, Any], path: str) -> Any:
    [entry] = caller.get(ADDRESS, query | {"path": path}).json()["results"]
    return entry


def test_entries_have_metadata_if_asked_for(anonymous: Api, query: dict[str, Any]) -> None:
    entries = anonymous.get(ADDRESS, query | {"metadata": True, "children": True}).json()["results"]
    assert [entry["resource"]["metadata"]["path"] for entry in entries if entry["type"] == "asset"] == ["top.txt"]
    assert set(_entry(anonymous, query | {"metadata": True}, "top.txt")["resource"]) == shapes.ASSET


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("nothing", "Folder or asset not found at nothing"),
        ("sub", "Folder or asset not found at sub"),
        ("top.txt/", "Folder not found at top.txt/"),
    ],
)
def test_path_that_is_not_there_is_not_found(anonymous: Api, query: dict[str, Any], path: str, detail: str) -> None:
    response = anonymous.get(ADDRESS, query | {"path": path})
    assert (response.status_code, response.json()) == (404, {"detail": detail})


@pytest.mark.parametrize("left_out", ["dandiset_id", "version_id"])
def test_what_is_required_is_missed(anonymous: Api, query: dict[str, Any], left_out: str) -> None:
    query.pop(left_out)
    response = anonymous.get(ADDRESS, query)
    assert (response.status_code, list(response.json())) == (400, [left_out])


def test_embargoed_is_forbidden_even_to_who_is_not_signed_in(
    anonymous: Api, owner: Api, dataset: Dataset, query: dict[str, Any]
) -> None:
    embargo(dataset)
    assert anonymous.get(ADDRESS, query).status_code == 403
    assert owner.get(ADDRESS, query).status_code == 200


def test_document_of_webdav_is_the_one_document(anonymous: Api) -> None:
    response = anonymous.get("webdav/docs/swagger/")
    assert (response.status_code, response["Location"]) == (301, "/api/docs/swagger/")
