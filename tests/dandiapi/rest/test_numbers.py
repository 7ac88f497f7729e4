"""Numbers in requests that are longer than any number here may be: a 400 that names them, at every door."""

import base64
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from django.test import Client

from archive.assets.models import Asset
from archive.datasets.models import Dataset
from archive.errors import InvalidError
from dandiapi.git.words import number
from tests.dandiapi.rest.api import Api
from tests.factories import make_asset

LONG = "9" * 5000
LISTS = [
    "dandisets/",
    "dandisets/search/",
    "search/species/",
    "dandisets/000001/uploads/",
    "dandisets/000001/reviewer-links/",
    "dandisets/000001/versions/",
    "dandisets/000001/versions/draft/assets/",
    "dandisets/000001/versions/draft/assets/paths/",
    "dandisets/000001/repository/versions/",
    "zarr/",
    "jobs/",
    "webdav/assets/atpath/?dandiset_id=000001&version_id=draft&children=true",
]
OTHERS = [
    ("dandisets/search/", "file_size_min"),
    ("dandisets/search/", "file_size_max"),
    ("jobs/", "dandiset"),
    ("zarr/", "dandiset"),
    ("dandisets/000001/versions/draft/diff/draft/", "limit"),
    ("audit/events/asset/", "page_size"),
    ("webdav/assets/atpath/?version_id=draft", "dandiset_id"),
]


def with_number(address: str, name: str, text: str = LONG) -> str:
    return f"{address}{'&' if '?' in address else '?'}{name}={text}"


@pytest.fixture
def folder(dataset: Dataset) -> Asset:
    """A dataset that is the first, with something in it."""
    return make_asset(dataset, "sub-1/a.nwb")


@pytest.mark.parametrize("name", ["page", "page_size"])
@pytest.mark.parametrize("address", LISTS)
def test_list_refuses_a_number_that_is_too_long(owner: Api, folder: Asset, address: str, name: str) -> None:
    answer = owner.get(with_number(address, name))
    assert (answer.status_code, list(answer.json())) == (400, [name])


@pytest.mark.parametrize(("address", "name"), OTHERS)
def test_query_refuses_a_number_that_is_too_long(admin: Api, folder: Asset, address: str, name: str) -> None:
    assert admin.get(with_number(address, name)).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"contentSize": LONG[:900], "digest": {"algorithm": "dandi:dandi-etag", "value": "0" * 32 + "-1"}},
        {"contentSize": 1, "digest": {"algorithm": "dandi:dandi-etag", "value": "0" * 32 + f"-{LONG[:90]}"}},
        {"contentSize": LONG, "digest": {"algorithm": "dandi:dandi-etag", "value": "0" * 32 + "-1"}},
    ],
)
def test_upload_refuses_a_number_that_is_too_long(owner: Api, folder: Asset, body: dict[str, Any]) -> None:
    assert owner.post("uploads/initialize/", body | {"dandiset": "000001"}).status_code == 400


def test_body_with_a_number_that_is_too_long_is_refused(owner: Api, folder: Asset) -> None:
    body = orjson.dumps({"contentSize": 1, "dandiset": "000001"}).replace(b":1", f":{LONG}".encode())
    assert owner.send_raw("POST", "uploads/initialize/", body).status_code == 400


@pytest.mark.parametrize("place", ['["2026-01-01T00:00:00+00:00", 1e999, "a", false]', f"[{LONG}]", "[1,2]"])
def test_cursor_that_nobody_was_given_is_not_found(admin: Api, place: str) -> None:
    cursor = base64.urlsafe_b64encode(place.encode()).decode()
    assert admin.get(f"audit/events/asset/?cursor={quote(cursor)}").status_code == 404


@pytest.mark.parametrize("address", ["/?page=", "/dandiset/000001/draft/files?page=", "/dandiset/my?page="])
def test_page_with_a_number_that_is_too_long_is_not_found(owner: Api, folder: Asset, address: str) -> None:
    browser = Client()
    browser.force_login(owner.user, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(f"{address}{LONG}").status_code == 404


@pytest.mark.parametrize("address", [f"/account/tokens/{LONG}/revoke", f"/account/tokens/{'9' * 4000}/revoke"])
def test_token_with_a_number_that_is_too_long_is_not_found(owner: Api, address: str) -> None:
    browser = Client()
    browser.force_login(owner.user, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.post(address).status_code == 404


@pytest.mark.parametrize("query", ["p", "q", "o", "dataset_id", "e"])
def test_admin_takes_no_harm_from_a_number_that_is_too_long(admin: Api, folder: Asset, query: str) -> None:
    browser = Client()
    browser.force_login(admin.user, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get(f"/admin/archive/asset/?{query}={LONG}").status_code < 500
    assert browser.get(f"/admin/archive/asset/{LONG}/change/").status_code < 500


def test_annex_refuses_a_number_that_is_too_long() -> None:
    with pytest.raises(InvalidError, match="whole number"):
        number(LONG, "offset")
