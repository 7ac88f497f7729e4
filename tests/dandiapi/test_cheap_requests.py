"""A request stays cheap whatever is in it, at every address.

What it costs is the time of processors that this process spends, which no neighbour disturbs, and statements; what
Postgres spends on one of them it is made to give up after a second, which is an error. The bounds are generous, because
what they are about takes many seconds, or minutes.
"""

from collections.abc import Mapping
from time import process_time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.snapshots.services import repository_of
from dandiapi.bounds import MAX_ADDRESS, MAX_HEADERS
from dandiapi.postgres.patience import statement_seconds
from dandiapi.rest.base import View
from tests.dandiapi.rest.world import World
from tests.dandiapi.routes import addresses
from tests.factories import make_admin
from tests.worker import MadeOnce, Worker

pytestmark = pytest.mark.django_db

MIB = 2**20
MOST_STATEMENTS = 60
SMALL_SECONDS = 1.0
LARGE_SECONDS = 2.0
STATEMENT_TIMEOUT = "1s"

DIGITS = "9" * 1500
WORDS = " ".join(f"w{number}" for number in range(200))
PATH = "a/" * 1000
NAME = "a" * 1000

# What the query of an address says, by what is hostile in it. Each says something to as many addresses as possible.
QUERIES: dict[str, dict[str, Any]] = {
    "a glob of stars, an operator again and again": {
        "glob": "*" * 1023 + "b",
        "search": "owner:x " * 110,
        "species": [f"s{number}" for number in range(100)],
        "key": "SHA256E-s1--" + "0" * 1000,
        "service": "git-upload-pack" * 100,
    },
    "a glob of stars and letters, many operators": {
        "glob": "*a" * 500 + "b",
        "search": " ".join(f"owner:x{number}" for number in range(80)),
        "genotype": NAME,
        "location": PATH,
        "username": NAME,
    },
    "many words, long paths": {
        "search": WORDS,
        "path": PATH,
        "prefix": PATH,
        "path_prefix": PATH,
        "cursor": "WzEs" * 500,
        "dandiset_id": "000001",
        "version_id": "draft",
        "children": "true",
    },
    "quotation marks, numbers of many digits": {
        "search": '"' * 1000,
        "page": DIGITS,
        "page_size": DIGITS,
        "limit": DIGITS,
        "dandiset": DIGITS,
        "offset": DIGITS,
        "cursor": "W1tb" * 500,
        "QUESTIONS": "[" * 1500,
    },
    "a page far away": {"page": "999999999", "page_size": "1000", "offset": "999999999"},
    "many names": {f"n{number}": "" for number in range(900)},
}
# What its headers say.
HEADERS = {
    "a list in each": {
        "Accept": ",".join(f"a/b{number};q=0.{number}" for number in range(300)),
        "Accept-Language": ",".join(f"aa-{number};q=0.1" for number in range(300)),
        "Accept-Encoding": ",".join(f"gzip{number};q=0.1" for number in range(300)),
        "If-None-Match": ",".join(f'"{number:020x}"' for number in range(100)),
        "If-Match": 'W/"' * 1000,
        "Range": "bytes=" + ",".join(f"{number}-" for number in range(500)),
        "Cookie": ";".join(f"c{number}=1" for number in range(400)),
        "X-Forwarded-For": ",".join("10.0.0.1" for _ in range(200)),
        "If-Modified-Since": "Mon, " + "1" * 1000,
    },
    "a long token": {"Authorization": "token " + "a" * 8000},
    "a long password": {"Authorization": "Basic " + "YTph" * 2000},
    "a long session": {"Cookie": "sessionid=" + "a" * 8000},
}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\nContent-Type: text/plain\r\n\r\n%s\r\n'
# What is sent, and what it says it is.
BODIES: dict[str, tuple[str, bytes]] = {
    "empty lists": (JSON, b"[" + b",".join([b"[]"] * (10 * MIB // 3 - 1)) + b"]"),
    "one long text": (JSON, b'"' + b"a" * (10 * MIB - 2) + b'"'),
    "quotation marks": (JSON, b'"' * (5 * MIB) + b"[" * (5 * MIB)),
    "a row again and again": (JSON, b"[" + b",".join([b'{"username":"x","path":"x"}'] * 300_000) + b"]"),
    "fields of a form": (FORM, b"&".join([b"a=b"] * (10 * MIB // 4))),
    "a long field of a form": (FORM, b"a=" + b"%41" * (10 * MIB // 3)),
    "parts of a form": (PARTS, PART % (b"a", b"b") * 100_000 + b"--x--\r\n"),
    "a long part of a form": (PARTS, PART % (b"a", b"b" * 10 * MIB) + b"--x--\r\n"),
    "a long file in a form": (PARTS, FILE % (b"b" * 10 * MIB) + b"--x--\r\n"),
}


class Everywhere:
    """All the addresses there are, asked at by anybody and by an administrator."""

    def __init__(self, known: Mapping[str, str]) -> None:
        found = addresses(known)
        self.of_the_admin = [address for address in found if address.startswith("admin/")]
        self.others = [address for address in found if address not in self.of_the_admin]
        self.anybody = Client(raise_request_exception=False)
        self.administrator = Client(raise_request_exception=False)
        self.administrator.force_login(make_admin(), backend="django.contrib.auth.backends.ModelBackend")


def costing_more(asked: list[str], client: Client, method: str, seconds: float, **sent: Any) -> list[str]:
    """The addresses at which such a request costs more than it may, and what."""
    costs = {address: _cost(client, method, address, seconds, sent) for address in asked}
    return [f"{method} /{address[:100]}: {cost}" for address, cost in costs.items() if cost]


def _cost(client: Client, method: str, address: str, seconds: float, sent: dict[str, Any]) -> str:
    """Send a request, and undo what it does; what is wrong with what it costs, if anything is."""
    with transaction.atomic(), CaptureQueriesContext(connection) as statements:
        start = process_time()
        response = client.generic(method, f"/{address}", **sent)
        spent = process_time() - start
        transaction.set_rollback(True)
    if response.status_code >= 500:
        return f"status {response.status_code}"
    if len(statements) > MOST_STATEMENTS:
        return f"{len(statements)} statements"
    return f"{spent:.1f} s" if spent > seconds else ""


def find_addresses(worker: Worker) -> Everywhere:
    """Make something of every kind, to have addresses of."""
    world = World(worker)
    return Everywhere(
        {
            "identifier": world.identifier,
            **dict.fromkeys(("version", "other", "name", "before", "after"), "draft"),
            "asset_id": world.asset_id,
            "upload_id": world.upload_id,
            "zarr_id": world.zarr_id,
            "job_id": world.job_id,
            "link_id": world.link_id,
            "annex_uuid": str(repository_of(world.dataset).annex_uuid),
            "object_id": str(world.dataset.pk),
            "username": world.owner.username,
        }
    )


@pytest.fixture(scope="module", autouse=True)
def found(made_once: MadeOnce[Everywhere]) -> Everywhere:
    return made_once(find_addresses)


@pytest.fixture
def everywhere(db: None, found: Everywhere) -> Everywhere:
    """All the addresses; no statement of the test may take long."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_cheap_request_has_a_hostile_query(everywhere: Everywhere, query: str) -> None:
    text = urlencode(QUERIES[query], doseq=True)
    assert costing_more(everywhere.others, everywhere.administrator, "GET", SMALL_SECONDS, QUERY_STRING=text) == []


@pytest.mark.parametrize("headers", HEADERS)
def test_cheap_request_has_hostile_headers(everywhere: Everywhere, headers: str) -> None:
    sent = HEADERS[headers]
    assert costing_more(everywhere.others, everywhere.anybody, "GET", SMALL_SECONDS, headers=sent) == []


@pytest.mark.parametrize("body", BODIES)
def test_cheap_request_has_a_hostile_body(everywhere: Everywhere, body: str) -> None:
    kind, content = BODIES[body]
    sent = {"data": content, "content_type": kind}
    assert costing_more(everywhere.others, everywhere.administrator, "POST", LARGE_SECONDS, **sent) == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_cheap_request_has_a_hostile_body_from_anybody(everywhere: Everywhere, method: str) -> None:
    kind, content = BODIES["empty lists"]
    sent = {"data": content, "content_type": kind}
    assert costing_more(everywhere.others, everywhere.anybody, method, LARGE_SECONDS, **sent) == []


@pytest.mark.parametrize("words", [WORDS, "ab " * 1000, "%_" * 500, '"' * 1000, DIGITS])
def test_cheap_request_to_the_admin_has_a_hostile_query(everywhere: Everywhere, words: str) -> None:
    text = urlencode(dict.fromkeys(("q", "p", "o", "id__exact"), words))
    assert (
        costing_more(everywhere.of_the_admin, everywhere.administrator, "GET", SMALL_SECONDS, QUERY_STRING=text) == []
    )


def test_cheap_request_to_the_admin_has_a_hostile_body(everywhere: Everywhere) -> None:
    kind, content = BODIES["fields of a form"]
    sent = {"data": content, "content_type": kind}
    assert costing_more(everywhere.of_the_admin, everywhere.administrator, "POST", LARGE_SECONDS, **sent) == []


def test_cheap_request_is_refused_when_its_address_is_longer_than_any(client: Client) -> None:
    assert client.get("/api/info/", {"a": "a" * MAX_ADDRESS}).status_code == 414
    assert client.get(f"/{'a' * MAX_ADDRESS}/").status_code == 414
    assert client.get("/api/info/", {"a": "a" * (MAX_ADDRESS - 100)}).status_code == 200


def test_cheap_request_is_refused_when_its_headers_are_larger_than_any(client: Client) -> None:
    assert client.get("/api/info/", headers={"If-None-Match": '"a",' * (MAX_HEADERS // 4)}).status_code == 431
    assert client.get("/api/info/", headers={"If-None-Match": '"a",' * (MAX_HEADERS // 8)}).status_code == 200


@pytest.mark.parametrize(("method", "seconds"), [("GET", 10), ("HEAD", 10), ("POST", 60), ("DELETE", 60)])
def test_cheap_request_has_its_statements_given_up_sooner_when_it_reads(
    client: Client, monkeypatch: pytest.MonkeyPatch, method: str, seconds: int
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(View, "initial", lambda *_, **__: asked.append(statement_seconds()))
    client.generic(method, "/api/info/")
    assert asked == [seconds]


@pytest.mark.parametrize("address", ["/api/info/", "/"])
def test_cheap_request_is_told_that_the_database_gave_up(
    client: Client, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr("dandiapi.rest.general.info", _ask_too_much)
    monkeypatch.setattr("dandiapi.web.views.archive_totals", _ask_too_much)
    response = client.get(address)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "60")
    assert b"took too long" in response.content


def _ask_too_much() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 10")
        cursor.execute("SELECT pg_sleep(5)")
