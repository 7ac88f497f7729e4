"""Pages of lists (docs/dialects/dandi.md#pages)."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from archive.datasets.models import Dataset
from tests.dandiapi.rest.api import Api
from tests.factories import make_asset

ROOT = "http://testserver/api/"


@pytest.fixture
def assets(dataset: Dataset, draft: str) -> str:
    """The list of five assets."""
    for number in range(5):
        make_asset(dataset, f"{number}.nwb")
    return f"{draft}assets/"


def parts(url: str) -> tuple[str, list[tuple[str, str]]]:
    """A URL's address, and what it asks for, whatever the order."""
    split = urlsplit(url)
    return split._replace(query="").geturl(), sorted(parse_qsl(split.query, keep_blank_values=True))


def page(caller: Api, address: str) -> dict[str, Any]:
    answer: dict[str, Any] = caller.get(address).json()
    return answer


@pytest.mark.parametrize(
    "query",
    [
        "page_size=2",
        "page_size=2&page=1",
        "page_size=2&metadata=False&order=path",
        "page_size=2&unknown=kept&unknown=twice&empty=",
        "page_size=2&path=&glob=*.nwb",
        "page_size=2&unknown=a%20b%2Fc%3D%26%C3%A9",
    ],
)
def test_next_is_the_same_address_but_for_the_page(anonymous: Api, assets: str, query: str) -> None:
    address, parameters = parts(f"{ROOT}{assets}?{query}")
    expected = sorted({*parameters, ("page", "2")} - {("page", "1")})
    assert parts(page(anonymous, f"{assets}?{query}")["next"]) == (address, expected)


def test_next_is_without_a_slash_when_the_address_was(anonymous: Api, assets: str) -> None:
    slashless = assets.rstrip("/")
    assert page(anonymous, f"{slashless}?page_size=2")["next"] == f"{ROOT}{slashless}?page=2&page_size=2"


def test_next_has_the_scheme_that_the_proxy_was_asked_with(anonymous: Api, assets: str) -> None:
    response = anonymous.get(f"{assets}?page_size=2", secure=True)
    assert response.json()["next"].startswith("https://testserver/")


def test_pages_lead_from_the_first_to_the_last_and_back(anonymous: Api, assets: str) -> None:
    first, second, third = (page(anonymous, f"{assets}?page_size=2&page={number}") for number in (1, 2, 3))
    assert [len(each["results"]) for each in (first, second, third)] == [2, 2, 1]
    assert (first["previous"], third["next"]) == (None, None)
    assert parts(second["next"]) == (f"{ROOT}{assets}", [("page", "3"), ("page_size", "2")])
    assert parts(second["previous"]) == (f"{ROOT}{assets}", [("page_size", "2")])
    assert parts(third["previous"]) == (f"{ROOT}{assets}", [("page", "2"), ("page_size", "2")])


def test_pages_have_everything_once(anonymous: Api, assets: str) -> None:
    pages = [page(anonymous, f"{assets}?page_size=2&page={number}")["results"] for number in (1, 2, 3)]
    assert [row["path"] for rows in pages for row in rows] == [f"{number}.nwb" for number in range(5)]


def test_assets_are_counted_on_the_first_page_only(anonymous: Api, assets: str) -> None:
    counts = [page(anonymous, f"{assets}?page_size=2&page={number}")["count"] for number in (1, 2, 3)]
    assert counts == [5, None, None]


def test_assets_past_the_end_are_an_empty_page(anonymous: Api, assets: str) -> None:
    response = anonymous.get(f"{assets}?page_size=2&page=4")
    assert (response.status_code, response.json()["results"], response.json()["next"]) == (200, [], None)


@pytest.mark.parametrize("address", ["dandisets/", "dandisets/000001/versions/", "{assets}paths/"])
def test_counted_pages_are_counted_on_every_page(anonymous: Api, assets: str, address: str) -> None:
    first = anonymous.get(f"{address.format(assets=assets)}?page_size=1").json()
    assert isinstance(first["count"], int)


def test_counted_pages_past_the_end_are_not_found(anonymous: Api, assets: str) -> None:
    response = anonymous.get(f"{assets}paths/?page_size=2&page=4")
    assert (response.status_code, response.json()) == (404, {"detail": "Invalid page."})


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "x", "", "1e3", "٣", "9" * 30, "last", "0x1"])
@pytest.mark.parametrize("address", ["dandisets/", "{assets}"])
def test_page_is_not_found_when_its_number_is_none(anonymous: Api, assets: str, address: str, number: str) -> None:
    response = anonymous.get(address.format(assets=assets), {"page": number})
    assert (response.status_code, response.json()) == (404, {"detail": "Invalid page."})


@pytest.mark.parametrize("size", ["0", "-1", "x", "", "1.5", "9" * 30])
def test_page_has_its_usual_size_when_the_size_is_none(anonymous: Api, assets: str, size: str) -> None:
    assert len(anonymous.get(assets, {"page_size": size}).json()["results"]) == 5


def test_page_far_beyond_the_end_is_answered(anonymous: Api, assets: str) -> None:
    assert page(anonymous, f"{assets}?page=999999999&page_size=1000")["results"] == []


def test_page_has_a_hundred_results_unless_asked(anonymous: Api, owner: Api, dataset: Dataset, draft: str) -> None:
    for number in range(101):
        make_asset(dataset, f"{number}.nwb")
    answer = page(anonymous, f"{draft}assets/")
    assert (answer["count"], len(answer["results"])) == (101, 100)
    assert len(page(anonymous, f"{draft}assets/?page_size=101")["results"]) == 101
