"""Slow clients at every door of the archive itself: whoever is not slow is answered as if they were not there."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from socket import create_connection
from statistics import median
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from archive.accounts.models import User
from archive.accounts.services import create_token
from archive.datasets.models import Dataset
from archive.git_annex.keys import AnnexKey
from archive.snapshots.keeping.packets import KEEP_ALIVE
from archive.snapshots.services import repository_of
from archive.snapshots.writing.following import begun
from archive.storage.queries import bucket
from archive.timeline.services import hold
from tests.archive.snapshots.pushing.pusher import MAIN, NONE, Pusher, new_repository
from tests.dandiapi.live.listening import LiveProcess, database_url
from tests.dandiapi.server.serving import PATIENCE, Server, request, rest_of, status_of
from tests.factories import make_asset, make_blob, make_dataset, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PUSH = "application/x-git-receive-pack-request"
EACH = 20
PROMPTLY = 1.0
GONE = PATIENCE + 8
CONTENT = b"what a mouse saw" * 2**21
KEY = str(AnnexKey("SHA256", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), ".nwb"))


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock():
        services = {"DATABASE_URL": database_url(), "S3_BUCKET": bucket()}
        server = Server("dandiapi.wsgi:application", GIT_STREAMS="2", GIT_KEEP_ALIVE="0.1", **services)
    try:
        server.wait_until_ready("/api/info/")
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def live(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[LiveProcess]:
    with LiveProcess.running(django_db_blocker, heartbeat=1) as process:
        yield process


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def dataset(owner: User) -> Dataset:
    """The owner's open dataset, of one large file."""
    dataset = make_dataset(owner)
    blob = make_blob(dataset, CONTENT)
    blob.sha256 = hashlib.sha256(CONTENT).hexdigest()
    blob.save()
    make_asset(dataset, "sub-1/a.nwb", blob=blob)
    return dataset


@pytest.fixture
def annex(dataset: Dataset) -> str:
    return f"/git-annex/{repository_of(dataset).annex_uuid}/v4"


@pytest.fixture
def slow(owner: User, dataset: Dataset, annex: str) -> list[bytes]:
    """The beginning of a request at each door, by who may ask there."""
    token = {"Authorization": f"token {create_token(user=owner, name='tests')[1]}"}
    draft = f"/api/dandisets/{dataset.identifier}/versions/draft"
    repository = f"/git/{dataset.identifier}"
    addresses = [
        ("POST", "/api/dandisets/"),
        ("PUT", f"{draft}/"),
        ("POST", f"{draft}/assets/"),
        ("POST", "/api/uploads/initialize/"),
        ("POST", "/api/zarr/"),
        ("POST", f"{repository}/git-upload-pack"),
        ("POST", f"{repository}/git-receive-pack"),
        ("POST", f"{annex}/put?clientuuid=c&key={KEY}&offset=0"),
        ("POST", f"{annex}/keeplocked?clientuuid=c&lockid=x"),
        ("POST", "/accounts/login/"),
        ("POST", "/admin/login/"),
        ("POST", "/oauth/token/"),
    ]
    return [request(method, path, b"{", Content_Length="1000", **token) for method, path in addresses]


def seconds_of(server: Server) -> float:
    """How long a request takes that is like others, at a machine that has more to do."""
    return median(seconds_of_one(server) for _ in range(5))


def seconds_of_one(server: Server) -> float:
    began = time.monotonic()
    assert server.status("/api/info/") == 200
    return time.monotonic() - began


def first_of(server: Server, path: str) -> bytes:
    with server.connect(request("GET", path)) as sock:
        return sock.recv(2**10)


def test_slow_senders_at_all_doors_keep_nobody_from_an_answer(web: Server, slow: list[bytes]) -> None:
    assert len(slow) * EACH >= 200
    with web.connections(slow * EACH) as sockets:
        assert seconds_of(web) < PROMPTLY
        assert web.status("/api/dandisets/") == 200
        assert {status_of(rest_of(sock)) for sock in sockets} == {200, 408}


def test_slow_git_clients_take_no_place_from_others(web: Server, dataset: Dataset, slow: list[bytes]) -> None:
    with web.connections([each for each in slow if b"/git" in each] * EACH):
        assert web.status(f"/git/{dataset.identifier}/info/refs?service=git-upload-pack") == 200


def test_slow_readers_of_content_give_their_places_back(web: Server, annex: str) -> None:
    path = f"{annex}/key/{KEY}?clientuuid=c"
    with web.connections([request("GET", path)] * 2):
        time.sleep(0.5)
        assert status_of(first_of(web, path)) == 503
        assert seconds_of(web) < PROMPTLY
        deadline = time.monotonic() + GONE
        while status_of(answer := first_of(web, path)) == 503 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert status_of(answer) == 200


def test_pusher_hears_something_all_the_while_a_push_is_judged(web: Server, owner: User, tmp_path: Path) -> None:
    dataset = make_dataset(owner)
    begun(dataset)
    pusher = Pusher(new_repository(tmp_path / "own.git"))
    body = pusher.request((NONE, pusher.commit({"README.md": b"Mice.\n"}), MAIN))
    headers = {"Authorization": f"token {create_token(user=owner, name='tests')[1]}", "Content-Type": PUSH}
    path = f"/git/{dataset.identifier}/git-receive-pack"
    sent = request("POST", path, body, **headers, Connection="close", Content_Length=str(len(body)))
    with web.connect(sent) as sock:
        answer = b""
        with transaction.atomic():
            # No judgement ends as long as somebody else changes the dataset.
            hold(dataset.number)
            while answer.count(KEEP_ALIVE) < 10:
                answer += sock.recv(2**16)
        assert status_of(answer) == 200
        assert b"ok refs/heads/main" in answer + rest_of(sock)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /events/dandisets/000001/ HTTP/1.1\r\n",
        request("POST", "/events/dandisets/000001/", b"a", Content_Length="1000"),
    ],
    ids=["silent", "head", "length"],
)
def test_slow_senders_keep_nobody_from_events(live: LiveProcess, dataset: Dataset, sent: bytes) -> None:
    with ExitStack() as held:
        for _ in range(220):
            held.enter_context(create_connection(("127.0.0.1", live.port), 10)).sendall(sent)
        began = time.monotonic()
        with live.listening(f"/events/dandisets/{dataset.identifier}/") as events:
            next(events)
        assert time.monotonic() - began < PROMPTLY
