"""Tokens: secrets that are shown once and kept as digests."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from archive.accounts.models import Token
from archive.accounts.policy import Actor
from archive.accounts.queries import digest_of, find_token, tokens_of
from archive.accounts.services import MAX_TOKENS, create_token, replace_api_key, revoke_token
from archive.errors import InvalidError, NotFoundError
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_secret_finds_its_token_and_user() -> None:
    user = make_user()
    token, secret = create_token(user=user, name="laptop")
    found = find_token(secret)
    assert found == token
    assert found.user == user


def test_secret_is_kept_nowhere() -> None:
    token, secret = create_token(user=make_user(), name="laptop")
    [row] = Token.objects.filter(pk=token.pk).values()
    assert row["digest"] == digest_of(secret)
    assert secret.startswith(row["hint"])
    assert len(row["hint"]) <= 8
    assert secret not in repr(row)


def test_secrets_differ_and_look_like_no_other_text() -> None:
    user = make_user()
    secrets = {create_token(user=user, name="laptop")[1] for _ in range(5)}
    assert len(secrets) == 5
    assert all(re.fullmatch(r"arc_[0-9a-f]{68}", secret) for secret in secrets)


def test_secret_that_is_wrong_finds_nothing() -> None:
    _, secret = create_token(user=make_user(), name="laptop")
    assert find_token(secret[:-1]) is None
    assert find_token("") is None
    assert find_token(digest_of(secret)) is None


def test_revoked_token_is_found_no_more() -> None:
    user = make_user()
    token, secret = create_token(user=user, name="laptop")
    revoke_token(user=user, token_id=token.pk)
    assert find_token(secret) is None
    assert list(tokens_of(user)) == []


def test_revoke_refuses_a_token_of_somebody_else_or_revoked_before() -> None:
    user = make_user()
    token, secret = create_token(user=user, name="laptop")
    with pytest.raises(NotFoundError):
        revoke_token(user=make_user(), token_id=token.pk)
    assert find_token(secret)
    revoke_token(user=user, token_id=token.pk)
    with pytest.raises(NotFoundError):
        revoke_token(user=user, token_id=token.pk)


def test_expired_token_is_found_no_more() -> None:
    token, secret = create_token(user=make_user(), name="laptop", expires=timezone.now() + timedelta(days=1))
    assert find_token(secret)
    Token.objects.filter(pk=token.pk).update(expires=timezone.now())
    assert find_token(secret) is None


def test_token_of_an_inactive_user_is_not_found() -> None:
    user = make_user()
    _, secret = create_token(user=user, name="laptop")
    user.is_active = False
    user.save()
    assert find_token(secret) is None


def test_token_remembers_its_last_use_to_a_few_minutes() -> None:
    token, secret = create_token(user=make_user(), name="laptop")
    find_token(secret)
    token.refresh_from_db()
    first = token.last_used
    find_token(secret)
    token.refresh_from_db()
    assert first
    assert token.last_used == first
    Token.objects.update(last_used=first - timedelta(minutes=6))
    find_token(secret)
    token.refresh_from_db()
    assert token.last_used > first


def test_tokens_are_listed_newest_first() -> None:
    user = make_user()
    older, newer = (create_token(user=user, name=name)[0] for name in ("older", "newer"))
    create_token(user=make_user(), name="somebody else's")
    assert list(tokens_of(user)) == [newer, older]


@pytest.mark.parametrize("name", ["", "  ", "a" * 101])
def test_create_refuses_a_name_that_is_none(name: str) -> None:
    with pytest.raises(InvalidError) as caught:
        create_token(user=make_user(), name=name)
    assert caught.value.field == "name"


def test_create_refuses_an_unknown_scope() -> None:
    with pytest.raises(InvalidError) as caught:
        create_token(user=make_user(), name="laptop", scope="root")
    assert caught.value.field == "scope"


def test_create_refuses_an_expiry_that_has_passed() -> None:
    with pytest.raises(InvalidError) as caught:
        create_token(user=make_user(), name="laptop", expires=timezone.now())
    assert caught.value.field == "expires"


def test_create_refuses_more_tokens_than_anybody_needs() -> None:
    user = make_user()
    Token.objects.bulk_create(
        Token(user=user, name="laptop", digest=digest_of(str(number))) for number in range(MAX_TOKENS)
    )
    with pytest.raises(InvalidError):
        create_token(user=user, name="laptop")


def test_api_key_is_replaced_by_another() -> None:
    user = make_user()
    laptop, _ = create_token(user=user, name="laptop")
    first = replace_api_key(actor=Actor(user=user))
    second = replace_api_key(actor=Actor(user=user))
    assert find_token(first) is None
    assert find_token(second)
    assert tokens_of(user).count() == 2
    assert laptop in tokens_of(user)
