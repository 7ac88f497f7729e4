"""Zarr archives of embargoed datasets: who reads them, at once, when the embargo ends, and what stays closed."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from django.utils import timezone

from archive.accounts.policy import ANONYMOUS, Actor
from archive.assets.services import remove_asset
from archive.datasets.models import Dataset
from archive.errors import NotFoundError, UnauthenticatedError
from archive.storage import services as storage
from archive.storage.queries import public_url
from archive.timeline.models import Projection
from archive.zarr.models import ZarrArchive, entry_key
from archive.zarr.queries import entries_of, entry_url, find_entry, find_view, find_view_to_read, visible_zarrs
from archive.zarr.services import finalize
from tests.factories import (
    acting,
    make_embargoed_dataset,
    make_reviewer_link,
    make_viewer,
    make_zarr,
    make_zarr_asset,
    owner_of,
    start_release,
    upload_zarr,
)
from tests.factories.zarr import FILES, announce, ingest, md5, put
from tests.worker import Worker

OLD, NEW = b"first chunk", b"another first chunk"
QUERIES_OF_A_RELEASE = 17

pytestmark = pytest.mark.django_db


class KilledError(BaseException):
    """What no handler catches, as it would not catch the end of its process."""


@pytest.fixture
def dataset() -> Dataset:
    return make_embargoed_dataset()


@pytest.fixture
def zarr(dataset: Dataset, worker: Worker) -> ZarrArchive:
    """An archive that is an asset of the embargoed dataset."""
    zarr = make_zarr(dataset)
    make_zarr_asset(zarr)
    return upload_zarr(worker, zarr)


def edit(worker: Worker, zarr: ZarrArchive, files: Mapping[str, bytes]) -> ZarrArchive:
    """Has the archive's next revision show these files too."""
    announce(zarr, files)
    put(zarr, *files.values())
    return ingest(worker, zarr)


def anybody_gets(zarr: ZarrArchive, content: bytes) -> int:
    """What the store answers to whoever comes without a signature."""
    return httpx.get(public_url(entry_key(zarr.id, md5(content).hexdigest()))).status_code


def paths_read_by(actor: Actor, zarr: ZarrArchive) -> list[str]:
    return [each.path for each in entries_of(find_view_to_read(actor, zarr.id))]


# --- Before -----------------------------------------------------------------------------------------------------------


def test_embargoed_archive_is_unknown_to_others(zarr: ZarrArchive) -> None:
    assert list(visible_zarrs(ANONYMOUS)) == []
    with pytest.raises(NotFoundError):
        find_view(ANONYMOUS, zarr.id)
    with pytest.raises(UnauthenticatedError):
        find_view_to_read(ANONYMOUS, zarr.id)
    with pytest.raises(UnauthenticatedError):
        find_view_to_read(ANONYMOUS, zarr.revisions.get().id)


def test_embargoed_archive_is_read_by_viewers_and_by_reviewer_link(zarr: ZarrArchive) -> None:
    link, _ = make_reviewer_link(zarr.dataset)
    viewer = acting(make_viewer(zarr.dataset))
    assert paths_read_by(viewer, zarr) == paths_read_by(Actor(link=link), zarr) == sorted(FILES)


def test_viewer_is_not_shown_what_is_half_uploaded(zarr: ZarrArchive) -> None:
    viewer = acting(make_viewer(zarr.dataset))
    announce(zarr, {"0/0/2": b"third chunk"})
    put(zarr, b"third chunk")
    assert paths_read_by(viewer, zarr) == sorted(FILES)


def test_embargoed_entry_is_read_by_a_signed_url_only(zarr: ZarrArchive) -> None:
    view = find_view_to_read(owner_of(zarr.dataset), zarr.id)
    assert httpx.get(entry_url(view, find_entry(view, "0/0/0"), method="GET")).content == OLD
    assert anybody_gets(zarr, OLD) == 403


# --- Release ----------------------------------------------------------------------------------------------------------


def test_archive_is_read_by_everybody_as_soon_as_it_is_released(zarr: ZarrArchive) -> None:
    start_release(zarr.dataset)
    view = find_view_to_read(ANONYMOUS, zarr.id)
    assert [each.path for each in entries_of(view)] == sorted(FILES)
    assert httpx.get(entry_url(view, find_entry(view, "0/0/0"), method="GET")).content == OLD
    assert anybody_gets(zarr, OLD) == 403


