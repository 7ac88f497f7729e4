"""What holds for every request and response, whatever the route (docs/dialects/dandi.md#headers)."""

from typing import Any

import pytest
from django.test import Client, override_settings

from archive.assets.models import Asset
from archive.datasets.models import Dataset
from tests.dandiapi.rest.api import Api
from tests.dandiapi.rest.test_access import OF_A_DRAFT, OF_THE_SITE
from tests.dandiapi.rest.world import Line, World
from tests.worker import Worker

LISTED = "https://app.example.org"
ELSEWHERE = "https://elsewhere.example.net"
SAFE_ADDRESSES = ["info/", "users/me/", "dandisets/999999/", "dandisets/?page=0", "nothing/", "info/?x=%00"]


@pytest.fixture(autouse=True)
def _listed_origins() -> Any:
    with override_settings(
        CORS_ALLOWED_ORIGINS=[LISTED], CORS_ALLOWED_ORIGIN_REGEXES=[r"https://\w+--app\.example\.org"]
    ):
        yield


# --- Addresses and methods --------------------------------------------------------------------------------------------


def readings(worker: Worker) -> list[tuple[Api, str]]:
    """Everything that can be read, and its owner to read it."""
    world = World(worker)
    lines = [Line.read(text) for text in f"{OF_THE_SITE}{OF_A_DRAFT}".split("\n") if text.startswith("GET")]
    return [(Api(world.owner), line.address.format_map(world)) for line in lines]  # type: ignore[arg-type]


def test_everything_is_read_with_and_without_the_last_slash(db: None, worker: Worker) -> None:
    answers = [
        (address, caller.get(address).status_code, caller.get(address.replace("/?", "?").rstrip("/")).status_code)
        for caller, address in readings(worker)
    ]
    assert [address for address, with_slash, without in answers if with_slash != without] == []
    # No BIDS validator has looked at the world's files.
    missing = [address for address, _, without in answers if without == 404]
    assert [address.rpartition("/versions/")[2] for address in missing] == ["draft/bids-validation/"]
    assert {without for _, _, without in answers} == {200, 302, 403, 404}


def test_everything_that_is_read_can_be_asked_for_with_head(db: None, worker: Worker) -> None:
    answers = [(address, caller.get(address), caller.head(address)) for caller, address in readings(worker)]
    assert [address for address, get, head in answers if get.status_code != head.status_code] == []
    assert {head.content for _, _, head in answers} == {b""}


def test_redirect_keeps_what_it_is_asked(anonymous: Api, asset: Asset) -> None:
    address = f"assets/{asset.asset_id}/download?content_disposition=inline"
    assert "inline" in anonymous.get(address)["Location"]


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("PUT", "info/"),
        ("POST", "users/me/"),
        ("PATCH", "dandisets/"),
        ("DELETE", "auth/token/"),
        ("PATCH", "dandisets/000001/"),
        ("POST", "dandisets/000001/versions/draft/info/"),
        ("PUT", "blobs/digest/"),
        ("GET", "uploads/initialize/"),
        ("GET", "blobs/digest/"),
        ("GET", "dandisets/000001/star/"),
        ("GET", "dandisets/000001/versions/draft/publish/"),
        ("TRACE", "info/"),
        ("NONSENSE", "info/"),
    ],
)
def test_method_is_refused_when_the_route_has_none(owner: Api, method: str, address: str) -> None:
    response = owner.send(method, address)
    assert (response.status_code, response.json()) == (405, {"detail": f'Method "{method}" not allowed.'})


@pytest.mark.parametrize(
    "address",
    [
        "nothing/",
        "dandisets/1/",
        "dandisets/0000001/",
        "dandisets/abcdef/",
        "dandisets/٠٠٠٠٠١/",
        "dandisets/000001/versions/1.0/",
        "assets/00000000-0000-1000-8000-000000000000/",
        "assets/not-an-id/",
        "uploads/x/validate/",
        "../admin/",
    ],
)
def test_address_that_is_none_is_answered_with_json(anonymous: Api, address: str) -> None:
    response = anonymous.get(address)
    assert (response.status_code, list(response.json())) == (404, ["detail"])


@pytest.mark.parametrize("address", ["dandisets/?search=%00", "dandisets/%00/", "users/search/?username=a%00b"])
def test_address_is_refused_when_it_has_a_nul(owner: Api, address: str) -> None:
    assert owner.get(address).status_code == 400


@pytest.mark.parametrize("address", ["dandisets/?search=%ff", "dandisets/%ff/", "users/search/?username=%ed%a0%80"])
def test_address_is_answered_when_it_is_not_unicode(owner: Api, address: str) -> None:
    assert owner.get(address).status_code in {200, 404}


# --- Headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", SAFE_ADDRESSES)
def test_every_response_names_the_user(owner: Api, address: str) -> None:
    assert owner.get(address)["X-Request-Username"] in {owner.user.username, "AnonymousUser"}


