"""Web tokens: what clients read in them, and that nothing is believed but their rows."""

import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.utils import timezone

from archive.accounts.models import ReviewerLink, Token, User
from archive.accounts.services import create_token, revoke_token
from archive.datasets.services import create_reviewer_link
from dandiapi.credentials import find_web_token
from dandiapi.web_tokens import has_good_signature, is_web_token, new_web_token
from tests.factories import make_dataset, make_user, owner_of

pytestmark = pytest.mark.django_db


def web_token(**claims: Any) -> str:
    return new_web_token(claims, expires=timezone.now() + timedelta(days=1))


def kept_for(user: User) -> tuple[Token, str]:
    return create_token(user=user, name="laptop", secret=web_token(sub=str(user.uuid)))


def test_clients_read_claims_and_times_without_a_key() -> None:
    claims = jwt.decode(web_token(sub="a", name="Jane"), options={"verify_signature": False})
    assert (claims["sub"], claims["name"], claims["exp"] - claims["iat"]) == ("a", "Jane", 86400)


def test_web_tokens_are_never_the_same() -> None:
    assert web_token(sub="a") != web_token(sub="a")


def test_web_token_finds_its_row_until_that_is_revoked() -> None:
    user = make_user()
    token, secret = kept_for(user)
    assert find_web_token(secret) == token
    revoke_token(user=user, token_id=token.pk)
    assert find_web_token(secret) is None


def test_web_token_may_be_the_secret_of_a_reviewer_link() -> None:
    dataset = make_dataset()
    secret = web_token(sub="reviewer")
    link, _ = create_reviewer_link(actor=owner_of(dataset), dataset=dataset, label="a review", secret=secret)
    found = find_web_token(secret)
    assert isinstance(found, ReviewerLink)
    assert found == link


def test_web_token_without_a_row_finds_nothing_however_well_it_is_signed() -> None:
    secret = web_token(sub=str(make_user().uuid), admin=True)
    assert has_good_signature(secret)
    assert find_web_token(secret) is None


def changed(secret: str, part: int, value: dict[str, Any]) -> str:
    """The token with another header (0) or other claims (1), and the signature that it had."""
    parts = secret.split(".")
    parts[part] = urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return ".".join(parts)


def test_web_token_is_not_believed_when_it_was_changed() -> None:
    _, secret = kept_for(make_user())
    none = jwt.encode({"sub": "a"}, None, algorithm="none")
    forged = [
        changed(secret, 1, {"sub": "somebody else"}),
        changed(secret, 0, {"alg": "none", "typ": "JWT"}),
        changed(secret, 0, {"alg": "HS256", "typ": "JWT", "kid": ["a"]}),
        jwt.encode({"sub": "a"}, "k" * 40, algorithm="HS256"),
        none,
        f"{secret}.",
        "eyJ..",
        "eyJhIjoxfQ.eyJhIjoxfQ.",
    ]
    assert [find_web_token(each) for each in forged] == [None] * len(forged)
    assert not any(has_good_signature(each) for each in forged)


def test_web_tokens_stay_good_when_another_key_signs(settings: Any) -> None:
    settings.WEB_TOKEN_KEYS = ["old"]
    token, secret = kept_for(make_user())
    settings.WEB_TOKEN_KEYS = ["new", "old"]
    assert find_web_token(secret) == token
    settings.WEB_TOKEN_KEYS = ["new"]
    assert find_web_token(secret) is None


def test_form_tells_web_tokens_from_other_secrets() -> None:
    _, opaque = create_token(user=make_user(), name="laptop")
    assert [is_web_token(each) for each in (web_token(sub="a"), opaque, "", "eyJ.")] == [True, False, False, False]
