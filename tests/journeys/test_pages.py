"""Every page in a real browser, on a phone and on a desk, for everybody: axe finds no fault, nothing is too wide."""

import base64
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from embedded.account import known_account
from tests.journeys.rest import (
    VALID_METADATA,
    add_file,
    create_dandiset,
    rest_client,
    success,
    wait_for_version,
    wait_until_valid,
)
from tests.journeys.running import RunningArchive

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

PASSWORD = "correct horse battery"
WIDTHS = (320, 1280)
OPTIONS = {
    # Beside the rules that axe has switched on.
    "rules": {name: {"enabled": True} for name in ("label-content-name-mismatch", "target-size")},
    # To tell of all that is right takes axe longer than to find what is wrong.
    "resultTypes": ["violations"],
}
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="3" height="1"><rect width="3" height="1"/></svg>'
README = b"""# How to read it

#### A leap

[Code](code/run.py) ![A dot](pics/dot.png) ![A line](pics/line.svg)

| a | b |
|---|---|
| c | d |
"""
FILES = {"README.md": README, "code/run.py": b"print()", "pics/dot.png": PICTURE, "pics/line.svg": DRAWING}
LONG = "https://example.org/" + "a-very-long-address" * 8

EVERYBODYS = [
    "/",
    "/?search=mouse",
    "/?search=speices:mouse",
    "/dandiset/{id}",
    "/dandiset/{id}/draft",
    "/dandiset/{id}/draft/files",
    "/dandiset/{id}/{version}/files?location=code",
    "/dandiset/{id}/{version}/diff/draft",
    "/nowhere",
]
STRANGERS = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/accounts/login/?next=/dandiset/my"]
MEMBERS = [
    "/dandiset/my",
    "/dandiset/starred",
    "/account/tokens/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/logout/",
]
STAFFS = ["/dashboard/", "/dashboard/archive/", "/dashboard/user/{person}/"]
Place = dict[str, str]


@pytest.fixture(scope="module")
def person() -> str:
    return f"{uuid.uuid4().hex}@example.org"


@pytest.fixture(scope="module")
def newcomer(browser: Browser, running_archive: RunningArchive, person: str) -> Any:
    """The cookies of somebody who has signed up on a phone, and given the name that they were asked for."""
    with browser.new_context(viewport={"width": WIDTHS[0], "height": 640}) as context:
        page = context.new_page()
        page.goto(f"{running_archive.url}/accounts/signup/")
        for placeholder, text in [("Email address", person), ("Password", PASSWORD), ("Password (again)", PASSWORD)]:
            page.get_by_placeholder(placeholder, exact=True).fill(text)
        page.get_by_role("button", name="Sign Up").click()
        assert faults(page, WIDTHS[0]) == []
        page.get_by_label("First Name").fill("Grace")
        page.get_by_label("Last Name").fill("Hopper")
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(f"{running_archive.url}/")
        return context.storage_state()


@pytest.fixture(scope="module")
def administrator(browser: Browser, running_archive: RunningArchive) -> Any:
    """The cookies of the first account, which owns the datasets."""
    account = known_account(running_archive.home)
    assert account
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{running_archive.url}/accounts/login/")
        page.get_by_placeholder("Email address").fill(account["email"])
        page.get_by_placeholder("Password").fill(account["password"])
        page.get_by_role("button", name="Sign In").click()
        page.wait_for_url(f"{running_archive.url}/")
        return context.storage_state()


@pytest.fixture(scope="module")
def place(running_archive: RunningArchive, person: str) -> Place:
    """A published dataset with a README, whose draft has been changed since and is not valid any more."""
    with rest_client(running_archive) as api:
        identifier = create_dandiset(api, "Mouse vision")
        for path, content in FILES.items():
            add_file(api, identifier, path, content)
        wait_until_valid(api, identifier)
        success(api.post(f"/dandisets/{identifier}/versions/draft/publish/", json={"release_notes": LONG}))
        version = wait_for_version(api, identifier)
        edit(api, identifier)
    return {"id": identifier, "version": version, "person": person}