def test_response_names_the_user_who_is_signed_in(owner: Api, anonymous: Api) -> None:
    assert owner.get("info/")["X-Request-Username"] == owner.user.username
    assert anonymous.get("info/")["X-Request-Username"] == "AnonymousUser"


def test_preflight_names_the_user(anonymous: Api) -> None:
    assert preflight(anonymous, "info/", ELSEWHERE, "GET")["X-Request-Username"] == "AnonymousUser"


def test_response_is_compressed_when_the_client_can_read_that(anonymous: Api) -> None:
    response = anonymous.get("schemas/?model=Dandiset", headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response["Vary"]


def test_response_is_plain_otherwise(anonymous: Api) -> None:
    assert not anonymous.get("schemas/?model=Dandiset").has_header("Content-Encoding")


def test_response_is_json_that_nobody_may_take_for_something_else(anonymous: Api) -> None:
    response = anonymous.get("info/")
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"


def test_response_has_no_type_when_it_has_no_content(owner: Api, dataset: Dataset) -> None:
    response = owner.delete(f"dandisets/{dataset.identifier}/")
    assert (response.status_code, response.content, response.has_header("Content-Type")) == (204, b"", False)


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html,application/xhtml+xml,*/*;q=0.8"])
def test_response_is_json_when_the_client_can_read_that(anonymous: Api, accept: str) -> None:
    response = anonymous.get("info/", headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


# --- Other origins ----------------------------------------------------------------------------------------------------


def preflight(caller: Api, address: str, origin: str, method: str) -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return caller.client.options(f"/api/{address}", headers=headers)


@pytest.mark.parametrize("origin", [LISTED, ELSEWHERE, "null"])
@pytest.mark.parametrize("address", SAFE_ADDRESSES)
def test_any_origin_may_read(anonymous: Api, address: str, origin: str) -> None:
    response = anonymous.get(address, headers={"Origin": origin})
    assert response["Access-Control-Allow-Origin"] == origin
    assert "origin" in response["Vary"].lower()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_any_origin_may_ask_beforehand(anonymous: Api, method: str) -> None:
    response = preflight(anonymous, "dandisets/", ELSEWHERE, method)
    allowed = response["Access-Control-Allow-Headers"]
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, ELSEWHERE)
    assert method in response["Access-Control-Allow-Methods"]
    assert {"authorization", "content-type", "baggage", "sentry-trace"} <= set(allowed.split(", "))


@pytest.mark.parametrize("address", ["assets/x/download/", "zarr/x/content/0/0", "zarr/x/files/", "info/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_any_origin_may_ask_beforehand_for_what_readers_send(anonymous: Api, address: str, method: str) -> None:
    sent = {"authorization", "cache-control", "if-match", "if-modified-since", "if-none-match", "if-range", "range"}
    headers = {
        "Origin": ELSEWHERE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ",".join(sorted(sent)),
    }
    response = anonymous.client.options(f"/api/{address}", headers=headers)
    assert method in response["Access-Control-Allow-Methods"].split(", ")
    assert sent <= set(response["Access-Control-Allow-Headers"].split(", "))


def test_any_origin_may_read_what_it_needs_of_the_headers(anonymous: Api) -> None:
    response = anonymous.get("info/", headers={"Origin": ELSEWHERE})
    exposed = set(response["Access-Control-Expose-Headers"].split(", "))
    assert {"accept-ranges", "content-length", "content-range", "etag", "location", "retry-after"} <= exposed


@pytest.mark.parametrize("origin", [LISTED, "https://preview7--app.example.org"])
@pytest.mark.parametrize("address", ["dandisets/", "dandisets/999999/star/", "auth/token/"])
def test_listed_origin_may_write_and_read_why_not(anonymous: Api, address: str, origin: str) -> None:
    response = anonymous.post(address, {}, headers={"Origin": origin})
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (401, origin)


@pytest.mark.parametrize("origin", [ELSEWHERE, "null", "https://app.example.org.evil.net", "http://app.example.org"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_origin_may_not_write(owner: Api, origin: str, method: str) -> None:
    response = owner.send(method, "dandisets/", {}, headers={"Origin": origin})
    assert not response.has_header("Access-Control-Allow-Origin")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_cookies_are_never_for_other_origins(owner: Api, method: str) -> None:
    response = owner.send(method, "dandisets/", {}, headers={"Origin": LISTED})
    assert not response.has_header("Access-Control-Allow-Credentials")


def test_page_may_read_why_its_address_was_refused(anonymous: Api) -> None:
    response = Client().get("/api/dandisets/\0", headers={"Origin": ELSEWHERE})
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (400, ELSEWHERE)


def test_page_may_read_that_the_server_is_at_fault(anonymous: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("dandiapi.rest.general.archive_totals")
    anonymous.client.raise_request_exception = False
    response = anonymous.client.get("/api/stats/", headers={"Origin": ELSEWHERE})
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (500, ELSEWHERE)
    assert response["X-Request-Username"] == "AnonymousUser"
