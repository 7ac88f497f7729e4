"""Repositories at OpenNeuro's addresses: the same as at our own, by web tokens, and content by its key."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.utils import timezone

from archive.accounts.models import Token
from archive.accounts.policy import Actor
from archive.blobs.models import Blob
from archive.datasets.models import Dataset
from archive.datasets.services import set_editors, set_viewers
from archive.git_annex.files import link_target
from archive.git_annex.keys import AnnexKey, parse_annex_key
from dandiapi.graphql.tokens import new_repository_token
from tests.archive.snapshots.pushing.pusher import LINK, MAIN, NONE, Answer, Pusher, answer_of, new_repository
from tests.dandiapi.git.caller import Caller
from tests.factories import make_dataset, make_embargoed_dataset, make_reviewer_link, make_user, owner_of

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = b"what a mouse heard"


@pytest.fixture(autouse=True)
def _cache(settings: Any, tmp_path: Path) -> None:
    settings.SNAPSHOT_CACHE = str(tmp_path / "cache")


def at(dataset: Dataset, rest: str) -> str:
    return f"/git/0/ds{dataset.number:06}/{rest}"


def key_of(content: bytes) -> str:
    return str(AnnexKey("SHA256", len(content), hashlib.sha256(content).hexdigest(), ".nii"))


KEY = key_of(CONTENT)


def pushing(actor: Actor, dataset: Dataset) -> Caller:
    """Somebody with a token for the repository of a dataset."""
    return Caller(secret=new_repository_token(actor, dataset))


def test_repository_is_the_same_at_both_addresses(dataset: Dataset, anonymous: Caller) -> None:
    asked = "info/refs?service=git-upload-pack"
    ours = anonymous.get(f"/git/{dataset.number:06}/{asked}")
    theirs = anonymous.get(at(dataset, asked))
    assert (theirs.status_code, theirs.content) == (200, ours.content)


@pytest.mark.parametrize(
    "address", ["/crn/git/ds000001/info/refs?service=git-upload-pack", "/api/git/ds000001/info/refs?a=b"]
)
def test_address_of_pages_leads_to_the_repository_with_what_is_asked(anonymous: Caller, db: None, address: str) -> None:
    response = anonymous.get(address)
    assert response.status_code == 301
    assert response["Location"] == address.replace("/crn/", "/").replace("/api/", "/").replace("/git/", "/git/0/")


def test_token_for_the_repository_is_taken_as_bearer_and_as_password(owner: Caller) -> None:
    assert owner.user
    dataset = make_embargoed_dataset(owner.user)
    token = new_repository_token(owner_of(dataset), dataset)
    asked = at(dataset, "info/refs?service=git-receive-pack")
    assert Caller(secret=token).get(asked).status_code == 200
    assert Caller().get(asked, Authorization=f"Bearer {token}").status_code == 200
    assert Caller().get(asked).status_code == 401
    assert "Basic" in Caller().get(asked)["WWW-Authenticate"]


def test_token_is_for_its_own_repository_alone_until_it_ends(owner: Caller) -> None:
    assert owner.user
    dataset, other = make_embargoed_dataset(owner.user), make_embargoed_dataset(owner.user)
    caller = pushing(owner_of(dataset), dataset)
    asked = "info/refs?service=git-upload-pack"
    assert [caller.get(at(each, asked)).status_code for each in (dataset, other)] == [200, 404]
    Token.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert caller.get(at(dataset, asked)).status_code == 401


def test_token_that_is_revoked_opens_nothing_more() -> None:
    dataset = make_embargoed_dataset()
    caller = pushing(owner_of(dataset), dataset)
    addresses = [at(dataset, "info/refs?service=git-upload-pack"), at(dataset, f"annex/{KEY}")]
    assert [caller.get(each).status_code for each in addresses] == [200, 404]
    Token.objects.all().delete()
    assert [caller.get(each).status_code for each in addresses] == [401, 401]


def test_push_of_files_whose_content_is_missing_is_refused_by_their_keys(tmp_path: Path) -> None:
    dataset = make_embargoed_dataset()
    caller = pushing(owner_of(dataset), dataset)
    pusher = Pusher(new_repository(tmp_path / "clone.git"))
    link = (LINK, link_target("sub-1/a.nii", parse_annex_key(KEY)).encode())
    request = pusher.request((NONE, pusher.commit({"sub-1": {"a.nii": link}}), MAIN))
    answer = pushed(caller, dataset, request)
    assert f"sub-1/a.nii: the archive does not have its content, {KEY}; send that first" in answer.remote
    assert not answer.is_accepted
    assert caller.post(at(dataset, f"annex/{KEY}"), CONTENT, "application/octet-stream").status_code == 200
    assert pushed(caller, dataset, request).is_accepted


def pushed(caller: Caller, dataset: Dataset, request: bytes) -> Answer:
    response = caller.post(at(dataset, "git-receive-pack"), request, "application/x-git-receive-pack-request")
    assert response.status_code == 200, response.content
    return answer_of(b"".join(response.streaming_content))


@pytest.mark.parametrize(
    ("secret", "status"),
    [
        ("eyJhIjoxfQ.eyJhIjoxfQ.", 401),
        ("eyJ.eyJ.eyJ", 400),
        (jwt.encode({"sub": "a"}, None, algorithm="none"), 401),
        (jwt.encode({"sub": "a"}, "k" * 40, algorithm="HS256"), 401),
        ("nothing", 401),
    ],
)
def test_token_that_is_none_is_refused_in_plain_text(db: None, secret: str, status: int) -> None:
    response = Caller(secret=secret).get("/git/0/ds000001/info/refs?service=git-upload-pack")
    assert (response.status_code, response["Content-Type"]) == (status, "text/plain; charset=utf-8")


def test_content_is_sent_asked_for_fetched_and_removed_by_its_key() -> None:
    dataset = make_embargoed_dataset()
    caller = pushing(owner_of(dataset), dataset)
    address = at(dataset, f"annex/{KEY}")
    assert caller.client.head(address).status_code == 404
    assert caller.post(address, CONTENT, "application/octet-stream").status_code == 200
    assert caller.post(address, CONTENT, "application/octet-stream").status_code == 200
    told = caller.client.head(address)
    assert (told.status_code, told["Content-Length"]) == (200, str(len(CONTENT)))
    assert caller.get(address).status_code == 303
    assert caller.client.delete(address).status_code == 204
    assert caller.client.head(address).status_code == 404


@pytest.mark.parametrize("sent", [b"what a mouse HEARD", b"short", b"", CONTENT + b"!"])
def test_content_that_is_not_what_its_key_says_is_not_kept(sent: bytes) -> None:
    dataset = make_embargoed_dataset()
    caller = pushing(owner_of(dataset), dataset)
    response = caller.post(at(dataset, f"annex/{KEY}"), sent, "application/octet-stream")
    assert response.status_code == 400
    assert not Blob.objects.exists()
    assert caller.client.head(at(dataset, f"annex/{KEY}")).status_code == 404


def test_key_of_another_kind_is_refused(owner: Caller, dataset: Dataset) -> None:
    assert owner.get(at(dataset, "annex/URL--http&c%%example.org")).status_code == 400


def test_content_is_sent_by_those_who_may_change_the_draft() -> None:
    dataset, other = make_embargoed_dataset(), make_dataset()
    viewer, editor = make_user(), make_user()
    set_viewers(actor=owner_of(dataset), dataset=dataset, usernames=[viewer.username])
    set_editors(actor=owner_of(dataset), dataset=dataset, usernames=[editor.username])
    callers = {
        "anonymous": Caller(),
        "stranger": Caller(make_user()),
        "ro": pushing(Actor(viewer), dataset),
        "rw": pushing(Actor(editor), dataset),
        "admin": pushing(owner_of(dataset), dataset),
        "of another dataset": pushing(owner_of(other), other),
        "reviewer": Caller(secret=make_reviewer_link(dataset)[1]),
        "reading token": Caller(owner_of(dataset).user, scope="read"),
    }
    address = at(dataset, f"annex/{KEY}")
    statuses = {name: caller.post(address, CONTENT, "a/b").status_code for name, caller in callers.items()}
    assert statuses == {
        "anonymous": 401,
        "stranger": 404,
        "ro": 403,
        "rw": 200,
        "admin": 200,
        "of another dataset": 404,
        "reviewer": 403,
        "reading token": 403,
    }
