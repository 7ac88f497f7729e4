"""Who may download what in OpenNeuro's dialect, by which credentials, and what each is answered."""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive.accounts.models import Token, User
from archive.accounts.services import create_token, revoke_token
from archive.datasets.models import Dataset
from dandiapi.graphql.access import COOKIE
from dandiapi.graphql.tokens import new_repository_token, new_session
from tests.archive.catalogue.test_files import make_filled
from tests.dandiapi.graphql.asking import Asker
from tests.dandiapi.graphql.test_datasets import id_of, person
from tests.factories import (
    make_admin,
    make_asset,
    make_blob,
    make_dataset,
    make_editor,
    make_embargoed_dataset,
    make_reviewer_link,
    make_user,
    make_viewer,
    owner_of,
)

pytestmark = pytest.mark.django_db

KEY = "query($id: ID!) { dataset(id: $id) { draft { files { filename key } } } }"


@pytest.fixture
def hidden() -> Dataset:
    return make_filled(make_embargoed_dataset())


def key_of(dataset: Dataset, name: str = "README") -> str:
    files = Asker.of(person(dataset)).ask(KEY, id=id_of(dataset))["dataset"]["draft"]["files"]
    return str(next(each["key"] for each in files if each["filename"] == name))


def secret_of(user: User) -> str:
    return create_token(user=user, name="program")[1]


def revoked(user: User) -> str:
    token, secret = create_token(user=user, name="revoked")
    revoke_token(user=user, token_id=token.pk)
    return secret


def ended(user: User) -> str:
    token, secret = create_token(user=user, name="ended")
    Token.objects.filter(pk=token.pk).update(expires=timezone.now() - timedelta(seconds=1))
    return secret


def of_another_dataset(dataset: Dataset) -> str:
    """A token of the same person, for another dataset of theirs."""
    other = make_embargoed_dataset(person(dataset))
    return new_repository_token(owner_of(other), other)


# The statuses of HEAD and of GET.
READ, REFUSED = [200, 302], [403, 403]
ASKERS: dict[str, tuple[Callable[[Dataset], str], list[int]]] = {
    "anonymous": (lambda hidden: "", REFUSED),
    "stranger": (lambda hidden: secret_of(make_user()), REFUSED),
    "viewer": (lambda hidden: secret_of(make_viewer(hidden)), READ),
    "editor": (lambda hidden: secret_of(make_editor(hidden)), READ),
    "owner": (lambda hidden: secret_of(person(hidden)), READ),
    "administrator": (lambda hidden: secret_of(make_admin()), READ),
    "reviewer": (lambda hidden: make_reviewer_link(hidden)[1], READ),
    "reviewer of another": (lambda hidden: make_reviewer_link(make_embargoed_dataset())[1], REFUSED),
    "token of another dataset": (of_another_dataset, REFUSED),
    "revoked token": (lambda hidden: revoked(person(hidden)), REFUSED),
    "token that has ended": (lambda hidden: ended(person(hidden)), REFUSED),
    "no token at all": (lambda hidden: "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", REFUSED),
}


@pytest.mark.parametrize("asker", ASKERS)
def test_hidden_file_is_downloaded_by_those_who_may_read_it(client: Client, hidden: Dataset, asker: str) -> None:
    make, expected = ASKERS[asker]
    secret = make(hidden)
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    for rest in ("files/README", "snapshots/draft/files/sub-1:b.json", f"objects/{key_of(hidden)}?filename=README"):
        address = f"/crn/datasets/{id_of(hidden)}/{rest}"
        statuses = [client.head(address, headers=headers).status_code, client.get(address, headers=headers).status_code]
        assert statuses == expected, rest


def test_cookie_and_password_say_who_asks_as_well(client: Client, hidden: Dataset) -> None:
    address = f"/crn/datasets/{id_of(hidden)}/files/README"
    basic = b64encode(f"anybody:{secret_of(person(hidden))}".encode()).decode()
    assert client.head(address, headers={"Authorization": f"Basic {basic}"}).status_code == 200
    assert client.head(address).status_code == 403
    client.cookies[COOKIE] = new_session(person(hidden))
    assert client.head(address).status_code == 200


def test_download_has_the_name_that_is_asked_for_and_no_other_headers(client: Client, hidden: Dataset) -> None:
    client.cookies[COOKIE] = new_session(person(hidden))
    address = f"/crn/datasets/{id_of(hidden)}/objects/{key_of(hidden)}"
    found = client.get(address, {"filename": 'a"\r\nX-Evil: 1;ü.txt'})
    assert (found.status_code, found["Cache-Control"], found.has_header("X-Evil")) == (302, "no-store", False)
    [disposition] = parse_qs(urlsplit(found["Location"]).query)["response-content-disposition"]
    assert disposition.startswith("attachment; filename=\"a'")


def test_etag_is_the_md5_once_it_is_known(client: Client) -> None:
    dataset = make_dataset()
    blob = make_blob(dataset, b"a mouse")
    make_asset(dataset, "a.txt", blob=blob)
    address = f"/crn/datasets/{id_of(dataset)}/files/a.txt"
    blob.md5 = None
    blob.save()
    assert not client.head(address).has_header("ETag")
    blob.md5 = "0123456789abcdef0123456789abcdef"
    blob.save()
    assert client.head(address)["ETag"] == f'"{blob.md5}"'


def test_other_methods_are_not_allowed(client: Client, hidden: Dataset) -> None:
    assert client.post(f"/crn/datasets/{id_of(hidden)}/files/README").status_code == 405


def test_download_costs_few_queries_however_many_files_there_are(client: Client) -> None:
    dataset = make_filled(make_dataset())

    def cost(rest: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.head(f"/crn/datasets/{id_of(dataset)}/{rest}").status_code == 200
        return len(captured)

    places = ("files/README", f"objects/{key_of(dataset)}")
    before = [cost(place) for place in places]
    for number in range(20):
        make_asset(dataset, f"sub-{number + 2}/a", blob=make_blob(dataset))
    assert [cost(place) for place in places] == before
    assert max(before) <= 6
