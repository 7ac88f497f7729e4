"""Repositories over smart HTTP: the shapes of gitprotocol-http, who may read, and what makes no sense."""

import gzip
from typing import Any

import pytest

from archive.datasets.models import Dataset
from archive.snapshots.services import repository_of
from dandiapi.git import repository
from dandiapi.git.access import SIGN_IN
from tests.dandiapi.git.caller import Caller, make_followed
from tests.dandiapi.rest.world import embargo
from tests.factories import make_reviewer_link, make_user, owner_of
from tests.worker import MadeOnce, Worker

WANTS = "application/x-git-upload-pack-request"
LIST_REFERENCES = b"0014command=ls-refs\n0015agent=git/2.39.5\n00010009peel\n0000"
VERSION_2 = {"Git-Protocol": "version=2"}


@pytest.fixture(scope="module", autouse=True)
def followed(made_once: MadeOnce[int]) -> int:
    return made_once(lambda _: make_followed(make_user(), Worker([])).pk)


@pytest.fixture
def dataset(db: None, followed: int) -> Dataset:
    """Somebody's open dataset of one file, whose repository has followed."""
    return Dataset.objects.get(pk=followed)


@pytest.fixture
def owner(dataset: Dataset) -> Caller:
    return Caller(owner_of(dataset).user)


def at(dataset: Dataset, rest: str) -> str:
    return f"/git/{dataset.identifier}{rest}"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def ask(caller: Caller, dataset: Dataset, request: bytes, **headers: str) -> Any:
    return caller.post(at(dataset, "/git-upload-pack"), request, WANTS, **VERSION_2, **headers)


def test_references_are_told_after_the_name_of_the_service(anonymous: Caller, dataset: Dataset) -> None:
    response = anonymous.get(at(dataset, "/info/refs?service=git-upload-pack"))
    assert response.headers["Content-Type"] == "application/x-git-upload-pack-advertisement"
    assert "no-cache" in response.headers["Cache-Control"]
    assert response.content.startswith(b"001e# service=git-upload-pack\n0000")
    assert b"refs/heads/main\n" in response.content
    assert b"refs/heads/git-annex\n" in response.content
    assert b"symref=HEAD:refs/heads/main" in response.content
    assert b" filter " in response.content


def test_references_are_asked_for_in_version_2(anonymous: Caller, dataset: Dataset) -> None:
    told = anonymous.get(at(dataset, "/info/refs?service=git-upload-pack"), **VERSION_2).content
    assert told.startswith(b"000eversion 2\n")
    response = ask(anonymous, dataset, LIST_REFERENCES)
    assert response.headers["Content-Type"] == "application/x-git-upload-pack-result"
    assert b"refs/heads/main" in body(response)


def test_repository_has_two_spellings(anonymous: Caller, dataset: Dataset) -> None:
    plain = anonymous.get(at(dataset, "/info/refs?service=git-upload-pack"))
    assert anonymous.get(at(dataset, ".git/info/refs?service=git-upload-pack")).content == plain.content


def test_request_may_be_compressed(anonymous: Caller, dataset: Dataset) -> None:
    plain = body(ask(anonymous, dataset, LIST_REFERENCES))
    assert (
        body(ask(anonymous, dataset, gzip.compress(LIST_REFERENCES, mtime=0), **{"Content-Encoding": "gzip"})) == plain
    )


