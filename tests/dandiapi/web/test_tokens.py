"""The page of one's tokens."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from archive.accounts.models import Token
from archive.accounts.queries import find_token
from archive.accounts.services import MAX_TOKENS
from tests.dandiapi.web.browser import Browser
from tests.dandiapi.web.queries import at_most
from tests.factories import make_token, make_user

PAGE = "/account/tokens/"


def secrets_in(page: str) -> list[str]:
    return re.findall(r"arc_[0-9a-f]{68}", page)


def test_new_token_is_shown_once_and_works(owner: Browser) -> None:
    response = owner.send(PAGE, name="laptop", scope="read", lifetime="30")
    [secret] = secrets_in(response.content.decode())
    assert secrets_in(owner.read(PAGE)) == []
    token = find_token(secret)
    assert token
    assert (token.user, token.name, token.scope) == (owner.user, "laptop", Token.Scope.READ)
    assert token.expires
    assert abs(token.expires - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_page_with_a_secret_is_kept_nowhere(owner: Browser) -> None:
    response = owner.send(PAGE, name="laptop", scope="read", lifetime="30")
    assert "no-store" in response["Cache-Control"]


def test_token_may_have_no_end(owner: Browser) -> None:
    owner.send(PAGE, name="laptop", scope="write", lifetime="")
    assert owner.user.tokens.get().expires is None


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "scope": "read", "lifetime": "30"},
        {"name": "x" * 101, "scope": "read", "lifetime": "30"},
        {"name": "x", "scope": "all", "lifetime": "30"},
        {"name": "x", "scope": "read", "lifetime": "31"},
        {},
    ],
)
def test_form_says_what_is_wrong(owner: Browser, fields: dict[str, str]) -> None:
    response = owner.send(PAGE, **fields)
    assert (response.status_code, "errorlist" in response.content.decode()) == (200, True)
    assert not owner.user.tokens.exists()


def test_form_says_what_the_domain_refuses(owner: Browser) -> None:
    for _ in range(MAX_TOKENS):
        make_token(owner.user)
    page = owner.send(PAGE, name="x", scope="read", lifetime="30").content.decode()
    assert f"You have {MAX_TOKENS} tokens already" in page


def test_tokens_of_others_are_not_shown(owner: Browser) -> None:
    make_token(make_user())
    assert "Revoke" not in owner.read(PAGE)


def test_revoked_token_is_gone_at_once(owner: Browser) -> None:
    token = make_token(owner.user)
    assert owner.send(f"{PAGE}{token.pk}/revoke")["Location"] == PAGE
    token.refresh_from_db()
    assert token.revoked
    assert token.hint not in owner.read(PAGE)


def test_token_of_another_cannot_be_revoked(owner: Browser, admin: Browser) -> None:
    token = make_token(make_user())
    assert [browser.send(f"{PAGE}{token.pk}/revoke").status_code for browser in (owner, admin)] == [404, 404]
    token.refresh_from_db()
    assert token.revoked is None


def test_new_token_is_refused_until_the_user_is_approved(waiting: Browser) -> None:
    assert "waits to be approved" in waiting.read(PAGE)
    refused = waiting.send(PAGE, name="x", scope="read", lifetime="30")
    assert (refused.status_code, "has not been approved yet.<" in refused.content.decode()) == (403, True)
    assert not waiting.user.tokens.exists()


def test_tokens_ask_few_queries_however_many_there_are(owner: Browser) -> None:
    for _ in range(20):
        make_token(owner.user)
    with at_most(4):
        owner.read(PAGE)
