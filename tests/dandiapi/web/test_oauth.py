"""How a web app of another origin is let act for somebody (docs/dialects/dandi.md#oauth)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken

from archive.accounts.models import User
from dandiapi.oauth import TOGETHER, WEB_APP_CLIENT_ID, Validator
from dandiapi.tasks import forget_expired_grants_task
from tests.dandiapi.web.browser import Browser
from tests.dandiapi.web.web_app import HOME, ORIGIN, WebApp, challenge


@pytest.fixture
def app(db: None) -> WebApp:
    return WebApp()


@pytest.fixture
def tokens(app: WebApp, stranger: Browser) -> dict[str, Any]:
    """What the app has got for the stranger."""
    return app.tokens_for(stranger)


def raises(error: Exception) -> Callable[..., Any]:
    def raising(*args: Any, **kwargs: Any) -> Any:
        raise error

    return raising


def later(**span: float) -> None:
    """Let all that has been given out become older."""
    for token in AccessToken.objects.all():
        token.expires -= timedelta(**span)
        AccessToken.objects.filter(pk=token.pk).update(created=token.created - timedelta(**span), expires=token.expires)
    for refresh in RefreshToken.objects.filter(revoked__isnull=False):
        assert refresh.revoked
        RefreshToken.objects.filter(pk=refresh.pk).update(revoked=refresh.revoked - timedelta(**span))


# --- Authorisation ----------------------------------------------------------------------------------------------------


def test_authorize_asks_to_sign_in_and_remembers_where_one_was_going(app: WebApp, anonymous: Browser) -> None:
    response = anonymous.open(app.address())
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?{urlencode({'next': app.address()})}".replace("%2F", "/")


def test_authorize_sends_back_with_a_code_without_asking(app: WebApp, stranger: Browser) -> None:
    response = stranger.open(app.address())
    assert response.status_code == 302
    assert re.fullmatch(rf"{HOME}\?code=\w+&state=0123456789", response["Location"])
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    "uri", ["https://app.example.org", "https://app.example.org/x", "http://app.example.org/", "https://evil.org/"]
)
@pytest.mark.parametrize("someone", ["stranger"])
def test_authorize_never_sends_to_an_address_that_is_not_registered(
    app: WebApp, request: pytest.FixtureRequest, someone: str, uri: str
) -> None:
    response = request.getfixturevalue(someone).open(app.address(redirect_uri=uri))
    assert response.status_code == 400
    page = response.content.decode()
    assert ("invalid_request Mismatching redirect URI." in page, "archive.css" in page) == (True, True)


def test_authorize_refuses_an_app_that_is_not_registered(app: WebApp, stranger: Browser) -> None:
    response = stranger.open(app.address(client_id="unknown"))
    assert (response.status_code, "Location" in response) == (400, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
        {"scope": "admin"},
    ],
)
def test_authorize_gives_no_code_for_less_than_it_takes(
    app: WebApp, stranger: Browser, changes: dict[str, str]
) -> None:
    location = stranger.open(app.address(**changes))["Location"]
    assert location.startswith(f"{HOME}?error=")
    assert not Grant.objects.exists()


def test_authorize_asks_for_consent_when_an_app_is_not_trusted(app: WebApp, stranger: Browser) -> None:
    Application.objects.update(skip_authorization=False)
    page = stranger.read(app.address())
    assert "Let DANDI GUI act for you?" in page
    fields = dict(re.findall(r'name="(\w+)" value="([^"]+)"', page))
    assert stranger.send(app.address(), **fields)["Location"].startswith(f"{HOME}?code=")
    del fields["allow"]
    assert stranger.send(app.address(), **fields)["Location"].startswith(f"{HOME}?error=access_denied")


def test_entrance_lets_its_form_lead_to_registered_apps(app: WebApp, anonymous: Browser) -> None:
    policies = [anonymous.open(address)["Content-Security-Policy"] for address in ("/accounts/login/", "/")]
    assert [f"form-action 'self' {ORIGIN};" in policy for policy in policies] == [True, False]


# --- Tokens -----------------------------------------------------------------------------------------------------------


def test_code_is_exchanged_for_tokens(app: WebApp, stranger: Browser) -> None:
    response = app.exchange(app.code_for(stranger))
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    assert response["Cache-Control"] == "no-store"
    tokens = response.json()
    assert set(tokens) == {"access_token", "expires_in", "token_type", "scope", "refresh_token"}
    assert (tokens["expires_in"], tokens["token_type"], tokens["scope"]) == (86400, "Bearer", "write")
    assert app.ask("GET", "users/me/", tokens["access_token"]).json()["username"] == stranger.user.username


def test_code_is_good_for_one_exchange(app: WebApp, stranger: Browser) -> None:
    code = app.code_for(stranger)
    assert [app.exchange(code).status_code, app.exchange(code).json()] == [200, {"error": "invalid_grant"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 64},
        {"code_verifier": ""},
        {"code_verifier": challenge("v" * 64)},
        {"redirect_uri": "https://evil.org/"},
        {"code": "unknown"},
        {"client_id": "unknown"},
        {"grant_type": "password", "username": "x", "password": "x"},
        {"grant_type": "client_credentials"},
    ],
)
def test_code_is_refused_when_something_does_not_fit(app: WebApp, stranger: Browser, changes: dict[str, str]) -> None:
    response = app.exchange(app.code_for(stranger), **changes)
    assert response.status_code in {400, 401}
    assert "error" in response.json()
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    assert not AccessToken.objects.exists()


DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.mark.parametrize(
    "fields", [{"grant_type": DEVICE}, {"grant_type": DEVICE, "device_code": "x"}, {"grant_type": "x"}, {}]
)
def test_token_is_refused_for_a_grant_that_is_not_given_here(app: WebApp, fields: dict[str, str]) -> None:
    response = app.client.post("/oauth/token/", fields)
    assert (response.status_code, response.json()) == (400, {"error": "unsupported_grant_type"})


@pytest.mark.parametrize("name", ["code", "client_id", "redirect_uri", "code_verifier"])
def test_code_is_refused_when_there_is_a_nul_in_the_request(app: WebApp, name: str) -> None:
    assert app.exchange("x", **{name: "a\0b"}).status_code == 400
    assert app.client.post("/oauth/revoke_token/", {"token": "x", "client_id": "a\0b"}).status_code == 400


def test_code_that_comes_again_ends_all_that_came_of_it(app: WebApp, stranger: Browser) -> None:
    code = app.code_for(stranger)
    first = app.exchange(code).json()
    second = app.refresh(first).json()
    assert app.exchange(code).status_code == 400
    assert [app.me(tokens["access_token"]) for tokens in (first, second)] == [401, 401]
    assert [app.refresh(tokens).status_code for tokens in (first, second)] == [400, 400]


def test_code_that_two_use_at_once_ends_all_that_came_of_it(
    app: WebApp, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = app.code_for(stranger)
    kept = Grant.objects.get()
    first = app.exchange(code).json()
    monkeypatch.setattr(Grant.objects, "filter", lambda **_: Grant.objects.none())
    kept.save(force_insert=True)
    assert app.exchange(code).status_code == 400
    assert app.me(first["access_token"]) == 401


def test_code_that_comes_again_leaves_other_sign_ins_alone(app: WebApp, stranger: Browser) -> None:
    other, code = app.tokens_for(stranger), app.code_for(stranger)
    app.exchange(code)
    app.exchange(code)
    assert app.me(other["access_token"]) == 200


def test_code_ends_after_five_minutes(app: WebApp, stranger: Browser) -> None:
    code = app.code_for(stranger)
    left = Grant.objects.get().expires - timezone.now()
    assert timedelta(seconds=290) < left <= timedelta(seconds=300)
    Grant.objects.update(expires=timezone.now())
    assert app.exchange(code).status_code == 400


def test_tokens_never_lie_in_the_database(tokens: dict[str, Any]) -> None:
    kept = str([*AccessToken.objects.values(), *RefreshToken.objects.values()])
    assert (tokens["access_token"] in kept, tokens["refresh_token"] in kept) == (False, False)


def test_access_token_is_nobodys_after_a_day(app: WebApp, tokens: dict[str, Any]) -> None:
    later(hours=23)
    assert app.me(tokens["access_token"]) == 200
    later(hours=1)
    assert app.me(tokens["access_token"]) == 401


def test_access_token_is_nobodys_when_its_user_is_not_active(
    app: WebApp, tokens: dict[str, Any], stranger: Browser
) -> None:
    User.objects.filter(pk=stranger.user.pk).update(is_active=False)
    assert app.me(tokens["access_token"]) == 401


@pytest.mark.parametrize("token", ["unknown", "", "a b", "\xe9"])
def test_access_token_that_is_none_leaves_the_request_anonymous(app: WebApp, token: str) -> None:
    assert app.client.get("/api/info/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert app.client.get("/api/users/me/", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_access_token_in_an_address_is_not_taken(app: WebApp, tokens: dict[str, Any]) -> None:
    assert app.client.get("/api/users/me/", {"access_token": tokens["access_token"]}).status_code == 401


def test_access_token_may_write(app: WebApp, tokens: dict[str, Any]) -> None:
    body = {"name": "Mine", "metadata": {}}
    response = app.client.post(
        "/api/dandisets/",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
    )
    assert (response.status_code, response.json()["draft_version"]["name"]) == (200, "Mine")


@pytest.mark.parametrize("name", ["validate_code", "validate_grant_type"])
def test_app_can_read_that_a_service_is_away(
    app: WebApp, stranger: Browser, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    code = app.code_for(stranger)
    monkeypatch.setattr(Validator, name, raises(OperationalError("away")))
    response = app.exchange(code)
    assert (response.status_code, response["Content-Type"]) == (503, "application/json")
    assert (response["Access-Control-Allow-Origin"], response["Retry-After"]) == (ORIGIN, "5")


@pytest.mark.parametrize("origin", ["https://elsewhere.example.org", "null"])
def test_tokens_are_not_read_by_pages_of_other_origins(app: WebApp, stranger: Browser, origin: str) -> None:
    code = app.code_for(stranger)
    app.client = Client(headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in app.exchange(code)


# --- Refreshing -------------------------------------------------------------------------------------------------------


def test_refresh_gives_new_tokens_that_work(app: WebApp, tokens: dict[str, Any]) -> None:
    later(days=1)
    response = app.refresh(tokens)
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    new = response.json()
    assert (set(new), new["expires_in"]) == (set(tokens), 86400)
    assert app.me(new["access_token"]) == 200
    assert app.refresh(new).status_code == 200


def test_refresh_works_for_30_days_after_the_access_token(app: WebApp, tokens: dict[str, Any]) -> None:
    later(days=30)
    assert app.refresh(tokens).status_code == 200


def test_refresh_is_refused_after_that(app: WebApp, tokens: dict[str, Any]) -> None:
    later(days=31)
    response = app.refresh(tokens)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_refresh_is_repeated_when_the_answer_was_lost(app: WebApp, tokens: dict[str, Any]) -> None:
    app.refresh(tokens)
    later(days=3)
    again = app.refresh(tokens)
    assert again.status_code == 200
    assert app.me(again.json()["access_token"]) == 200


def test_refresh_works_in_tabs_that_open_together(app: WebApp, tokens: dict[str, Any]) -> None:
    tabs = []
    for _ in range(3):
        tabs.append(app.refresh(tokens).json()["access_token"])
        assert [app.me(token) for token in tabs] == [200] * len(tabs)


def test_refresh_with_a_token_whose_successor_was_used_ends_the_sign_in(app: WebApp, tokens: dict[str, Any]) -> None:
    new = app.refresh(tokens).json()
    later(seconds=TOGETHER.total_seconds() + 1)
    app.me(new["access_token"])
    assert app.refresh(tokens).status_code == 400
    assert (app.me(new["access_token"]), app.refresh(new).status_code) == (401, 400)


def test_refresh_of_another_sign_in_is_left_alone(app: WebApp, tokens: dict[str, Any], stranger: Browser) -> None:
    other = app.tokens_for(stranger)
    app.revoke(tokens["access_token"])
    assert (app.me(other["access_token"]), app.refresh(other).status_code) == (200, 200)


# --- Signing out ------------------------------------------------------------------------------------------------------


def test_revoke_ends_both_tokens(app: WebApp, tokens: dict[str, Any]) -> None:
    response = app.revoke(tokens["access_token"])
    assert (response.status_code, response.content) == (200, b"")
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    assert (app.me(tokens["access_token"]), app.refresh(tokens).status_code) == (401, 400)


def test_revoke_ends_what_other_tabs_have(app: WebApp, tokens: dict[str, Any]) -> None:
    one, other = app.refresh(tokens).json(), app.refresh(tokens).json()
    app.revoke(one["access_token"])
    assert (app.me(other["access_token"]), app.refresh(other).status_code) == (401, 400)


@pytest.mark.parametrize("token", ["unknown", "x" * 5000])
def test_revoke_of_no_token_is_well(app: WebApp, token: str) -> None:
    assert app.revoke(token).status_code == 200


def test_revoke_needs_the_app_that_the_token_is_of(app: WebApp, tokens: dict[str, Any]) -> None:
    call_command("register_web_app", redirect_uri=[HOME], client_id="other", verbosity=0)
    app.client.post("/oauth/revoke_token/", {"token": tokens["access_token"], "client_id": "other"})
    assert app.me(tokens["access_token"]) == 200


def test_session_outlives_signing_out_of_the_app(app: WebApp, tokens: dict[str, Any], stranger: Browser) -> None:
    app.revoke(tokens["access_token"])
    assert app.me(app.tokens_for(stranger)["access_token"]) == 200


def test_expired_tokens_are_forgotten_and_others_kept(app: WebApp, tokens: dict[str, Any], stranger: Browser) -> None:
    later(days=32)
    fresh = app.tokens_for(stranger)
    forget_expired_grants_task()
    assert (AccessToken.objects.count(), RefreshToken.objects.count()) == (1, 1)
    assert app.refresh(fresh).status_code == 200


# --- Registration -----------------------------------------------------------------------------------------------------


def test_register_is_harmless_to_repeat(app: WebApp) -> None:
    before = Application.objects.values().get()
    call_command("register_web_app", redirect_uri=[HOME], verbosity=0)
    after = Application.objects.values().get()
    assert after == before | {"updated": after["updated"]}
    assert (after["client_id"], after["client_type"], after["name"]) == (WEB_APP_CLIENT_ID, "public", "DANDI GUI")
    assert (after["client_secret"], after["skip_authorization"]) == ("", True)


def test_register_adds_addresses(app: WebApp, stranger: Browser) -> None:
    other = "http://localhost:8085/"
    call_command("register_web_app", redirect_uri=[other, "https://preview.example.org/"], verbosity=0)
    for uri in (HOME, other, "https://preview.example.org/"):
        assert stranger.open(app.address(redirect_uri=uri))["Location"].startswith(f"{uri}?code=")


@pytest.mark.parametrize("uri", ["app.example.org", "javascript:alert(1)", "https://app.example.org/#x", "ftp://x/"])
def test_register_refuses_what_is_no_address_of_a_page(db: None, uri: str) -> None:
    with pytest.raises(CommandError):
        call_command("register_web_app", redirect_uri=[uri], verbosity=0)
    assert not Application.objects.exists()


def test_web_app_may_not_be_plain_http_in_production(settings: LazySettings, db: None) -> None:
    settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "ALLOWED_REDIRECT_URI_SCHEMES": ["https"]}
    with pytest.raises(CommandError, match="http"):
        call_command("register_web_app", redirect_uri=["http://app.example.org/"], verbosity=0)
