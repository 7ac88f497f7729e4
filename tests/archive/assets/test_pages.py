"""Pages of long lists: the same cost at any depth, exactly the slice of the whole (docs/decisions/page-anchors.md)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis.exceptions import RedisError

from archive.assets import queries, services
from archive.assets.models import Asset
from archive.assets.queries import Child, Filter, Order, count_assets, page_of_assets, page_of_children
from archive.assets.services import change_assets
from archive.datasets.models import Dataset, Version
from tests.archive.assets.state import draft_of
from tests.factories import (
    attachable_row,
    make_dataset,
    make_published_version,
    new_asset,
    owner_of,
)
from tests.worker import Worker

STEP = 5
ORDERS: list[Order] = ["created", "-created", "path", "-path", "modified", "-modified"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "ANCHOR_STEP", STEP)


def _change(dataset: Dataset, *, add: list[str], remove: tuple[str, ...] = ()) -> None:
    blob = attachable_row(dataset)
    change_assets(actor=owner_of(dataset), dataset=dataset, add=[new_asset(path, blob) for path in add], remove=remove)


@pytest.fixture
def dataset() -> Dataset:
    """17 files and 9 folders at the root, in no order, introduced by three changes."""
    dataset = make_dataset()
    _change(dataset, add=[f"f{number * 7 % 17:02}" for number in range(10)])
    _change(dataset, add=[f"g{number * 4 % 9}/x" for number in range(9)])
    _change(dataset, add=[f"f{number * 7 % 17:02}" for number in range(10, 17)])
    return dataset


def _sorted(version: Version, order: Order) -> list[Asset]:
    keys: dict[str, Callable[[Asset], Any]] = {
        "created": lambda asset: (asset.introduced, asset.path),
        "path": lambda asset: asset.path,
        "modified": lambda asset: (asset.modified, asset.introduced, asset.path),
    }
    assets = queries.assets_of(version).order_by("?")
    return sorted(assets, key=keys[order.removeprefix("-")], reverse=order.startswith("-"))


def _pages(version: Version, order: Order, limit: int) -> Iterator[list[Asset]]:
    """Every page there is, and one beyond."""
    for offset in range(0, version.file_count + limit, limit):
        yield page_of_assets(version, Filter(), order=order, offset=offset, limit=limit)


def _slices(whole: list[Any], limit: int) -> list[list[Any]]:
    return [whole[offset : offset + limit] for offset in range(0, len(whole) + limit, limit)]


def _child_pages(version: Version, folder: str, count: int, limit: int) -> list[list[Child]]:
    offsets = range(0, count + limit, limit)
    return [page_of_children(version, folder, offset=offset, limit=limit) for offset in offsets]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [1, 2, 5, 7, 100])
def test_pages_are_the_slices_of_the_whole(dataset: Dataset, order: Order, limit: int) -> None:
    draft = draft_of(dataset)
    assert list(_pages(draft, order, limit)) == _slices(_sorted(draft, order), limit)


@pytest.mark.parametrize("order", ORDERS)
def test_pages_of_a_version_stay_as_they_were(dataset: Dataset, order: Order, worker: Worker) -> None:
    worker.run()
    version = make_published_version(worker, dataset)
    before = _sorted(version, order)
    _change(dataset, add=["e", "f99", "f03"], remove=("f03", "f05", "g0/x"))
    assert list(_pages(version, order, 4)) == _slices(before, 4)


@pytest.mark.parametrize("order", ORDERS)
def test_pages_of_a_draft_follow_its_changes(dataset: Dataset, order: Order) -> None:
    list(_pages(draft_of(dataset), order, 4))
    _change(dataset, add=["e", "f99", "f03"], remove=("f03", "f05", "g0/x"))
    draft = draft_of(dataset)
    assert list(_pages(draft, order, 4)) == _slices(_sorted(draft, order), 4)


@pytest.mark.parametrize("limit", [1, 2, 5, 7, 100])
def test_pages_of_children_are_the_slices_of_the_whole(dataset: Dataset, limit: int) -> None:
    draft = draft_of(dataset)
    whole = page_of_children(draft, "", offset=0, limit=1000)
    assert [child.path for child in whole] == sorted(child.path for child in whole)
    assert len(whole) == 26
    assert _child_pages(draft, "", 26, limit) == _slices(whole, limit)


def test_pages_of_children_of_a_version_stay_as_they_were(dataset: Dataset, worker: Worker) -> None:
    worker.run()
    version = make_published_version(worker, dataset)
    before = page_of_children(version, "", offset=0, limit=1000)
    _change(dataset, add=["e", "f99", "f03", "g1/y"], remove=("f03", "f05", "g0/x"))
    assert _child_pages(version, "", 26, 4) == _slices(before, 4)
    now = page_of_children(draft_of(dataset), "", offset=0, limit=1000)
    assert _child_pages(draft_of(dataset), "", 26, 4) == _slices(now, 4)
    assert {child.path for child in before} ^ {child.path for child in now} == {"e", "f99", "f05", "g0"}


@pytest.mark.parametrize("beyond", [26, 30, 31, 1000, 10**9])
def test_page_beyond_the_end_is_empty(dataset: Dataset, beyond: int) -> None:
    draft = draft_of(dataset)
    assert page_of_assets(draft, Filter(), order="path", offset=beyond, limit=5) == []
    assert page_of_children(draft, "", offset=beyond, limit=5) == []


def test_pages_of_a_filter_are_the_slices_of_what_it_asks_for(dataset: Dataset) -> None:
    draft = draft_of(dataset)
    wanted = Filter(glob="g*")
    whole = [asset for asset in _sorted(draft, "path") if asset.path.startswith("g")]
    pages = [page_of_assets(draft, wanted, order="path", offset=offset, limit=2) for offset in range(0, 10, 2)]
    assert pages == _slices(whole, 2)[:5]
    assert count_assets(draft, wanted) == 9


def test_pages_are_right_while_the_cache_is_away(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise RedisError

    monkeypatch.setattr(cache, "get", away)
    monkeypatch.setattr(cache, "set", away)
    draft = draft_of(dataset)
    assert list(_pages(draft, "path", 4)) == _slices(_sorted(draft, "path"), 4)


# --- Cost -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["created", "-created", "path", "-path"])
@pytest.mark.parametrize("offset", [0, 5, 13, 25])
@pytest.mark.parametrize("more", [0, 40])
def test_page_at_any_depth_of_any_list_takes_one_query(
    dataset: Dataset, order: Order, offset: int, more: int, django_assert_num_queries: Any
) -> None:
    _change(dataset, add=[f"more{number:02}" for number in range(more)])
    draft = draft_of(dataset)
    for _ in ("first look", "second look"):
        with django_assert_num_queries(1):
            assert page_of_assets(draft, Filter(), order=order, offset=offset, limit=5)


@pytest.mark.parametrize("offset", [0, 5, 13, 25])
def test_page_of_children_at_any_depth_takes_one_query(
    dataset: Dataset, offset: int, django_assert_num_queries: Any
) -> None:
    draft = draft_of(dataset)
    for _ in ("first look", "second look"):
        with django_assert_num_queries(1):
            assert page_of_children(draft, "", offset=offset, limit=5)


def test_page_beyond_the_end_takes_no_query(dataset: Dataset, django_assert_num_queries: Any) -> None:
    draft = draft_of(dataset)
    with django_assert_num_queries(0):
        page_of_assets(draft, Filter(), order="path", offset=26, limit=5)


def _walked(read: Callable[[], Any]) -> str:
    """The part of a page's statement that says how many rows it skips: "OFFSET 3"."""
    with CaptureQueriesContext(connection) as captured:
        read()
    [query] = captured
    found = re.search(r"OFFSET \d+", query["sql"])
    return found.group() if found else "OFFSET 0"


