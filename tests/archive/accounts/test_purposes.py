"""Tokens that programs are handed for one purpose: how they come and go (`test_policy.py` has what they may do)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from archive.accounts.models import Token, User
from archive.accounts.queries import find_token, latest_expiry, tokens_of
from archive.accounts.services import MAX_ISSUED, create_token, issue_token, revoke_session_tokens
from tests.factories import acting, make_dataset, make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def issue(user: User, secret: str, purpose: Token.Purpose = Token.Purpose.SESSION) -> Token:
    return issue_token(user=user, purpose=purpose, secret=secret, expires=timezone.now() + HOUR)


def test_issued_token_is_found_by_its_secret_until_it_expires() -> None:
    user = make_user()
    token = issue(user, "a secret")
    assert find_token("a secret") == token
    Token.objects.filter(pk=token.pk).update(expires=timezone.now())
    assert find_token("a secret") is None


def test_issued_token_is_for_one_dataset_if_its_purpose_is() -> None:
    dataset, user = make_dataset(), make_user()
    expires = timezone.now() + HOUR
    token = issue_token(user=user, purpose=Token.Purpose.UPLOAD, secret="s", expires=expires, dataset=dataset)
    assert acting(user, token).only_dataset == dataset.number


def test_issued_tokens_are_not_among_those_that_people_made() -> None:
    user = make_user()
    own, _ = create_token(user=user, name="laptop")
    issue(user, "a secret")
    assert list(tokens_of(user)) == [own]


def test_issuing_deletes_what_has_expired_of_the_same_purpose() -> None:
    user = make_user()
    own, _ = create_token(user=user, name="laptop", expires=timezone.now() + HOUR)
    old = issue(user, "old")
    Token.objects.filter(pk__in=[own.pk, old.pk]).update(expires=timezone.now())
    new = issue(user, "new")
    assert set(user.tokens.values_list("pk", flat=True)) == {own.pk, new.pk}


def test_issuing_deletes_the_oldest_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_ISSUED >= 100
    monkeypatch.setattr("archive.accounts.services.MAX_ISSUED", 2)
    user = make_user()
    for name in ("first", "second", "third"):
        issue(user, name)
    assert [find_token(name) is not None for name in ("first", "second", "third")] == [False, True, True]


def test_sessions_of_a_user_end_together_and_no_others() -> None:
    user, other = make_user(), make_user()
    issue(user, "one")
    issue(user, "two")
    issue(other, "three")
    create_token(user=user, name="laptop", secret="four")
    revoke_session_tokens(user=user)
    assert [find_token(name) is not None for name in ("one", "two", "three", "four")] == [False, False, True, True]


def test_token_expires_no_later_than_the_one_it_was_asked_for_by() -> None:
    user = make_user()
    token, _ = create_token(user=user, name="short", expires=timezone.now() + HOUR)
    assert latest_expiry(token, timedelta(days=7)) == token.expires
    assert latest_expiry(None, timedelta(days=7)) > timezone.now() + timedelta(days=6)
