"""Pages by a reviewer link: followed once, then kept by the session; without the names of people."""

import pytest

from archive.datasets.models import Dataset
from archive.datasets.services import revoke_reviewer_link
from tests.dandiapi.web.browser import Browser
from tests.factories import make_asset, make_embargoed_dataset, make_reviewer_link, owner_of, start_release


@pytest.fixture
def reviewer(anonymous: Browser, embargoed: Dataset) -> Browser:
    """Somebody who has followed a reviewer link of the embargoed dataset."""
    _, secret = make_reviewer_link(embargoed)
    anonymous.open(f"/dandiset/{embargoed.identifier}/draft?reviewer={secret}")
    return anonymous


def test_link_leads_to_the_page_without_its_secret(anonymous: Browser, embargoed: Dataset) -> None:
    _, secret = make_reviewer_link(embargoed)
    address = f"/dandiset/{embargoed.identifier}/draft/files"
    response = anonymous.open(f"{address}?location=&reviewer={secret}")
    assert (response.status_code, response["Location"]) == (302, f"{address}?location=")


@pytest.mark.parametrize("address", ["/dandiset/{0}", "/dandiset/{0}/draft", "/dandiset/{0}/draft/files"])
def test_reviewer_reads_the_pages_of_the_dataset(reviewer: Browser, embargoed: Dataset, address: str) -> None:
    page = reviewer.read(address.format(embargoed.identifier))
    assert "Doe" not in page
    assert "jane@example.org" not in page
    assert "Olivia" not in page


def test_reviewer_downloads_the_files(reviewer: Browser, embargoed: Dataset) -> None:
    asset = make_asset(embargoed)
    assert reviewer.open(f"/api/assets/{asset.asset_id}/download/").status_code == 302


def test_reviewer_of_one_dataset_does_not_see_another(reviewer: Browser) -> None:
    assert reviewer.open(f"/dandiset/{make_embargoed_dataset().identifier}/draft").status_code == 404


def test_reviewer_sees_nothing_more_once_the_link_is_revoked(anonymous: Browser, embargoed: Dataset) -> None:
    link, secret = make_reviewer_link(embargoed)
    address = f"/dandiset/{embargoed.identifier}/draft"
    anonymous.open(f"{address}?reviewer={secret}")
    revoke_reviewer_link(actor=owner_of(embargoed), dataset=embargoed, link_id=link.pk)
    assert anonymous.open(address).status_code == 404


@pytest.mark.parametrize("secret", ["", "rev_nonsense", "%F0%9F%92%A9"])
def test_link_that_is_none_lets_nobody_in(anonymous: Browser, embargoed: Dataset, secret: str) -> None:
    address = f"/dandiset/{embargoed.identifier}/draft"
    assert anonymous.open(f"{address}?reviewer={secret}").status_code == 302
    assert anonymous.open(address).status_code == 404


def test_reviewer_reads_the_names_once_the_dataset_is_released(reviewer: Browser, embargoed: Dataset) -> None:
    start_release(embargoed)
    assert "Doe, Jane" in reviewer.read(f"/dandiset/{embargoed.identifier}/draft")
