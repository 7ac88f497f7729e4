"""Signing in with tokens, and the route that gives them (docs/dialects/dandi.md#credentials)."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from archive.accounts.services import create_token, revoke_token
from tests.dandiapi.rest.api import Api
from tests.factories import make_user
from tests.threads import threads

CHALLENGE = 'Bearer realm="api"'
NO_CREDENTIALS = {"detail": "Authentication credentials were not provided."}


def me(authorization: str) -> int:
    return Client(headers={"Authorization": authorization}).get("/api/users/me/").status_code


@pytest.fixture
def secret(owner: Api) -> str:
    return create_token(user=owner.user, name="laptop")[1]


@pytest.mark.parametrize("keyword", ["token", "Token", "TOKEN"])
def test_token_is_taken_whatever_the_case_of_its_keyword(secret: str, keyword: str) -> None:
    assert me(f"{keyword} {secret}") == 200


@pytest.mark.parametrize(
    "authorization", ["token", "token  ", "token x", "token x y", "token \xe9", "token " + "x" * 5000]
)
def test_token_is_refused_when_it_is_none(owner: Api, authorization: str) -> None:
    response = Client(headers={"Authorization": authorization}).get("/api/info/")
    assert (response.status_code, response.json()) == (401, {"detail": "Invalid token."})
    assert response["WWW-Authenticate"] == CHALLENGE


def test_token_is_refused_when_it_has_expired(owner: Api) -> None:
    owner.token.expires = timezone.now() - timedelta(seconds=1)
    owner.token.save()
    assert owner.get("users/me/").status_code == 401


def test_token_is_refused_when_it_was_revoked(owner: Api) -> None:
    revoke_token(user=owner.user, token_id=owner.token.pk)
    assert owner.get("users/me/").json() == {"detail": "Invalid token."}


def test_token_is_refused_when_its_user_is_not_active(owner: Api) -> None:
    owner.user.is_active = False
    owner.user.save()
    assert owner.get("users/me/").status_code == 401


def test_token_never_lies_in_the_database(secret: str, owner: Api) -> None:
    kept = str(list(owner.user.tokens.values()))
    assert secret not in kept
    assert me(f"token {owner.token.digest}") == 401


@pytest.mark.parametrize("authorization", ["Bearer unknown", "Basic eDp5", "nonsense"])
def test_request_is_anonymous_when_it_signs_in_by_other_means(owner: Api, authorization: str) -> None:
    client = Client(headers={"Authorization": authorization})
    assert client.get("/api/info/").status_code == 200
    assert client.get("/api/users/me/").status_code == 401


def test_anonymous_is_told_how_to_sign_in(anonymous: Api) -> None:
    response = anonymous.get("users/me/")
    assert (response.status_code, response.json()) == (401, NO_CREDENTIALS)
    assert response["WWW-Authenticate"] == CHALLENGE


def test_anonymous_is_told_how_to_sign_in_when_a_dataset_is_embargoed(
    anonymous: Api, draft: str, embargoed: None
) -> None:
    response = anonymous.get(draft)
    assert (response.status_code, response.json()) == (401, NO_CREDENTIALS)
    assert response["WWW-Authenticate"] == CHALLENGE


def test_session_is_enough_to_read(owner: Api) -> None:
    client = Client()
    client.force_login(owner.user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/users/me/").json()["username"] == owner.user.username


def test_session_is_not_enough_to_write_when_the_request_may_be_forged(owner: Api, dataset: object) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner.user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/api/dandisets/", {}, content_type="application/json").status_code == 403


def test_token_route_shows_the_token_that_it_is_asked_with(secret: str) -> None:
    response = Client(headers={"Authorization": f"token {secret}"}).get("/api/auth/token/")
    assert (response.status_code, response.json()) == (200, secret)


def test_token_route_finds_nothing_when_it_is_asked_from_a_session(owner: Api) -> None:
    client = Client()
    client.force_login(owner.user, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get("/api/auth/token/")
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


def test_token_route_makes_a_key_that_works(owner: Api) -> None:
    key = owner.post("auth/token/").json()
    assert me(f"token {key}") == 200


def test_token_route_ends_the_old_key_when_it_makes_a_new_one(owner: Api) -> None:
    old, new = owner.post("auth/token/").json(), owner.post("auth/token/").json()
    assert (me(f"token {old}"), me(f"token {new}")) == (401, 200)


def session_of(api: Api) -> Client:
    client = Client()
    client.force_login(api.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_token_route_shows_the_key_again_to_a_session(owner: Api) -> None:
    key = owner.post("auth/token/").json()
    response = session_of(owner).get("/api/auth/token/")
    assert (response.status_code, response.json(), response["Cache-Control"]) == (200, key, "no-store")
    assert me(f"token {key}") == 200


def test_token_route_shows_nobody_the_key_of_another(owner: Api, stranger: Api) -> None:
    owner.post("auth/token/")
    assert session_of(stranger).get("/api/auth/token/").status_code == 404


def test_token_route_finds_nothing_when_the_key_was_revoked(owner: Api) -> None:
    owner.post("auth/token/")
    owner.user.tokens.update(revoked=timezone.now())
    assert session_of(owner).get("/api/auth/token/").status_code == 404


def test_token_route_finds_nothing_when_the_key_cannot_be_read(owner: Api) -> None:
    owner.post("auth/token/")
    session = session_of(owner)
    owner.user.tokens.update(sealed="sealed by another")
    assert session.get("/api/auth/token/").status_code == 404


def test_key_never_lies_in_the_database_as_it_is(owner: Api) -> None:
    key = owner.post("auth/token/").json()
    assert key not in str(list(owner.user.tokens.values()))


def test_token_route_leaves_other_tokens_alone(owner: Api) -> None:
    owner.post("auth/token/")
    assert owner.get("users/me/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_token_route_leaves_one_key_when_it_is_asked_four_times_at_once() -> None:
    person = make_user()
    askers = [Api(person) for _ in range(4)]
    with threads(4) as start:
        answers = [start(asker.post, "auth/token/") for asker in askers]
    keys = [answer.result().json() for answer in answers]
    assert sorted(me(f"token {key}") for key in keys) == [200, 401, 401, 401]


def test_token_route_makes_no_key_that_outlives_the_token_that_asks(owner: Api) -> None:
    end = timezone.now() + timedelta(days=30)
    owner.user.tokens.update(expires=end)
    key = owner.post("auth/token/").json()
    again = Api(secret=key).post("auth/token/").json()
    assert [me(f"token {secret}") for secret in (key, again)] == [401, 200]
    assert set(owner.user.tokens.values_list("expires", flat=True)) == {end}


def test_token_route_makes_a_key_that_lasts_when_a_session_asks(owner: Api) -> None:
    session_of(owner).post("/api/auth/token/")
    assert owner.user.tokens.get(name="API key").expires is None
