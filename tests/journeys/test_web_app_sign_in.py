"""A web app of another origin signs people in, in a real browser (dandi-web 3)."""

import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.journeys.running import RunningArchive, wait_for
from tests.journeys.web_app_tab import Tab

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]
PASSWORD = "correct horse battery"
SIGNED_IN = re.compile(" APPROVED$")


@pytest.fixture
def tab(context: BrowserContext, web_app: str, running_archive: RunningArchive) -> Tab:
    """The web app, with nobody signed in."""
    tab = Tab(context, web_app, running_archive)
    tab.shows("nobody")
    return tab


@pytest.fixture(scope="module")
def email() -> str:
    """Somebody who has no account before the first of these tests."""
    return f"{uuid.uuid4().hex}@example.org"


@pytest.fixture(scope="module")
def graces_session(browser: Browser, web_app: str, running_archive: RunningArchive) -> Any:
    """The cookies of somebody who has signed up; the web app remembers nothing of them."""
    with browser.new_context() as context:
        tab = Tab(context, web_app, running_archive)
        tab.log_in()
        tab.sign_up(f"{uuid.uuid4().hex}@example.org", PASSWORD, "Grace", "Hopper")
        tab.shows(SIGNED_IN)
        return {"cookies": context.cookies()}


@pytest.fixture
def grace(browser: Browser, web_app: str, running_archive: RunningArchive, graces_session: Any) -> Iterator[Tab]:
    """The web app, with somebody signed in."""
    with browser.new_context(storage_state=graces_session) as context:
        tab = Tab(context, web_app, running_archive)
        tab.log_in()
        tab.page.wait_for_url(tab.home)
        tab.shows(SIGNED_IN)
        yield tab


def test_somebody_new_signs_up_and_comes_back(tab: Tab, running_archive: RunningArchive, email: str) -> None:
    tab.log_in()
    assert tab.page.url.startswith(f"{running_archive.url}/accounts/login/?next=")
    tab.sign_up(email, PASSWORD, "Grace", "Hopper")
    tab.shows(f"{email} APPROVED")
    assert tab.page.url == tab.home
    assert {name: tab.token[name] for name in ("expires_in", "token_type")} == {
        "expires_in": 86400,
        "token_type": "Bearer",
    }
    assert tab.call("GET", "users/me/").data == {
        "username": email,
        "name": "Grace Hopper",
        "admin": False,
        "status": "APPROVED",
    }


def test_somebody_known_signs_in_by_the_sign_in_page(
    grace: Tab, browser: Browser, running_archive: RunningArchive
) -> None:
    email = grace.call("GET", "users/me/").data["username"]
    with browser.new_context() as elsewhere:
        tab = Tab(elsewhere, grace.origin, running_archive)
        tab.log_in()
        tab.fill(**{"Email address": email, "Password": PASSWORD})
        tab.press("Sign In")
        tab.shows(f"{email} APPROVED")
        cookies = {cookie["name"]: cookie for cookie in elsewhere.cookies(running_archive.url)}
    session, csrf = cookies["sessionid"], cookies["csrftoken"]
    assert (session["httpOnly"], session["sameSite"], csrf["sameSite"]) == (True, "Lax", "Lax")


def test_sign_in_is_remembered(grace: Tab) -> None:
    token = grace.token
    grace.page.goto(grace.home)
    grace.shows(SIGNED_IN)
    assert grace.token == token


def test_expired_token_is_refreshed(grace: Tab) -> None:
    old = grace.token
    grace.reload_expired(old)
    grace.shows(SIGNED_IN)
    assert (grace.token["access_token"] == old["access_token"], grace.token["expires_in"]) == (False, 86400)


def test_token_is_refreshed_again_when_the_answer_was_lost(grace: Tab) -> None:
    old = grace.token
    for _ in range(3):
        grace.reload_expired(old)
        grace.shows(SIGNED_IN)


def test_page_learns_why_a_token_is_not_refreshed(grace: Tab) -> None:
    grace.reload_expired(grace.token, refresh_token="unknown")
    grace.shows('Connection to server failed. Error: 400 {"error": "invalid_grant"}')


def test_token_that_is_none_signs_out_and_the_page_goes_on(grace: Tab) -> None:
    grace.reload_with({**grace.token, "access_token": "unknown"})
    grace.shows("nobody")
    assert grace.token is None


def test_signing_out_ends_the_token_and_signing_in_again_asks_nothing(
    grace: Tab, running_archive: RunningArchive
) -> None:
    name, token = grace.page.inner_text("#user"), grace.token
    grace.log_out()
    grace.shows("signed out 200 ")
    assert grace.token is None
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert httpx.get(f"{running_archive.api_url}/users/me/", headers=bearer, trust_env=False).status_code == 401
    grace.page.goto(grace.home)
    grace.shows("nobody")
    grace.log_in()
    grace.shows(name)


def test_sign_in_outlives_a_restart_of_the_server(grace: Tab, running_archive: RunningArchive) -> None:
    running_archive.kill("web")
    wait_for(lambda: answering(running_archive), seconds=60)
    grace.reload_expired(grace.token)
    grace.shows(SIGNED_IN)


def answering(archive: RunningArchive) -> None:
    """LookupError as long as it does not answer."""
    if not archive.answers():
        raise LookupError


def test_another_address_than_the_registered_is_never_gone_to(grace: Tab, running_archive: RunningArchive) -> None:
    evil = grace.home.replace("localhost", "evil.localhost")
    query = f"client_id=Dk0zosgt1GAAKfN8LT4STJmLJXwMDPbYWYzfNtAl&response_type=code&redirect_uri={evil}"
    answer = grace.page.goto(f"{running_archive.url}/oauth/authorize/?{query}")
    assert answer
    assert (answer.status, urlsplit(grace.page.url).netloc) == (400, urlsplit(running_archive.url).netloc)
    assert "invalid_request Mismatching redirect URI" in grace.page.inner_text("main")


def test_wrong_password_and_wrong_state_lead_nowhere(tab: Tab, email: str) -> None:
    tab.log_in()
    sent = parse_qs(parse_qs(urlsplit(tab.page.url).query)["next"][0].partition("?")[2])
    assert {name: bool(re.fullmatch(r"[\w-]+", sent[name][0])) for name in ("state", "code_challenge")} == {
        "state": True,
        "code_challenge": True,
    }
    tab.fill(**{"Email address": email, "Password": "wrong"})
    tab.press("Sign In")
    assert "not correct" in tab.page.inner_text("main")
    tab.page.goto(f"{tab.home}?code=stolen&state=guessed")
    tab.shows("nobody")