def edit(api: httpx.Client, identifier: str) -> None:
    """Give the draft metadata with a fault, and with more words than there is room for."""
    address = f"/dandisets/{identifier}/versions/draft/"
    metadata = success(api.get(address)).json()
    odd = {**VALID_METADATA["contributor"][0], "name": f"Jane {'Middle' * 12} Doe", "email": f"{'j' * 60}@example.org"}
    more = {"description": LONG, "keywords": ["k" * 70], "contributor": [*metadata["contributor"], odd]}
    success(api.put(address, json={"name": metadata["name"], "metadata": {**metadata, **more}}))


def faults(page: Page, width: int) -> list[str]:
    """What axe finds wrong with a page, and whether one has to scroll it sideways."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    told = [f"{fault['id']}: {node['html']}" for fault in found for node in fault["nodes"]]
    reach = page.evaluate("document.documentElement.scrollWidth")
    return told if reach <= width else [*told, f"{reach} pixels wide"]


@pytest.fixture
def look(browser: Browser, running_archive: RunningArchive, place: Place) -> Callable[..., dict[str, list[str]]]:
    """Looks at pages: those with faults, and their faults."""

    def look_at(addresses: list[str], width: int, cookies: Any = None) -> dict[str, list[str]]:
        with browser.new_context(viewport={"width": width, "height": 800}, storage_state=cookies) as context:
            page = context.new_page()
            found = {}
            for address in addresses:
                page.goto(running_archive.url + address.format(**place))
                found[address] = faults(page, width)
        return {address: told for address, told in found.items() if told}

    return look_at


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_have_no_fault_for_strangers(look: Callable[..., dict[str, list[str]]], width: int) -> None:
    assert look([*EVERYBODYS, *STRANGERS], width) == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_have_no_fault_for_members(look: Callable[..., dict[str, list[str]]], newcomer: Any, width: int) -> None:
    assert look([*EVERYBODYS, *MEMBERS], width, newcomer) == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_have_no_fault_for_administrators(
    look: Callable[..., dict[str, list[str]]], newcomer: Any, administrator: Any, width: int
) -> None:
    assert look([*EVERYBODYS[3:8], *MEMBERS[:3], *STAFFS], width, administrator) == {}


@pytest.fixture
def phone(browser: Browser, running_archive: RunningArchive, place: Place) -> Iterator[Page]:
    """A phone that shows the published version."""
    with browser.new_context(viewport={"width": 320, "height": 640}) as context:
        page = context.new_page()
        page.goto(f"{running_archive.url}/dandiset/{place['id']}/{place['version']}")
        yield page


def test_files_are_a_first_glance_away_on_a_phone(phone: Page) -> None:
    button = phone.get_by_role("link", name="Browse files").bounding_box()
    assert button
    assert button["y"] + button["height"] < 640


@pytest.mark.parametrize(("description", "width"), [("A dot", 1), ("A line", 3)])
def test_picture_of_a_readme_shows(phone: Page, description: str, width: int) -> None:
    picture = phone.get_by_alt_text(description)
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == width


@pytest.mark.parametrize("width", WIDTHS)
def test_names_of_versions_stand_on_one_line(phone: Page, running_archive: RunningArchive, width: int) -> None:
    phone.set_viewport_size({"width": width, "height": 800})
    words = phone.locator(".versions a")
    broken = "links => links.filter(link => link.offsetHeight > 32).map(link => link.textContent)"
    assert words.count() > 1
    assert words.evaluate_all(broken) == []


def test_what_was_before_is_told_on_a_phone_and_has_room_on_a_desk(
    phone: Page, running_archive: RunningArchive, place: Place
) -> None:
    address = f"{running_archive.url}/dandiset/{place['id']}/{place['version']}/diff/draft"
    phone.goto(address)
    before = phone.get_by_role("cell", name="Random numbers, for a journey.")
    assert before.is_visible()
    phone.set_viewport_size({"width": 1280, "height": 800})
    box = before.bounding_box()
    assert box
    assert box["width"] > 300
