"""Who may see which page, and press which button."""

import re

import pytest

from archive.datasets.models import Dataset, Version
from tests.dandiapi.web.browser import Browser

PEOPLE = ["anonymous", "waiting", "stranger", "owner", "admin"]
OF_OPEN = ["/", "/dandiset/{0}", "/dandiset/{0}/", "/dandiset/{0}/draft", "/dandiset/{0}/draft/", "/robots.txt"]
OF_A_DATASET = ["/dandiset/{0}", "/dandiset/{0}/draft", "/dandiset/{0}/draft/files"]
OF_ONESELF = ["/dandiset/my", "/dandiset/starred", "/account/tokens/"]


def without_token(page: bytes) -> bytes:
    """A page without what makes the form to sign out unforgeable: it is another each time."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", page)


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Browser:
    found: Browser = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("address", [*OF_OPEN, "/dandiset/{0}/draft/files", "/dandiset/{0}/draft/files/"])
@pytest.mark.parametrize("browser", PEOPLE, indirect=True)
def test_open_dataset_is_read_by_everybody(browser: Browser, dataset: Dataset, address: str) -> None:
    assert browser.open(address.format(dataset.identifier)).status_code == 200


@pytest.mark.parametrize("address", OF_A_DATASET)
@pytest.mark.parametrize("browser", ["anonymous", "waiting", "stranger"], indirect=True)
def test_embargoed_dataset_is_as_absent_to_others(browser: Browser, embargoed: Dataset, address: str) -> None:
    hidden = browser.open(address.format(embargoed.identifier))
    absent = browser.open(address.format("999999"))
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert without_token(hidden.content) == without_token(absent.content)


@pytest.mark.parametrize("address", OF_A_DATASET)
@pytest.mark.parametrize("browser", ["owner", "admin"], indirect=True)
def test_embargoed_dataset_is_read_by_owner_and_admin(browser: Browser, embargoed: Dataset, address: str) -> None:
    assert browser.open(address.format(embargoed.identifier)).status_code == 200


@pytest.mark.parametrize("action", ["publish", "star"])
@pytest.mark.parametrize("browser", ["stranger"], indirect=True)
def test_buttons_of_an_embargoed_dataset_are_as_absent_to_a_stranger(
    browser: Browser, embargoed: Dataset, action: str
) -> None:
    assert browser.send(f"/dandiset/{embargoed.identifier}/{action}").status_code == 404


@pytest.mark.parametrize("browser", PEOPLE, indirect=True)
def test_embargoed_dataset_is_in_no_public_list(browser: Browser, embargoed: Dataset) -> None:
    assert embargoed.identifier not in browser.read("/")


def test_embargoed_dataset_is_in_the_list_of_its_owner_only(
    owner: Browser, stranger: Browser, embargoed: Dataset
) -> None:
    assert embargoed.identifier in owner.read("/dandiset/my")
    assert embargoed.identifier not in stranger.read("/dandiset/my")


@pytest.mark.parametrize("address", OF_ONESELF)
def test_page_about_oneself_asks_to_sign_in(anonymous: Browser, address: str) -> None:
    response = anonymous.open(address)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={address}")


@pytest.mark.parametrize("address", OF_ONESELF)
@pytest.mark.parametrize("browser", ["waiting", "stranger", "owner", "admin"], indirect=True)
def test_page_about_oneself_is_there_for_everybody_signed_in(browser: Browser, address: str) -> None:
    assert browser.open(address).status_code == 200


@pytest.mark.parametrize("action", ["publish", "star"])
@pytest.mark.parametrize("browser", ["anonymous", "waiting"], indirect=True)
def test_buttons_are_refused_to_who_is_not_approved(browser: Browser, dataset: Dataset, action: str) -> None:
    assert browser.send(f"/dandiset/{dataset.identifier}/{action}", starred="yes").status_code == 403


@pytest.mark.parametrize(("name", "status"), [("stranger", 403), ("owner", 302), ("admin", 302)])
def test_publishing_is_for_owner_and_admin(
    request: pytest.FixtureRequest, valid: Dataset, name: str, status: int
) -> None:
    browser: Browser = request.getfixturevalue(name)
    assert browser.send(f"/dandiset/{valid.identifier}/publish").status_code == status


@pytest.mark.parametrize(
    ("name", "count"), [("anonymous", 0), ("waiting", 0), ("stranger", 0), ("owner", 1), ("admin", 1)]
)
def test_publish_button_is_shown_to_owner_and_admin(
    request: pytest.FixtureRequest, valid: Dataset, name: str, count: int
) -> None:
    browser: Browser = request.getfixturevalue(name)
    assert browser.read(f"/dandiset/{valid.identifier}/draft").count("Publish this draft") == count


def test_published_version_has_no_publish_button(owner: Browser, version: Version) -> None:
    assert "Publish this draft" not in owner.read(f"/dandiset/{version}")


def test_forms_need_a_csrf_token(owner: Browser, dataset: Dataset) -> None:
    owner.client.handler.enforce_csrf_checks = True
    response = owner.send(f"/dandiset/{dataset.identifier}/star", starred="yes")
    assert response.status_code == 403
    assert "This form is too old" in response.content.decode()


@pytest.mark.parametrize("address", ["/dandiset/{0}/publish", "/dandiset/{0}/star", "/account/tokens/1/revoke"])
def test_buttons_are_not_followed_as_links(owner: Browser, dataset: Dataset, address: str) -> None:
    assert owner.open(address.format(dataset.identifier)).status_code == 405
