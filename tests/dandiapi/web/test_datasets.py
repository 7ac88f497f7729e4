"""The lists of datasets."""

from html import escape
from urllib.parse import urlencode

import pytest

from archive.datasets.models import Dataset, Version
from archive.datasets.services import set_star
from tests.dandiapi.web.browser import Browser
from tests.dandiapi.web.queries import at_most
from tests.factories import acting, make_asset, make_dataset
from tests.worker import Worker


def test_home_shows_what_is_known_of_a_dataset(anonymous: Browser, version: Version) -> None:
    page = anonymous.read("/")
    shown = ["Mouse vision", f"DANDI:{version.dataset.identifier}", "Doe, Jane", version.version]
    assert [text for text in shown if text not in page] == []


def test_home_shows_the_newest_dataset_first(anonymous: Browser) -> None:
    names = ["first", "second", "third"]
    for name in names:
        make_dataset(name=name)
    page = anonymous.read("/")
    assert sorted(names, key=page.index) == ["third", "second", "first"]


def test_home_says_so_when_there_is_no_dataset(anonymous: Browser) -> None:
    assert "There is no dataset yet" in anonymous.read("/")


def test_home_says_that_a_draft_has_changed_since_it_was_published(anonymous: Browser, version: Version) -> None:
    assert "draft has changes" not in anonymous.read("/")
    make_asset(version.dataset, "new.nwb")
    assert "draft has changes" in anonymous.read("/")


def test_home_finds_datasets_with_all_words_of_a_search(anonymous: Browser, worker: Worker) -> None:
    make_dataset(name="Songs of bats")
    make_dataset(name="Songs of birds")
    worker.run()
    page = anonymous.read("/?search=songs+bats")
    assert ("Songs of bats" in page, "Songs of birds" in page) == (True, False)


def test_home_says_so_when_nothing_is_found(anonymous: Browser, dataset: Dataset) -> None:
    assert "Nothing matches" in anonymous.read("/?search=unicorn")


def test_home_shows_a_search_as_text(anonymous: Browser) -> None:
    page = anonymous.read("/?search=<script>alert(1)</script>")
    assert "<script" not in page


@pytest.fixture
def many(db: None) -> None:
    """One dataset more than there is room for on a page."""
    for number in range(21):
        make_dataset(name=f"Dataset {number:02}")


def test_home_has_pages(anonymous: Browser, many: None) -> None:
    first, second = anonymous.read("/"), anonymous.read("/?page=2")
    assert ("Page 1 of 2" in first, "Page 2 of 2" in second) == (True, True)
    assert ("Dataset 00" in first, "Dataset 00" in second) == (False, True)


@pytest.mark.parametrize(
    ("search", "reason"),
    [
        ("speices:mouse", "Did you mean"),
        ('5" electrode', "A quotation mark is missing"),
        ("created_after:now", "is not a date"),
        ("x" * 1025, "at most 1024 characters"),
    ],
)
def test_home_says_under_the_box_what_is_wrong_with_a_search(anonymous: Browser, search: str, reason: str) -> None:
    response = anonymous.open(f"/?{urlencode({'search': search})}")
    page = response.content.decode()
    assert response.status_code == 400
    assert (page.index(f'value="{escape(search)}"') < page.index('id="wrong"') < page.index(reason)) is True


@pytest.mark.parametrize("search", ["https://doi.org/10.48324/dandi.000001", "a: b", "sub-1/data.nwb", "note:x y"])
def test_home_finds_text_with_a_colon_in_it(anonymous: Browser, worker: Worker, search: str) -> None:
    dataset = make_dataset(name=f"As told by {search}")
    worker.run()
    assert f"DANDI:{dataset.identifier}" in anonymous.read(f"/?{urlencode({'search': search})}")


def test_pages_keep_the_search(anonymous: Browser, many: None, worker: Worker) -> None:
    worker.run()
    assert "?search=dataset&amp;page=2" in anonymous.read("/?search=dataset")


@pytest.mark.parametrize("page", ["0", "-1", "3", "x", "", "9" * 30, "²"])
def test_page_that_does_not_exist_is_not_found(anonymous: Browser, many: None, page: str) -> None:
    assert anonymous.open(f"/?page={page}").status_code == 404


def test_home_asks_few_queries_however_many_datasets_there_are(owner: Browser, many: None) -> None:
    with at_most(14):
        owner.read("/")


def test_starred_datasets_are_those_with_the_users_star(owner: Browser, stranger: Browser) -> None:
    starred, other = make_dataset(name="Starred one"), make_dataset(name="Other one")
    set_star(actor=acting(owner.user), dataset=starred, starred=True)
    set_star(actor=acting(stranger.user), dataset=other, starred=True)
    page = owner.read("/dandiset/starred")
    assert ("Starred one" in page, "Other one" in page) == (True, False)


def test_own_datasets_are_those_that_the_user_owns(owner: Browser, dataset: Dataset) -> None:
    make_dataset(name="Somebody else's")
    page = owner.read("/dandiset/my")
    assert (dataset.identifier in page, "Somebody else" in page) == (True, False)
