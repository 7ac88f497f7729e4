"""How often one may ask: by the minute, for each user, or else each address; `Retry-After` says when again."""

from typing import Any

import pytest
from django.test import override_settings

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
