"""Signing in by GitHub, and being called by the name one has there (docs/dialects/dandi.md#users)."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from django.conf import LazySettings

from archive.accounts.models import User
from archive.accounts.policy import SYSTEM
from archive.accounts.queries import find_users, has_proven_own_address, search_users
from archive.accounts.services import set_github_login
from archive.datasets.services import set_owners
from archive.errors import InvalidError
from tests.dandiapi.rest.api import Api
from tests.dandiapi.web.browser import Browser
from tests.dandiapi.web.web_app import WebApp
from tests.factories import make_admin, make_dataset, make_user, owner_of


class GitHub(BaseHTTPRequestHandler):
    """What GitHub answers about whoever comes."""

    profile: dict[str, Any] = {}
    emails: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"access_token": "t", "token_type": "bearer"})

    def do_GET(self) -> None:
        self._answer(self.emails if self.path.endswith("/emails") else self.profile)

    def _answer(self, data: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
        pass


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[type[GitHub]]:
    """GitHub, where Grace Hopper signs in."""
    server = HTTPServer(("127.0.0.1", 0), GitHub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    for name in ("access_token_url", "profile_url", "emails_url"):
        path = urlsplit(getattr(GitHubOAuth2Adapter, name)).path
        monkeypatch.setattr(GitHubOAuth2Adapter, name, f"{address}{path}")
    profile = {"id": 1906, "login": "Amazing-Grace", "name": "Grace Brewster Hopper", "email": None}
    monkeypatch.setattr(GitHub, "profile", profile)
    monkeypatch.setattr(GitHub, "emails", [{"email": "grace@yale.edu", "primary": True, "verified": True}])
    yield GitHub
    server.shutdown()
    thread.join()
    server.server_close()


def sign_in(browser: Browser, *, going_to: str = "/") -> Any:
    """The last answer of an exchange in which GitHub lets them through."""
    leaving = browser.client.get("/accounts/github/login/", {"next": going_to})
    assert leaving["Location"].startswith("https://github.com/login/oauth/authorize?")
    query = parse_qs(urlsplit(leaving["Location"]).query)
    assert query["client_id"] == ["this-archive"]
    return browser.client.get("/accounts/github/login/callback/", {"code": "x", "state": query["state"][0]})


def grace() -> User:
    return User.objects.get(email="grace@yale.edu")


# --- Signing in -------------------------------------------------------------------------------------------------------


def test_sign_in_by_github_makes_an_account(anonymous: Browser, github: type[GitHub]) -> None:
    assert sign_in(anonymous)["Location"] == "/account/about-you/?next=%2F"
    person = grace()
    assert (person.username, person.github_login) == ("grace@yale.edu", "Amazing-Grace")
    assert (person.first_name, person.last_name) == ("Grace", "Brewster Hopper")
    assert (person.status, has_proven_own_address(person)) == (User.Status.INCOMPLETE, True)


def test_sign_in_by_github_asks_for_a_name_when_github_has_none(
    anonymous: Browser, github: type[GitHub], settings: LazySettings
) -> None:
    settings.ACCOUNTS_APPROVED_AT_SIGNUP = True
    github.profile = {**github.profile, "name": None}
    assert sign_in(anonymous)["Location"] == "/account/about-you/?next=%2F"
    github.profile = {**github.profile, "name": "Grace Hopper"}
    User.objects.update(first_name="Grace", last_name="Hopper")
    assert sign_in(Browser())["Location"] == "/"


def test_sign_in_by_github_leads_on_to_the_web_app(anonymous: Browser, github: type[GitHub]) -> None:
    app = WebApp()
    assert sign_in(anonymous, going_to=app.address())["Location"] == app.address()
    assert anonymous.open(app.address())["Location"].startswith("/api/users/questionnaire-form/?")


def test_sign_in_by_github_again_is_the_same_person(anonymous: Browser, github: type[GitHub]) -> None:
    sign_in(anonymous)
    sign_in(Browser())
    assert User.objects.count() == 1


def test_sign_in_by_github_approves_where_everybody_is(
    anonymous: Browser, github: type[GitHub], settings: LazySettings
) -> None:
    settings.ACCOUNTS_APPROVED_AT_SIGNUP = True
    sign_in(anonymous)
    assert grace().status == User.Status.APPROVED


def test_sign_in_by_github_takes_over_nobodys_account(anonymous: Browser, github: type[GitHub]) -> None:
    owner = make_user()
    User.objects.filter(pk=owner.pk).update(username="grace@yale.edu", email="grace@yale.edu")
    assert sign_in(anonymous)["Location"] == "/accounts/3rdparty/signup/"
    assert not SocialAccount.objects.exists()
    assert "Sign out" not in anonymous.read("/")


def test_sign_in_by_github_of_a_rejected_person_is_refused(anonymous: Browser, github: type[GitHub]) -> None:
    sign_in(anonymous)
    User.objects.update(is_active=False, status=User.Status.REJECTED)
    again = Browser()
    assert sign_in(again)["Location"] == "/accounts/inactive/"
    assert "Sign out" not in again.read("/")


def test_address_that_somebody_has_had_makes_another_username(anonymous: Browser, github: type[GitHub]) -> None:
    User.objects.filter(pk=make_user().pk).update(username="grace@yale.edu", email="new@example.org")
    sign_in(anonymous)
    assert grace().username not in {"", "grace@yale.edu"}


def test_login_page_offers_only_who_is_configured(anonymous: Browser, settings: LazySettings) -> None:
    offered = anonymous.read("/accounts/login/")
    assert ("/accounts/github/login/" in offered, "google" in offered.lower(), "orcid" in offered.lower()) == (
        True,
        False,
        False,
    )


def test_login_page_has_no_passwords_where_others_vouch_for_people(anonymous: Browser, settings: LazySettings) -> None:
    settings.SOCIALACCOUNT_ONLY = True
    page = anonymous.read("/accounts/login/")
    assert ("/accounts/github/login/" in page, 'type="password"' in page) == (True, False)


# --- Being called -----------------------------------------------------------------------------------------------------


def test_person_is_called_by_their_github_login(anonymous: Browser, github: type[GitHub]) -> None:
    sign_in(anonymous)
    assert Api(grace()).get("users/me/").json()["username"] == "Amazing-Grace"
    assert Api(make_admin()).get("users/").json()[0] == "Amazing-Grace"


def test_person_is_called_by_a_new_github_login_when_they_sign_in_again(
    anonymous: Browser, github: type[GitHub]
) -> None:
    sign_in(anonymous)
    github.profile["login"] = "admiral"
    sign_in(Browser())
    assert grace().client_username == "admiral"


def test_person_is_called_by_their_username_when_two_vouch_for_them(anonymous: Browser, github: type[GitHub]) -> None:
    sign_in(anonymous)
    SocialAccount.objects.create(user=grace(), provider="orcid", uid="0000-0001")
    sign_in(Browser())
    assert grace().client_username == "grace@yale.edu"


def test_login_that_has_passed_to_another_is_theirs(db: None) -> None:
    before, now = make_user(), make_user()
    set_github_login(user=before, login="grace")
    set_github_login(user=now, login="GRACE")
    before.refresh_from_db()
    assert (before.client_username, now.client_username) == (before.username, "GRACE")


def test_person_is_found_by_both_names_in_any_case(db: None) -> None:
    person = make_user()
    set_github_login(user=person, login="Amazing-Grace")
    assert find_users(["amazing-grace"]) == find_users([person.username]) == [person]
    assert find_users(["amazing-grace", person.username]) == [person]
    assert find_users([""]) == []
    assert list(search_users(SYSTEM, "ZING-gr")) == [person]


def test_username_comes_before_the_login_of_another(db: None) -> None:
    person, other = make_user(), make_user()
    User.objects.filter(pk=person.pk).update(username="grace")
    set_github_login(user=other, login="grace")
    assert [found.pk for found in find_users(["grace"])] == [person.pk]


def test_owners_are_named_by_either_name(db: None) -> None:
    dataset = make_dataset()
    owner, person = owner_of(dataset), make_user()
    assert owner.user
    set_github_login(user=person, login="Amazing-Grace")
    named = [owner.user.username, "amazing-grace"]
    assert set_owners(actor=owner, dataset=dataset, usernames=named) == [owner.user, person]
    rows = Api(owner.user).get(f"dandisets/{dataset.identifier}/users/").json()
    assert [row["username"] for row in rows] == [owner.user.username, "Amazing-Grace"]
    with pytest.raises(InvalidError, match="User nobody not found"):
        set_owners(actor=owner, dataset=dataset, usernames=[*named, "nobody"])
