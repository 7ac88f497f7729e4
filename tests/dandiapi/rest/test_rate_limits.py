"""How often one may ask: by the minute, for each user, or else each address; `Retry-After` says when again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from dandiapi import limits
from dandiapi.limits import Limiter
from tests.dandiapi.rest.api import Api

NOW = 1_000_000 * limits.WINDOW_SECONDS


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, ten seconds into a minute, for a test to change; nobody has asked anything yet."""
    moment = [NOW + 10.0]
    monkeypatch.setattr(limits.time, "time", lambda: moment[0])
    monkeypatch.setattr(limits, "LIMITER", Limiter())
    return moment


@pytest.fixture
def limited(settings: Any) -> None:
    settings.RATE_LIMIT_ANONYMOUS, settings.RATE_LIMIT_SIGNED_IN = 2, 3
    settings.TRUSTED_PROXIES = 1


def _statuses(caller: Api, number: int, **headers: str) -> list[int]:
    return [caller.get("info/", headers=headers).status_code for _ in range(number)]


def _admitted(limiter: Limiter, number: int, limit: int) -> int:
    return sum(limiter.admit("somebody", limit) for _ in range(number))


# --- Requests ---------------------------------------------------------------------------------------------------------


def test_request_beyond_the_limit_is_refused_and_says_when_to_come_back(anonymous: Api, limited: None) -> None:
    assert _statuses(anonymous, 2) == [200, 200]
    refused = anonymous.get("info/", headers={"Origin": "https://app.example.org"})
    assert (refused.status_code, refused["Retry-After"]) == (429, "50")
    assert list(refused.json()) == ["detail"]
    assert "retry-after" in refused["Access-Control-Expose-Headers"]


def test_next_minute_begins_anew(anonymous: Api, limited: None, clock: list[float]) -> None:
    assert _statuses(anonymous, 3) == [200, 200, 429]
    clock[0] += 50
    assert _statuses(anonymous, 1) == [200]


def test_each_user_has_a_limit_of_their_own(anonymous: Api, owner: Api, stranger: Api, limited: None) -> None:
    assert _statuses(owner, 4) == [200, 200, 200, 429]
    assert _statuses(stranger, 3) == [200, 200, 200]
    assert _statuses(anonymous, 2) == [200, 200]


def test_each_address_has_a_limit_of_its_own(anonymous: Api, limited: None) -> None:
    assert _statuses(anonymous, 3, X_Forwarded_For="192.0.2.1") == [200, 200, 429]
    assert _statuses(anonymous, 1, X_Forwarded_For="192.0.2.2") == [200]


def test_address_that_a_client_makes_up_counts_for_nothing(anonymous: Api, limited: None) -> None:
    assert _statuses(anonymous, 2, X_Forwarded_For="198.51.100.1, 192.0.2.1") == [200, 200]
    assert _statuses(anonymous, 1, X_Forwarded_For="198.51.100.2, 192.0.2.1") == [429]


def test_there_is_no_limit_where_none_is_set(anonymous: Api) -> None:
    assert set(_statuses(anonymous, 20)) == {200}


# --- What is refused --------------------------------------------------------------------------------------------------

BAD = {"Authorization": "token arc_nonsense"}


def _asks(method: str, address: str, **options: Any) -> Callable[[Client], Any]:
    return lambda client: client.generic(method, address, **options)


REFUSED: dict[str, tuple[Callable[[Client], Any], int]] = {
    "bad token": (_asks("GET", "/api/info/", headers=BAD), 401),
    "nobody, to write": (_asks("POST", "/api/dandisets/"), 401),
    "nobody, to read": (_asks("GET", "/api/users/me/"), 401),
    "bad bearer": (_asks("GET", "/api/users/me/", headers={"Authorization": "Bearer nonsense"}), 401),
    "no such API": (_asks("GET", "/api/nothing/"), 404),
    "no such page": (_asks("GET", "/nothing"), 404),
    "search": (_asks("GET", "/?search=mouse"), 200),
    "page": (_asks("GET", "/dandiset/000001/draft/files/"), 404),
    "OAuth code": (_asks("POST", "/oauth/token/", headers={"Authorization": "Basic eDp4"}), 400),
    "admin": (_asks("GET", "/admin/"), 302),
    "git, bad token": (_asks("GET", "/git/000001/info/refs?service=git-upload-pack", headers=BAD), 401),
    "annex, bad token": (_asks("GET", "/git-annex/x/key/y", headers=BAD), 401),
}


@pytest.mark.parametrize("what", REFUSED)
def test_request_is_counted_when_it_is_refused_too(db: None, limited: None, what: str) -> None:
    ask, status = REFUSED[what]
    answers = [ask(Client()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [status, status, 429, 429]
    assert answers[-1]["Retry-After"] == "50"


def test_refusal_is_in_the_words_of_each_face(db: None, limited: None) -> None:
    kinds = {}
    for address in ("/api/info/", "/oauth/token/", "/", "/git-annex/x/key/y"):
        answers = [Client().get(address, headers=BAD) for _ in range(3)]
        kinds[address] = (answers[-1].status_code, answers[-1]["Content-Type"].partition(";")[0])
    assert kinds == {
        "/api/info/": (429, "application/json"),
        "/oauth/token/": (429, "application/json"),
        "/": (429, "text/html"),
        "/git-annex/x/key/y": (429, "text/plain"),
    }


def test_bad_tokens_of_an_address_refuse_nobody_who_has_a_good_one(owner: Api, limited: None) -> None:
    for _ in range(5):
        Client().get("/api/info/", headers=BAD)
    assert _statuses(owner, 2) == [200, 200]


def test_request_by_a_session_counts_for_its_user(owner: Api, limited: None) -> None:
    browser = Client()
    browser.force_login(owner.user, backend="django.contrib.auth.backends.ModelBackend")
    assert [browser.get("/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert _statuses(owner, 1) == [429]


def test_good_token_is_looked_up_once_however_often_it_is_asked_for(owner: Api, limited: None) -> None:
    owner.get("info/")
    with CaptureQueriesContext(connection) as queries:
        owner.get("info/")
    assert len(queries) == 1


# --- Counting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "overshoot"), [(10, 0), (1000, 9)])
def test_processes_count_together(limit: int, overshoot: int) -> None:
    one, other = Limiter(), Limiter()
    admitted = _admitted(one, limit // 2, limit) + _admitted(other, limit, limit)
    assert limit <= admitted <= limit + overshoot


def test_processes_count_for_themselves_while_the_cache_is_away(settings: Any) -> None:
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    with override_settings(CACHES={"default": away}):
        one, other = Limiter(), Limiter()
        assert (_admitted(one, 20, 10), _admitted(other, 20, 10)) == (10, 10)


def test_clients_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CLIENTS", 5)
    limiter = Limiter()
    for number in range(50):
        limiter.admit(f"client-{number}", 1000)
    assert len(limiter._tallies) <= 5
