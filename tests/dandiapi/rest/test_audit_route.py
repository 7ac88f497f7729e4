"""What was done with assets, for administrators (docs/dialects/dandi.md#audit)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from archive.assets.services import change_assets, remove_asset
from archive.audit.queries import EventCursor
from archive.datasets.models import Dataset
from archive.datasets.services import delete_dataset
from archive.timeline.queries import position
from tests.dandiapi.rest.api import Api
from tests.dandiapi.rest.world import embargo
from tests.factories import attachable_row, make_asset, make_dataset, make_staff, new_asset, owner_of

ADDRESS = "audit/events/asset"
NAIVE = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture
def history(dataset: Dataset) -> Dataset:
    """One file added, then three of which one takes its place, then two removed: as 1 + 3 + 1 + 1 events."""
    make_asset(dataset, "b.nwb")
    actor = owner_of(dataset)
    batch = [new_asset(path, attachable_row(dataset)) for path in ("a.nwb", "b.nwb", "c.nwb")]
    change_assets(actor=actor, dataset=dataset, add=batch, remove=["b.nwb"])
    change_assets(actor=actor, dataset=dataset, remove=["c.nwb"])
    asset = dataset.assets.get(path="a.nwb", retired__isnull=True)
    remove_asset(actor=actor, dataset=dataset, asset_id=asset.asset_id)
    return dataset


EVENTS = [
    ("add_asset", "b.nwb"),
    ("add_asset", "a.nwb"),
    ("update_asset", "b.nwb"),
    ("add_asset", "c.nwb"),
    ("remove_asset", "c.nwb"),
    ("remove_asset", "a.nwb"),
]


def _told(page: Any) -> list[tuple[str, str]]:
    return [(event["record_type"], event["details"]["path"]) for event in page["results"]]


@pytest.mark.parametrize("address", [ADDRESS, ADDRESS + "/"])
def test_events_are_told_one_by_one_batches_too(admin: Api, history: Dataset, address: str) -> None:
    page = admin.get(address).json()
    assert _told(page) == EVENTS
    assert set(page) == {"next", "previous", "results"}
    assert {event["dandiset_id"] for event in page["results"]} == {history.number}


def test_events_have_the_fields_of_the_dialect(admin: Api, history: Dataset) -> None:
    events = admin.get(ADDRESS).json()["results"]
    added = {"path", "size", "asset_id", "asset_blob_id", "zarr_archive_id", "checksum"}
    removed = {"path", "asset_id"}
    assert {frozenset(event) for event in events} == {
        frozenset({"id", "dandiset_id", "timestamp", "record_type", "details"})
    }
    assert [set(event["details"]) for event in events] == [added] * 4 + [removed] * 2


def test_events_are_told_newest_first_if_asked(admin: Api, history: Dataset) -> None:
    assert _told(admin.get(ADDRESS, {"reverse_order": True}).json()) == EVENTS[::-1]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("reverse", [False, True])
def test_pages_lead_to_all_events_and_back(admin: Api, history: Dataset, size: int, reverse: bool) -> None:
    expected = EVENTS[::-1] if reverse else EVENTS
    pages = _walk(admin, f"{ADDRESS}?page_size={size}&reverse_order={reverse}", "next")
    assert [event for page in pages for event in _told(page)] == expected
    back = _walk_from(admin, pages[-1], "previous")
    assert [_told(page) for page in back] == [_told(page) for page in pages[-2::-1]]


def _walk(caller: Api, address: str, direction: str) -> list[Any]:
    page = caller.get(address).json()
    return [page, *_walk_from(caller, page, direction)]


def _walk_from(caller: Api, page: Any, direction: str) -> list[Any]:
    pages = []
    while page[direction]:
        page = caller.get(page[direction].partition("/api/")[2]).json()
        pages.append(page)
    return pages


def test_events_are_of_the_time_asked_for(admin: Api, history: Dataset) -> None:
    hour = timedelta(hours=1)
    now = timezone.now()
    assert len(_told(admin.get(ADDRESS, {"after": (now - hour).isoformat()}).json())) == len(EVENTS)
    assert _told(admin.get(ADDRESS, {"after": (now + hour).isoformat()}).json()) == []
    assert _told(admin.get(ADDRESS, {"before": (now - hour).isoformat()}).json()) == []
    stamp = admin.get(ADDRESS).json()["results"][0]["timestamp"]
    assert _told(admin.get(ADDRESS, {"before": stamp, "after": stamp}).json()) == EVENTS[:1]


def test_events_of_single_changes_outlive_their_dataset(admin: Api) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    delete_dataset(actor=owner_of(dataset), dataset=dataset)
    assert _told(admin.get(ADDRESS).json()) == [("add_asset", "a.nwb")]


@pytest.mark.parametrize(
    "cursor",
    ["x", "AAAA", "bnVsbA==", "WzEsMiwzLDRd", str(EventCursor(NAIVE, 1, "")), "é"],
)
def test_cursor_that_was_not_given_is_not_found(admin: Api, cursor: str) -> None:
    assert admin.get(ADDRESS, {"cursor": cursor}).status_code == 404


@pytest.mark.parametrize("query", ["before=yesterday", "after=x", "reverse_order=perhaps"])
def test_events_are_refused_when_a_filter_is_wrong(admin: Api, query: str) -> None:
    assert admin.get(f"{ADDRESS}?{query}").status_code == 400


# --- Staff who are no administrators ----------------------------------------------------------------------------------


@pytest.fixture
def staff(db: None) -> Api:
    return Api(make_staff())


def test_staff_are_told_of_what_they_may_read(staff: Api, history: Dataset) -> None:
    assert _told(staff.get(ADDRESS).json()) == EVENTS


def test_staff_are_told_nothing_of_what_is_embargoed(staff: Api, admin: Api, history: Dataset) -> None:
    other = make_dataset()
    make_asset(other, "open.nwb")
    embargo(history)
    assert staff.get(f"dandisets/{history.identifier}/versions/draft/").status_code == 403
    assert _told(staff.get(ADDRESS).json()) == [("add_asset", "open.nwb")]
    assert len(admin.get(ADDRESS).json()["results"]) == len(EVENTS) + 1


def test_staff_are_told_nothing_of_what_was_done_before_a_release(staff: Api, history: Dataset) -> None:
    Dataset.objects.filter(pk=history.pk).update(released=position(history.number))
    make_asset(history, "later.nwb")
    assert _told(staff.get(ADDRESS).json()) == [("add_asset", "later.nwb")]


def test_staff_are_told_nothing_of_what_is_gone(staff: Api, admin: Api) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    delete_dataset(actor=owner_of(dataset), dataset=dataset)
    assert _told(admin.get(ADDRESS).json()) == [("add_asset", "a.nwb")]
    assert _told(staff.get(ADDRESS).json()) == []
