"""What goes wrong, as a page; and what browsers are told about all pages."""

from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from archive import errors
from archive.datasets.models import Dataset
from dandiapi.errors import STATUSES, status_of
from dandiapi.web.errors import EXCEPTIONS, WORDS
from tests.dandiapi.web.browser import Browser


def failing(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize("kind", STATUSES)
def test_error_of_the_domain_is_a_page(
    anonymous: Browser, monkeypatch: pytest.MonkeyPatch, kind: type[errors.ArchiveError]
) -> None:
    monkeypatch.setattr("dandiapi.web.views.archive_totals", failing(kind("Because of <this>.")))
    response = anonymous.open("/")
    assert response.status_code == status_of(kind(""), EXCEPTIONS)
    assert "Because of &lt;this&gt;." in response.content.decode()


def test_each_status_has_its_words() -> None:
    assert {status_of(kind(""), EXCEPTIONS) for kind in STATUSES} == set(WORDS)


def test_page_says_when_to_come_back_when_a_service_is_away(owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dandiapi.web.views.archive_totals", failing(OperationalError("gone")))
    response = owner.open("/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "Back in a moment" in response.content.decode()


@pytest.mark.parametrize("address", ["/", "/account/tokens/", "/accounts/password/change/"])
def test_page_is_there_for_who_is_signed_in_when_the_database_is_away(
    owner: Browser, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", failing(OperationalError("gone")))
        response = owner.open(address)
    assert (response.status_code, "Back in a moment" in response.content.decode()) == (503, True)


def test_fault_of_ours_is_a_page(anonymous: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dandiapi.web.views.archive_totals", failing(ZeroDivisionError("secret reason")))
    anonymous.client.raise_request_exception = False
    response = anonymous.open("/")
    assert response.status_code == 500
    assert ("Something went wrong" in response.content.decode(), b"secret reason" in response.content) == (True, False)


@pytest.mark.parametrize("address", ["/nowhere", "/dandiset/12345", "/dandiset/000001/draft/nothing"])
def test_address_of_nothing_is_a_page(anonymous: Browser, address: str) -> None:
    response = anonymous.open(address)
    assert (response.status_code, "There is nothing here" in response.content.decode()) == (404, True)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize(
    "address",
    [
        "/api",
        "/api/nowhere/",
        "/api/nowhere",
        "/api/dandisets/12/",
        "/api/zarr/x/",
        "/api/info/more/",
        "/server-info/x",
    ],
)
def test_address_of_nothing_is_json_to_programs(anonymous: Browser, method: str, address: str) -> None:
    response = anonymous.client.generic(method, address)
    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    if method != "HEAD":
        assert response.json() == {"detail": "There is no such address; /api/schema/ describes those that there are."}


def test_address_that_is_none_is_json_to_programs(anonymous: Browser) -> None:
    response = anonymous.open("/api/dandisets/%00/")
    assert (response.status_code, response.json()) == (400, {"detail": "An address must not contain NUL."})


def test_fault_of_ours_is_json_to_programs(anonymous: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dandiapi.rest.general.archive_totals", failing(ZeroDivisionError("secret reason")))
    anonymous.client.raise_request_exception = False
    response = anonymous.open("/api/stats/")
    assert (response.status_code, response.json()) == (500, {"detail": "Something went wrong here; it has been noted."})


def test_api_answers_its_errors_itself(anonymous: Browser) -> None:
    assert anonymous.open("/api/dandisets/999999/").json() == {"detail": "Not found."}


def test_pages_run_no_script_and_load_nothing_from_elsewhere(anonymous: Browser, dataset: Dataset) -> None:
    policy = anonymous.open(f"/dandiset/{dataset.identifier}")["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    # Where the pictures lie that are files of datasets.
    assert rules["img-src"] == f"'self' {settings.S3_PUBLIC_ENDPOINT_URL}"
    assert "script-src" not in rules
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize("address", ["/", "/nowhere", "/accounts/login/"])
def test_page_keeps_to_its_policy(anonymous: Browser, address: str) -> None:
    html = anonymous.open(address).content.decode()
    assert [word for word in ("<script", "<style", " style=", " onclick") if word in html] == []


@pytest.mark.parametrize("address", ["/api/info/", "/robots.txt"])
def test_policy_is_for_html_only(anonymous: Browser, address: str) -> None:
    assert "Content-Security-Policy" not in anonymous.open(address)


def test_robots_may_read_pages_and_what_dandi_lets_them_read(anonymous: Browser) -> None:
    response = anonymous.open("/robots.txt")
    lines = response.content.decode().splitlines()
    assert response["Content-Type"].startswith("text/plain")
    assert {"User-agent: Googlebot", "Allow: /api/info/", "User-agent: *", "Disallow: /api/"} <= set(lines)


def test_icon_is_found_where_icons_used_to_be(anonymous: Browser) -> None:
    assert anonymous.open("/favicon.ico")["Location"] == "/static/favicon.svg"
