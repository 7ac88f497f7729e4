"""Downloads: redirects to the store (docs/dialects/dandi.md#assets)."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from archive.assets.models import Asset
from archive.datasets.models import Dataset
from tests.dandiapi.rest.api import Api
from tests.factories import make_asset, make_blob

CONTENT = b"What a mouse saw.\n"


@pytest.fixture
def stored(dataset: Dataset) -> Asset:
    """An asset whose bytes are in the store."""
    return make_asset(dataset, "sub-1/größe 1.txt", blob=make_blob(dataset, CONTENT), encodingFormat="text/plain")


def address(asset: Asset, disposition: str = "") -> str:
    return f"assets/{asset.asset_id}/download/{disposition}"


def signed(caller: Api, asset: Asset, disposition: str = "") -> dict[str, list[str]]:
    return parse_qs(urlsplit(caller.get(address(asset, disposition))["Location"]).query)


def test_download_leads_to_the_bytes(anonymous: Api, stored: Asset) -> None:
    response = anonymous.get(address(stored))
    assert (response.status_code, response.content) == (302, b"")
    answer = httpx.get(response["Location"], trust_env=False)
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_download_leads_to_a_part_of_the_bytes(anonymous: Api, stored: Asset) -> None:
    answer = httpx.get(anonymous.get(address(stored))["Location"], headers={"Range": "bytes=7-11"}, trust_env=False)
    assert (answer.status_code, answer.content) == (206, CONTENT[7:12])


def test_download_is_the_same_by_both_addresses(anonymous: Api, draft: str, stored: Asset) -> None:
    nested = urlsplit(anonymous.get(f"{draft}assets/{stored.asset_id}/download/")["Location"])
    flat = urlsplit(anonymous.get(address(stored))["Location"])
    assert (nested.netloc, nested.path) == (flat.netloc, flat.path)


@pytest.mark.parametrize("disposition", ["", "?content_disposition=inline"])
def test_download_is_asked_for_with_head(anonymous: Api, draft: str, stored: Asset, disposition: str) -> None:
    for place in (address(stored, disposition), f"{draft}{address(stored, disposition)}"):
        assert_head_is_that_of_get(anonymous, place)


@pytest.mark.usefixtures("embargoed")
def test_download_of_what_is_embargoed_is_asked_for_with_head(owner: Api, draft: str, stored: Asset) -> None:
    for place in (address(stored), f"{draft}{address(stored)}"):
        assert_head_is_that_of_get(owner, place)


def assert_head_is_that_of_get(caller: Api, place: str) -> None:
    asked, given = caller.head(place)["Location"], caller.get(place)["Location"]
    head, get = httpx.head(asked, trust_env=False), httpx.get(given, trust_env=False)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(CONTENT)))
    assert (head.headers["ETag"], head.headers["Accept-Ranges"]) == (get.headers["ETag"], "bytes")
    # The name and the type that the store is to give it are in the address.
    assert _given_by_address(asked) == _given_by_address(given)


def _given_by_address(url: str) -> dict[str, list[str]]:
    return {name: value for name, value in parse_qs(urlsplit(url).query).items() if name.startswith("response-")}


@pytest.mark.parametrize("disposition", ["", "?content_disposition=attachment"])
def test_download_is_an_attachment_under_its_own_name(anonymous: Api, asset: Asset, disposition: str) -> None:
    assert signed(anonymous, asset, disposition)["response-content-disposition"] == ['attachment; filename="a.nwb"']


def test_download_keeps_a_name_that_is_not_ascii(anonymous: Api, stored: Asset) -> None:
    (disposition,) = signed(anonymous, stored)["response-content-disposition"]
    assert disposition == "attachment; filename=\"gr??e 1.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.txt"


def test_download_is_shown_inline_with_its_own_type(anonymous: Api, stored: Asset) -> None:
    query = signed(anonymous, stored, "?content_disposition=inline")
    assert query["response-content-disposition"][0].startswith("inline; filename=")
    assert query["response-content-type"] == ["text/plain"]


@pytest.mark.parametrize("claimed", ["text/html", "application/xml", "application/xhtml+xml"])
def test_download_is_an_attachment_when_a_browser_would_run_it(anonymous: Api, dataset: Dataset, claimed: str) -> None:
    asset = make_asset(dataset, "a.html", encodingFormat=claimed)
    query = signed(anonymous, asset, "?content_disposition=inline")
    assert query["response-content-disposition"] == ['attachment; filename="a.html"']
    assert "response-content-type" not in query


def test_drawing_is_an_attachment_that_pages_may_show_as_a_picture(anonymous: Api, dataset: Dataset) -> None:
    asset = make_asset(dataset, "a.svg", encodingFormat="image/svg+xml")
    query = signed(anonymous, asset, "?content_disposition=inline")
    assert query["response-content-disposition"] == ['attachment; filename="a.svg"']
    assert query["response-content-type"] == ["image/svg+xml"]


@pytest.mark.parametrize("claimed", ["no type", "a/b\r\nX: y", "", 7, None, "text/plain; charset=x"])
def test_download_has_no_type_when_the_metadata_claims_none(anonymous: Api, dataset: Dataset, claimed: object) -> None:
    asset = make_asset(dataset, "a.txt", encodingFormat=claimed)
    assert "response-content-type" not in signed(anonymous, asset, "?content_disposition=inline")


def test_video_is_shown_by_a_page_that_plays_it(anonymous: Api, dataset: Dataset) -> None:
    asset = make_asset(dataset, 'a"><script>.mp4', encodingFormat="video/mp4")
    response = anonymous.get(address(asset, "?content_disposition=inline"))
    page = response.content.decode()
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<video autoplay muted" in page
    assert "<script>" not in page
    assert "media-src" in response["Content-Security-Policy"]


def test_video_is_an_attachment_unless_it_is_to_be_shown(anonymous: Api, dataset: Dataset) -> None:
    asset = make_asset(dataset, "a.mp4", encodingFormat="video/mp4")
    assert anonymous.get(address(asset)).status_code == 302


@pytest.mark.parametrize("disposition", ["other", "INLINE", "attachment; filename=x"])
def test_download_is_refused_when_it_is_to_be_shown_otherwise(anonymous: Api, asset: Asset, disposition: str) -> None:
    response = anonymous.get(address(asset), {"content_disposition": disposition})
    assert (response.status_code, list(response.json())) == (400, ["content_disposition"])
