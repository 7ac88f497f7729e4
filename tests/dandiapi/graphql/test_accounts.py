"""Accounts of OpenNeuro's dialect: web tokens, the cookie, sign-in, and the links of reviewers."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from archive.accounts.models import Token, User
from archive.accounts.services import create_token
from dandiapi.graphql.access import COOKIE
from dandiapi.graphql.tokens import new_session
from tests.dandiapi.graphql.asking import Asker
from tests.factories import make_dataset, make_embargoed_dataset, make_unapproved_user, make_user, owner_of

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"

SELF = "/crn/users/self"
READ = "query($id: ID!) { dataset(id: $id) { id } }"


def claims(secret: str) -> dict[str, Any]:
    return jwt.decode(secret, options={"verify_signature": False})


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def owner_user(dataset: Any) -> User:
    user = owner_of(dataset).user
    assert user
    return user


def test_nobody_is_told_that_they_are_not_logged_in(client: Client) -> None:
    for response in (client.get(SELF), client.post("/crn/keygen"), client.get("/api/users/self")):
        assert (response.status_code, response.json()) == (401, {"error": "Not logged in."})


def test_key_is_a_web_token_that_clients_read_and_that_works(client: Client) -> None:
    user = make_user(first_name="Jane", last_name="Doe")
    _, secret = create_token(user=user, name="first")
    key = client.post("/crn/keygen", headers=bearer(secret)).json()["key"]
    told = claims(key)
    assert {name: told[name] for name in ("sub", "name", "email", "provider", "admin")} == {
        "sub": str(user.uuid),
        "name": "Jane Doe",
        "email": user.email,
        "provider": "google",
        "admin": False,
    }
    assert client.get(SELF, headers=bearer(key)).json()["id"] == str(user.uuid)
    assert Token.objects.get(name="OpenNeuro API key").purpose == Token.Purpose.ACCOUNT


def test_page_makes_a_key_for_who_is_signed_in(client: Client) -> None:
    assert client.get("/keygen").headers["Location"].startswith("/accounts/login/")
    assert client.get("/crn/keygen").headers["Location"] == "/keygen"
    user = make_user()
    client.force_login(user, backend=BACKEND)
    assert "Create key" in client.get("/keygen").text
    assert not Token.objects.exists()
    page = client.post("/keygen")
    assert "no-store" in page.headers["Cache-Control"]
    key = page.text.partition("<code>")[2].partition("<")[0]
    assert client.get(SELF, headers=bearer(key)).json()["id"] == str(user.uuid)
    assert "&quot;url&quot;: &quot;" in page.text


def test_page_makes_no_key_for_another_page() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(), backend=BACKEND)
    assert client.post("/keygen").status_code == 403
    assert not Token.objects.exists()


def test_page_makes_no_key_for_who_is_not_approved(client: Client) -> None:
    client.force_login(make_unapproved_user(), backend=BACKEND)
    assert client.post("/keygen").status_code == 403
    assert not Token.objects.exists()


def test_explorer_knows_the_session_of_the_pages_and_programs_do_not(client: Client) -> None:
    dataset = make_embargoed_dataset()
    client.force_login(owner_user(dataset), backend=BACKEND)
    asked = {"query": f'{{ dataset(id: "ds{dataset.number:06}") {{ id }} }}'}
    assert "&quot;dataset&quot;: {" in client.get("/crn/graphql", asked, headers={"Accept": "text/html"}).text
    answer = client.get("/crn/graphql", asked, headers={"Apollo-Require-Preflight": "yes"}).json()
    assert answer["data"]["dataset"] is None


def test_key_lives_no_longer_than_what_it_was_asked_for_by(client: Client) -> None:
    user = make_user()
    short, secret = create_token(user=user, name="short", expires=timezone.now() + timedelta(hours=1))
    key = client.post("/crn/keygen", headers=bearer(secret)).json()["key"]
    assert short.expires
    assert claims(key)["exp"] == int(short.expires.timestamp())


def test_cookie_of_a_session_says_who_asks_until_they_sign_out(client: Client) -> None:
    user = make_user()
    client.cookies[COOKIE] = new_session(user)
    assert client.get(SELF).json()["email"] == user.email
    other = Client()
    other.force_login(user, backend=BACKEND)
    other.logout()
    assert client.get(SELF).status_code == 401


def test_header_goes_before_the_cookie(client: Client) -> None:
    client.cookies[COOKIE] = new_session(make_user())
    _, secret = create_token(user=(user := make_user()), name="laptop")
    assert client.get(SELF, headers=bearer(secret)).json()["id"] == str(user.uuid)


@pytest.mark.parametrize("provider", ["orcid", "google"])
def test_sign_in_leads_to_the_form_and_back_with_a_cookie(client: Client, provider: str) -> None:
    path = b64encode(b"/datasets/ds000001?a=b").decode()
    begun = client.get(f"/crn/auth/{provider}", {"redirectPath": path})
    assert begun["Location"].startswith("/accounts/login/?next=%2Fcrn%2Fauth%2Fcomplete")
    assert client.get("/crn/auth/complete", {"redirectPath": path})["Location"] == "/accounts/login/"
    user = make_user()
    client.force_login(user, backend=BACKEND)
    back = client.get("/crn/auth/complete", {"redirectPath": path})
    assert back["Location"] == "/datasets/ds000001?a=b"
    cookie = back.cookies[COOKIE]
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", "")
    assert claims(cookie.value)["sub"] == str(user.uuid)


@pytest.mark.parametrize("path", [b"//evil.example", b"https://evil.example", b"/\\evil.example", b"\xff", b"evil"])
def test_sign_in_leads_nowhere_else(client: Client, path: bytes) -> None:
    client.force_login(make_user(), backend=BACKEND)
    assert client.get("/crn/auth/complete", {"redirectPath": b64encode(path).decode()})["Location"] == "/"


def test_repository_token_is_for_one_dataset_and_pushes_if_its_user_may() -> None:
    dataset = make_dataset()
    for user, expected in ((owner_user(dataset), ["read", "write"]), (make_user(), ["read"])):
        asked = Asker.of(user).ask(
            "mutation($id: ID!) { prepareRepoAccess(datasetId: $id) { token endpoint } }", id=f"ds{dataset.number:06}"
        )["prepareRepoAccess"]
        told = claims(asked["token"])
        assert asked["endpoint"] == 0
        assert told["scopes"] == [f"dataset:git:{name}" for name in expected]
        assert told["dataset"] == f"ds{dataset.number:06}"


def test_repository_token_is_no_key() -> None:
    dataset = make_embargoed_dataset()
    ids = {"id": f"ds{dataset.number:06}"}
    asker = Asker.of(owner_user(dataset))
    token = asker.ask("mutation($id: ID!) { prepareRepoAccess(datasetId: $id) { token } }", **ids)
    narrow = Asker(token["prepareRepoAccess"]["token"])
    assert narrow.ask(READ, **ids) == {"dataset": ids}
    other = make_embargoed_dataset(owner_user(dataset))
    assert narrow.refusal(READ, id=f"ds{other.number:06}") == "You do not have access to read this dataset."
    assert Client().post("/crn/keygen", headers=bearer(narrow.secret)).status_code == 403


def test_reviewer_reads_by_the_cookie_that_the_link_sets(client: Client) -> None:
    dataset = make_embargoed_dataset()
    ids = {"id": f"ds{dataset.number:06}"}
    owner = Asker.of(owner_user(dataset))
    made = owner.ask("mutation($id: ID!) { createReviewer(datasetId: $id) { id url expiration } }", **ids)
    url = made["createReviewer"]["url"]
    response = client.get(url.partition("http://localhost")[2] or url[url.index("/crn/") :])
    assert response["Location"] == f"/datasets/{ids['id']}"
    reviewer = Asker(client=client)
    assert reviewer.ask(READ, **ids) == {"dataset": ids}
    people = "query($id: ID!) { dataset(id: $id) { uploader { id } permissions { userPermissions { level } } } }"
    assert reviewer.ask(people, **ids) == {"dataset": {"uploader": None, "permissions": {"userPermissions": []}}}
    assert claims(response.cookies[COOKIE].value)["name"] == "Anonymous Reviewer"
    deleted = "mutation($id: ID!, $link: ID!) { deleteReviewer(datasetId: $id, id: $link) { id } }"
    owner.ask(deleted, **ids, link=made["createReviewer"]["id"])
    assert reviewer.refusal(READ, **ids) == "You do not have access to read this dataset."
    assert client.get(f"/crn/reviewer/{response.cookies[COOKIE].value}").status_code == 401


def test_reviewer_is_led_to_a_page_that_they_may_read(client: Client) -> None:
    dataset = make_embargoed_dataset()
    asked = f'mutation {{ createReviewer(datasetId: "ds{dataset.number:06}") {{ url }} }}'
    url = Asker.of(owner_user(dataset)).ask(asked)["createReviewer"]["url"]
    page = client.get(f"/crn/reviewer/{url.rpartition('/')[2]}", follow=True)
    assert page.status_code == 200
    assert dataset.identifier in page.text


def test_only_owners_make_links_for_reviewers() -> None:
    dataset = make_dataset()
    made = "mutation($id: ID!) { createReviewer(datasetId: $id) { id } }"
    ids = {"id": f"ds{dataset.number:06}"}
    assert Asker.of(make_user()).refusal(made, **ids) == "You do not have admin access to this dataset."
    assert Asker().refusal(made, **ids) == "You must be logged in to do this."