def test_answers_are_not_compressed_twice(anonymous: Caller, dataset: Dataset) -> None:
    response = ask(anonymous, dataset, LIST_REFERENCES, **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers


def test_configuration_tells_git_annex_where_to_ask(anonymous: Caller, dataset: Dataset, settings: Any) -> None:
    settings.ARCHIVE_URL = "https://archive.example.org"
    uuid = repository_of(dataset).annex_uuid
    told = anonymous.get(at(dataset, "/config")).content.decode()
    assert told == f"[annex]\n\tuuid = {uuid}\n\turl = annex+https://archive.example.org:443/git-annex/\n"


@pytest.mark.parametrize(
    ("request_body", "headers"),
    [
        (b"nonsense", {}),
        (b"", {}),
        (b"0014command=ls-refs\n", {}),
        (LIST_REFERENCES, {"Content-Encoding": "gzip"}),
        (gzip.compress(LIST_REFERENCES, mtime=0)[:-9], {"Content-Encoding": "gzip"}),
        (LIST_REFERENCES, {"Content-Encoding": "br"}),
    ],
    ids=["words", "nothing", "unfinished", "uncompressed", "cut", "brotli"],
)
def test_request_that_makes_no_sense_is_refused(
    anonymous: Caller, dataset: Dataset, request_body: bytes, headers: dict[str, str]
) -> None:
    response = ask(anonymous, dataset, request_body, **headers)
    assert (response.status_code, response.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")


def test_request_of_another_type_is_refused(anonymous: Caller, dataset: Dataset) -> None:
    response = anonymous.post(at(dataset, "/git-upload-pack"), LIST_REFERENCES, "text/plain")
    assert (response.status_code, WANTS in response.content.decode()) == (400, True)


def test_request_that_inflates_beyond_measure_is_refused(
    anonymous: Caller, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MAX_REQUEST", 100_000)
    response = ask(anonymous, dataset, gzip.compress(bytes(10_000_000)), **{"Content-Encoding": "gzip"})
    assert (response.status_code, "100000 bytes" in response.content.decode()) == (400, True)


@pytest.mark.parametrize("query", ["", "?service=", "?service=git-shell", "?service=upload-pack"])
def test_repository_is_not_read_the_dumb_way(anonymous: Caller, dataset: Dataset, query: str) -> None:
    assert anonymous.get(at(dataset, f"/info/refs{query}")).status_code == 403


@pytest.mark.parametrize("protocol", ["version=2\nGIT_DIR=/", "version=9", "--upload-pack=x", "version=2:x=y"])
def test_protocol_that_is_none_is_as_if_none_was_named(anonymous: Caller, dataset: Dataset, protocol: str) -> None:
    told = anonymous.get(at(dataset, "/info/refs?service=git-upload-pack"), **{"Git-Protocol": protocol}).content
    assert told.startswith(b"001e# service=git-upload-pack\n0000")


def test_answers_have_so_many_places(anonymous: Caller, dataset: Dataset) -> None:
    taken = [ask(anonymous, dataset, LIST_REFERENCES) for _ in range(8)]
    refused = ask(anonymous, dataset, LIST_REFERENCES)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    for response in taken:
        body(response)
    assert ask(anonymous, dataset, LIST_REFERENCES).status_code == 200


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rest", ["/info/refs?service=git-upload-pack", "/config"])
def test_embargoed_repository_is_absent_to_others(
    anonymous: Caller, stranger: Caller, owner: Caller, dataset: Dataset, rest: str
) -> None:
    embargo(dataset)
    _, secret = make_reviewer_link(dataset)
    assert anonymous.get(at(dataset, rest)).status_code == 401
    assert stranger.get(at(dataset, rest)).status_code == 404
    assert owner.get(at(dataset, rest)).status_code == 200
    assert Caller(secret=secret).get(at(dataset, rest)).status_code == 403


def test_reviewers_are_not_shown_commits_because_these_name_people(dataset: Dataset) -> None:
    _, secret = make_reviewer_link(dataset)
    assert Caller(secret=secret).get(at(dataset, "/config")).status_code == 200
    embargo(dataset)
    refused = Caller(secret=secret).get(at(dataset, "/config"))
    assert (refused.status_code, "name people" in refused.content.decode()) == (403, True)


def test_what_is_absent_and_what_is_hidden_are_answered_alike(
    anonymous: Caller, stranger: Caller, dataset: Dataset
) -> None:
    embargo(dataset)
    for caller in (anonymous, stranger):
        hidden, absent = (caller.get(f"/git/{name}/config") for name in (dataset.identifier, "999999"))
        assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)


def test_who_is_nobody_is_asked_for_a_password(anonymous: Caller) -> None:
    refused = anonymous.get("/git/999999/config")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_who_is_nobody_is_told_how_to_sign_in_to_push(anonymous: Caller, dataset: Dataset) -> None:
    refused = anonymous.get(at(dataset, "/info/refs?service=git-receive-pack"))
    assert (refused.status_code, refused.content.decode()) == (401, f"{SIGN_IN}\n")


@pytest.mark.parametrize("header", ["Basic x", "Basic !!", "Bearer x", "token x", "Digest x", "Basic eDp5", "x"])
def test_token_that_is_none_is_refused_even_for_what_is_open(dataset: Dataset, header: str) -> None:
    caller = Caller()
    assert caller.get(at(dataset, "/config"), Authorization=header).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "token"])
def test_token_may_come_by_itself(owner: Caller, dataset: Dataset, scheme: str) -> None:
    embargo(dataset)
    assert Caller().get(at(dataset, "/config"), Authorization=f"{scheme} {owner.secret}").status_code == 200


def test_push_is_for_owners(anonymous: Caller, stranger: Caller, owner: Caller, dataset: Dataset) -> None:
    address = at(dataset, "/info/refs?service=git-receive-pack")
    assert [caller.get(address).status_code for caller in (anonymous, stranger, owner)] == [401, 403, 200]
    embargo(dataset)
    assert [caller.get(address).status_code for caller in (anonymous, stranger, owner)] == [401, 404, 200]
