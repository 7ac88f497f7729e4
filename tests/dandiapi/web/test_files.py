"""The file browser."""

import re
from urllib.parse import urlencode

import pytest

from archive.assets.services import change_assets
from archive.datasets.models import Dataset, Version
from tests.dandiapi.web.browser import Browser
from tests.dandiapi.web.queries import at_most
from tests.factories import make_asset, make_blob_row, make_zarr, make_zarr_asset, new_asset, owner_of, upload_zarr
from tests.worker import Worker


def test_root_shows_folders_and_files(anonymous: Browser, valid: Dataset) -> None:
    page = anonymous.read(f"/dandiset/{valid.identifier}/draft/files")
    assert ("?location=sub-1" in page, "z.nwb" in page, "a.nwb" in page) == (True, True, False)


@pytest.mark.parametrize("location", ["sub-1", "sub-1/", "/sub-1/"])
def test_folder_shows_what_is_in_it(anonymous: Browser, valid: Dataset, location: str) -> None:
    page = anonymous.read(f"/dandiset/{valid.identifier}/draft/files?location={location}")
    assert ("a.nwb" in page, "b.nwb" in page, "z.nwb" in page) == (True, True, False)


@pytest.mark.parametrize("location", ["\u00e9t\u00e9", "e\u0301te\u0301"])
def test_folder_is_found_in_whatever_form_its_name_comes(anonymous: Browser, dataset: Dataset, location: str) -> None:
    make_asset(dataset, "\u00e9t\u00e9/a.nwb")
    page = anonymous.read(f"/dandiset/{dataset.identifier}/draft/files?{urlencode({'location': location})}")
    assert "a.nwb" in page


def test_file_leads_to_its_bytes_and_metadata(anonymous: Browser, version: Version) -> None:
    asset = version.dataset.assets.get(path="z.nwb")
    page = anonymous.read(f"/dandiset/{version}/files")
    links = [
        f"/api/assets/{asset.asset_id}/download/",
        f"/api/dandisets/{version.dataset.identifier}/versions/{version.version}/assets/{asset.asset_id}/",
    ]
    assert [link for link in links if f'href="{link}"' not in page] == []
    assert [anonymous.open(link).status_code for link in links] == [302, 200]


def test_archive_leads_to_its_files(anonymous: Browser, dataset: Dataset, worker: Worker) -> None:
    zarr = make_zarr(dataset)
    asset = make_zarr_asset(zarr, "image.ome.zarr")
    upload_zarr(worker, zarr)
    asset.refresh_from_db()
    link = f"/api/zarr/{asset.content_id}/files/"
    assert f'href="{link}"' in anonymous.read(f"/dandiset/{dataset.identifier}/draft/files")
    assert anonymous.open(link).status_code == 200


def test_published_version_shows_the_files_that_it_has(anonymous: Browser, version: Version) -> None:
    make_asset(version.dataset, "new.nwb")
    assert "new.nwb" not in anonymous.read(f"/dandiset/{version}/files")
    assert "new.nwb" in anonymous.read(f"/dandiset/{version.dataset.identifier}/draft/files")


def test_names_with_special_characters_lead_where_they_say(anonymous: Browser, dataset: Dataset) -> None:
    folder = "a b&c=d/ü%20?#+<b>"
    make_asset(dataset, f"{folder}/x.nwb")
    page = anonymous.read(f"/dandiset/{dataset.identifier}/draft/files?{urlencode({'location': 'a b&c=d'})}")
    link = f"?location={urlencode({'': folder}).removeprefix('=').replace('+', '%20')}"
    assert link in page
    assert "x.nwb" in anonymous.read(f"/dandiset/{dataset.identifier}/draft/files{link}")
    assert "<b>" not in page


def test_folder_names_its_way_up(anonymous: Browser, dataset: Dataset) -> None:
    make_asset(dataset, "a/b/c/x.nwb")
    page = anonymous.read(f"/dandiset/{dataset.identifier}/draft/files?location=a/b/c")
    assert re.findall(r'"[^"]*location=([^"]*)"', page) == ["a", "a%2Fb"]
    assert '<span aria-current="page">c</span>' in page


def test_empty_version_says_so(anonymous: Browser, dataset: Dataset) -> None:
    assert "There are no files yet." in anonymous.read(f"/dandiset/{dataset.identifier}/draft/files")


@pytest.mark.parametrize("location", ["nowhere", "z.nwb", "sub", "sub-1/a.nwb", "../x"])
def test_folder_that_does_not_exist_is_not_found(anonymous: Browser, valid: Dataset, location: str) -> None:
    assert anonymous.open(f"/dandiset/{valid.identifier}/draft/files?location={location}").status_code == 404


@pytest.fixture
def many(dataset: Dataset) -> str:
    """The address of the files of a draft with 150 files."""
    actor = owner_of(dataset)
    assert actor.user
    added = [new_asset(f"{number:03}.nwb", make_blob_row(actor.user)) for number in range(150)]
    change_assets(actor=actor, dataset=dataset, add=added)
    return f"/dandiset/{dataset.identifier}/draft/files"


def test_files_have_pages_of_100(anonymous: Browser, many: str) -> None:
    first, second = anonymous.read(many), anonymous.read(f"{many}?page=2")
    assert ("099.nwb" in first, "100.nwb" in first, "Page 1 of 2" in first) == (True, False, True)
    assert ("099.nwb" in second, "100.nwb" in second) == (False, True)
    assert anonymous.open(f"{many}?page=3").status_code == 404


def test_files_ask_few_queries_however_many_there_are(owner: Browser, many: str) -> None:
    with at_most(6):
        owner.read(many)