@pytest.mark.parametrize("order", ["created", "-created", "path", "-path"])
def test_pages_read_one_after_the_other_never_skip_more_rows_than_are_between_anchors(
    dataset: Dataset, order: Order
) -> None:
    draft = draft_of(dataset)

    def walked(offset: int) -> str:
        return _walked(lambda: page_of_assets(draft, Filter(), order=order, offset=offset, limit=3))

    skipped = [walked(offset) for offset in range(0, 26, 3)]
    assert set(skipped) == {"OFFSET 0", "OFFSET 3", f"OFFSET {STEP + 1}"}


def test_pages_of_children_read_one_after_the_other_never_skip_more_rows_than_are_between_anchors(
    dataset: Dataset,
) -> None:
    draft = draft_of(dataset)

    def walked(offset: int) -> str:
        return _walked(lambda: page_of_children(draft, "", offset=offset, limit=3))

    skipped = [walked(offset) for offset in range(0, 26, 3)]
    assert set(skipped) == {"OFFSET 0", "OFFSET 3", f"OFFSET {STEP + 1}"}


def test_page_is_found_from_the_nearest_page_that_was_read_before(dataset: Dataset) -> None:
    draft = draft_of(dataset)

    def walked(offset: int) -> str:
        return _walked(lambda: page_of_assets(draft, Filter(), order="path", offset=offset, limit=2))

    assert walked(20) == "OFFSET 20"
    assert walked(23) == "OFFSET 3"
    assert walked(20) == "OFFSET 0"
    assert walked(18) == "OFFSET 18"


def test_page_of_a_version_keeps_its_anchors_whatever_becomes_of_the_draft(dataset: Dataset, worker: Worker) -> None:
    worker.run()
    version = make_published_version(worker, dataset)
    page_of_assets(version, Filter(), order="path", offset=20, limit=5)
    _change(dataset, add=["e"])
    assert _walked(lambda: page_of_assets(version, Filter(), order="path", offset=20, limit=5)) == "OFFSET 0"


@pytest.mark.parametrize(("files", "analyzed"), [(3, 1), (2, 0)])
def test_planner_is_told_of_many_new_assets(
    files: int, analyzed: int, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(services, "MANY_ASSETS", 3)
    dataset = make_dataset()
    with CaptureQueriesContext(connection) as captured, django_capture_on_commit_callbacks(execute=True):
        _change(dataset, add=[f"a{number}" for number in range(files)])
    assert sum(query["sql"].startswith("ANALYZE archive_asset") for query in captured) == analyzed


def test_count_of_all_is_kept_and_not_counted(dataset: Dataset, django_assert_num_queries: Any) -> None:
    draft = draft_of(dataset)
    with django_assert_num_queries(0):
        assert count_assets(draft, Filter()) == 26


def _queries_of_a_batch(files: int) -> int:
    dataset = make_dataset()
    _change(dataset, add=[f"sub-{number}/a" for number in range(files)])
    blob, actor = attachable_row(dataset), owner_of(dataset)
    add = [new_asset(f"ses-{number}/b", blob) for number in range(files)]
    with CaptureQueriesContext(connection) as captured:
        change_assets(actor=actor, dataset=dataset, add=add, remove=[f"sub-{number}/a" for number in range(files)])
    return len(captured)


def test_batch_takes_the_same_queries_however_many_files_it_changes() -> None:
    assert _queries_of_a_batch(1) == _queries_of_a_batch(50) < 20
