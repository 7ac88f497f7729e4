"""Whom a request comes from: as many entries of X-Forwarded-For are believed as there are proxies of ours."""

from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory

from dandiapi.accounts import AccountAdapter
from dandiapi.clients import address_of
from dandiapi.live.sources import request_from
from dandiapi.settings import base
from tests.house.sources import PROJECT

FORGED = "198.51.100.1, 192.0.2.1"


def by_request(forwarded_for: str) -> str:
    return address_of(RequestFactory(REMOTE_ADDR="10.0.0.1").get("/", headers={"X-Forwarded-For": forwarded_for}))


def by_sign_in(forwarded_for: str) -> str:
    request = RequestFactory(REMOTE_ADDR="10.0.0.1").get("/", headers={"X-Forwarded-For": forwarded_for})
    return AccountAdapter().get_client_ip(request)


def by_stream(*forwarded_for: str) -> str:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded_for]
    scope = {"method": "GET", "path": "/", "query_string": b"", "client": ("10.0.0.1", 1), "headers": headers}
    return address_of(request_from(scope))


@pytest.mark.parametrize("door", [by_request, by_sign_in, by_stream])
@pytest.mark.parametrize(("proxies", "address"), [(0, "10.0.0.1"), (1, "192.0.2.1"), (2, "198.51.100.1")])
def test_address_is_believed_as_far_as_the_one_setting_says(
    settings: Any, door: Any, proxies: int, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert door(FORGED) == address


@pytest.mark.parametrize("door", [by_request, by_sign_in, by_stream])
def test_address_is_that_of_the_connection_when_no_proxy_names_another(settings: Any, door: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    assert door("") == "10.0.0.1"


def test_header_that_is_sent_twice_is_read_to_its_end(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    assert by_stream("198.51.100.1", "192.0.2.1") == "192.0.2.1"


def test_nobody_is_believed_unless_the_environment_says_so() -> None:
    assert base.TRUSTED_PROXIES == 0


def test_no_other_setting_says_how_many_proxies_there_are() -> None:
    texts = {file: file.read_text() for file in Path(PROJECT, "dandiapi", "settings").glob("*.py")}
    assert [file.name for file, text in texts.items() if "PROXY_COUNT" in text] == []