@pytest.mark.parametrize("files", [1, 50])
def test_release_costs_the_same_for_any_number_of_entries(
    dataset: Dataset, worker: Worker, django_assert_num_queries: Any, files: int
) -> None:
    zarr = make_zarr(dataset)
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr, {f"0/{number}": b"chunk" for number in range(files)})
    with django_assert_num_queries(QUERIES_OF_A_RELEASE):
        start_release(dataset)


def test_entries_are_open_when_the_release_is_done(zarr: ZarrArchive, worker: Worker) -> None:
    start_release(zarr.dataset)
    worker.run()
    zarr.dataset.refresh_from_db()
    assert zarr.dataset.access == Dataset.Access.OPEN
    assert {anybody_gets(zarr, content) for content in FILES.values()} == {200}


def test_release_that_was_killed_half_way_is_finished(
    zarr: ZarrArchive, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def die_at_the_second(key: str) -> None:
        opened.append(key)
        if len(opened) == 2:
            raise KilledError

    start_release(zarr.dataset)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "open_to_all", die_at_the_second)
        with pytest.raises(KilledError):
            worker.run()
    assert paths_read_by(ANONYMOUS, zarr) == sorted(FILES)
    Projection.objects.filter(lease__isnull=False).update(leased_until=timezone.now())
    worker.run()
    zarr.dataset.refresh_from_db()
    assert zarr.dataset.access == Dataset.Access.OPEN
    assert {anybody_gets(zarr, content) for content in FILES.values()} == {200}


def test_ingest_that_ends_during_the_release_is_open_too(zarr: ZarrArchive, worker: Worker) -> None:
    announce(zarr, {"0/0/2": b"third chunk"})
    put(zarr, b"third chunk")
    finalize(actor=owner_of(zarr.dataset), zarr_id=zarr.id)
    start_release(zarr.dataset)
    worker.run()
    zarr.dataset.refresh_from_db()
    assert (zarr.dataset.access, anybody_gets(zarr, b"third chunk")) == (Dataset.Access.OPEN, 200)
    assert paths_read_by(ANONYMOUS, zarr) == sorted([*FILES, "0/0/2"])


# --- What was never open ----------------------------------------------------------------------------------------------


def test_revision_that_was_replaced_before_the_release_stays_closed(zarr: ZarrArchive, worker: Worker) -> None:
    first = zarr.revisions.get()
    edit(worker, zarr, {"0/0/0": NEW})
    start_release(zarr.dataset)
    worker.run()
    with pytest.raises(NotFoundError):
        find_view_to_read(ANONYMOUS, first.id)
    assert (anybody_gets(zarr, OLD), anybody_gets(zarr, NEW)) == (403, 200)


def test_owner_goes_on_reading_what_stays_closed(zarr: ZarrArchive, worker: Worker) -> None:
    first = zarr.revisions.get()
    edit(worker, zarr, {"0/0/0": NEW})
    start_release(zarr.dataset)
    worker.run()
    view = find_view_to_read(owner_of(zarr.dataset), first.id)
    assert httpx.get(entry_url(view, find_entry(view, "0/0/0"), method="GET")).content == OLD


def test_archive_that_was_removed_before_the_release_stays_closed(zarr: ZarrArchive, worker: Worker) -> None:
    owner = owner_of(zarr.dataset)
    remove_asset(actor=owner, dataset=zarr.dataset, asset_id=zarr.assets.get().asset_id)
    start_release(zarr.dataset)
    worker.run()
    assert list(visible_zarrs(ANONYMOUS)) == []
    assert list(visible_zarrs(owner)) == [zarr]
    with pytest.raises(NotFoundError):
        find_view_to_read(ANONYMOUS, zarr.id)
    assert {anybody_gets(zarr, content) for content in FILES.values()} == {403}


def test_archive_that_becomes_an_asset_again_after_the_release_is_opened(zarr: ZarrArchive, worker: Worker) -> None:
    owner = owner_of(zarr.dataset)
    remove_asset(actor=owner, dataset=zarr.dataset, asset_id=zarr.assets.get().asset_id)
    start_release(zarr.dataset)
    worker.run()
    zarr.dataset.refresh_from_db()
    make_zarr_asset(zarr)
    worker.run()
    assert {anybody_gets(zarr, content) for content in FILES.values()} == {200}
