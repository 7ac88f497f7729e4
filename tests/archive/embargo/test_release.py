"""Release: access by one change of one row; open objects, metadata and manifests follow, whatever dies meanwhile."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive.accounts.policy import ANONYMOUS
from archive.assets.models import Asset
from archive.assets.queries import find_asset_anywhere
from archive.assets.services import add_asset, remove_asset
from archive.blobs.models import Blob
from archive.blobs.queries import find_blob_by_digest
from archive.blobs.services import start_upload
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import archive_totals, find_dataset, find_draft
from archive.embargo import work
from archive.embargo.services import release
from archive.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from archive.publishing.queries import manifest_key
from archive.publishing.services import publish
from archive.publishing.work import DRAFT_MANIFEST_QUIET
from archive.storage import services as storage
from archive.storage.queries import public_url
from archive.timeline.models import Change, Projection, Timeline
from archive.timeline.queries import changes
from tests.factories import (
    acting,
    make_asset,
    make_blob,
    make_blob_row,
    make_dataset,
    make_embargoed_dataset,
    make_published_version,
    make_releasing_dataset,
    make_user,
    owner_of,
    start_release,
    valid_asset_metadata,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """What `kill -9` is to a worker: no handler of errors sees it."""


def reads_unsigned(key: str) -> bool:
    try:
        urlopen(public_url(key)).close()  # noqa: S310 - of the own store
    except HTTPError:
        return False
    return True


def with_bytes(dataset: Dataset, *paths: str) -> list[Asset]:
    """Assets whose bytes are in the store."""
    return [make_asset(dataset, path, blob=make_blob(dataset)) for path in paths]


def access_of(dataset: Dataset) -> str:
    return Dataset.objects.get(pk=dataset.pk).access


# --- Asking for it ----------------------------------------------------------------------------------------------------


def test_release_lets_everybody_read_at_once() -> None:
    dataset = make_embargoed_dataset()
    asset = make_asset(dataset)
    with pytest.raises(UnauthenticatedError):
        find_dataset(ANONYMOUS, dataset.number, hidden=False)
    release(actor=owner_of(dataset), dataset=dataset)
    assert find_dataset(ANONYMOUS, dataset.number).access == Dataset.Access.RELEASING
    assert find_asset_anywhere(ANONYMOUS, asset.asset_id) == asset
    assert find_blob_by_digest(ANONYMOUS, "dandi:dandi-etag", asset.blob.etag) == asset.blob
    assert archive_totals().size == asset.size


@pytest.mark.parametrize("files", [1, 20])
def test_release_costs_the_same_for_any_number_of_files(files: int) -> None:
    dataset = make_embargoed_dataset()
    for number in range(files):
        make_asset(dataset, f"{number}.nwb")
    with CaptureQueriesContext(connection) as asked:
        release(actor=owner_of(dataset), dataset=dataset)
    written = [query["sql"].split()[1] for query in asked if query["sql"].startswith("UPDATE")]
    assert written == ['"archive_dataset"', '"archive_version"']


def test_release_is_in_the_history_and_ends_the_embargo_today() -> None:
    dataset = make_embargoed_dataset()
    start_release(dataset)
    change = changes(dataset.number).get(kind=Change.Kind.RELEASE)
    assert (change.number, change.author_email) == (dataset.released, owner_of(dataset).email)
    assert dataset.embargo_end == datetime.now(UTC).date()


@pytest.mark.parametrize("make", [make_dataset, make_releasing_dataset])
def test_release_is_refused_when_the_dataset_is_not_embargoed(make: Callable[[], Dataset]) -> None:
    dataset = make()
    with pytest.raises(InvalidError, match=r"^The dataset is not embargoed\.$"):
        release(actor=owner_of(dataset), dataset=dataset)


def test_release_is_refused_while_uploads_are_under_way() -> None:
    dataset = make_embargoed_dataset()
    start_upload(actor=owner_of(dataset), dataset=dataset, size=1, etag=f"{'0' * 32}-1")
    with pytest.raises(InvalidError, match="^Uploads for it are under way"):
        release(actor=owner_of(dataset), dataset=dataset)
    assert access_of(dataset) == Dataset.Access.EMBARGOED


def test_release_is_refused_to_strangers() -> None:
    dataset = make_embargoed_dataset()
    with pytest.raises(ForbiddenError):
        release(actor=acting(make_user()), dataset=dataset)
    assert access_of(dataset) == Dataset.Access.EMBARGOED


def test_publishing_waits_until_the_release_is_done(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    make_asset(dataset)
    worker.run()
    start_release(dataset)
    with pytest.raises(InvalidError, match="not open"):
        publish(actor=owner_of(dataset), dataset=dataset)
    worker.run()
    dataset.refresh_from_db()
    assert make_published_version(worker, dataset)


# --- What follows -----------------------------------------------------------------------------------------------------


def test_objects_are_closed_until_the_release_and_open_after_it(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    [asset] = with_bytes(dataset, "a.nwb")
    worker.run()
    assert not reads_unsigned(asset.blob.key)
    start_release(dataset)
    worker.run()
    assert reads_unsigned(asset.blob.key)
    assert access_of(dataset) == Dataset.Access.OPEN


def test_metadata_says_so_when_the_release_is_done(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    asset = make_asset(dataset)
    worker.run()
    before = find_draft(dataset.number)
    assert before
    assert (before.status, before.metadata["access"][0]["status"]) == (Version.Status.VALID, "dandi:EmbargoedAccess")
    assert Asset.objects.get(pk=asset.pk).status == Asset.Status.VALID
    start_release(dataset)
    worker.run()
    after = find_draft(dataset.number)
    assert after
    assert (after.status, after.metadata["access"][0]["status"]) == (Version.Status.VALID, "dandi:OpenAccess")


def test_owners_are_told_once_when_the_release_is_done(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    start_release(dataset)
    assert mail.outbox == []
    worker.run()
    worker.run()
    [letter] = mail.outbox
    assert letter.to == [owner_of(dataset).email]
    assert letter.subject == f"DANDI: dataset {dataset.identifier} is released"


def test_manifests_are_closed_until_the_release_and_open_after_it(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_embargoed_dataset()
    make_asset(dataset)
    after_a_while(dataset, worker)
    draft = find_draft(dataset.number)
    assert draft
    key = manifest_key(draft, "assets.yaml")
    assert not reads_unsigned(key)
    start_release(dataset)
    worker.run()
    after_a_while(dataset, worker)
    assert reads_unsigned(key)


def after_a_while(dataset: Dataset, worker: Worker) -> None:
    """Let the worker work after nobody has touched the dataset for so long that its manifests are written."""
    Timeline.objects.filter(dataset_id=dataset.number).update(changed=timezone.now() - DRAFT_MANIFEST_QUIET)
    Projection.objects.filter(dataset_id=dataset.number).update(next_attempt=None)
    worker.run()


def test_what_was_removed_before_the_release_stays_closed(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    removed, kept = with_bytes(dataset, "removed.nwb", "kept.nwb")
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=removed.asset_id)
    start_release(dataset)
    worker.run()
    assert (reads_unsigned(removed.blob.key), reads_unsigned(kept.blob.key)) == (False, True)
    assert find_blob_by_digest(ANONYMOUS, "dandi:dandi-etag", removed.blob.etag) is None
    with pytest.raises(NotFoundError):
        find_asset_anywhere(ANONYMOUS, removed.asset_id)
    assert find_asset_anywhere(owner_of(dataset), removed.asset_id) == removed


def test_blob_that_an_open_dataset_shows_too_is_open_although_the_other_is_embargoed(worker: Worker) -> None:
    embargoed = make_embargoed_dataset(owner := make_user())
    [asset] = with_bytes(embargoed, "a.nwb")
    worker.run()
    opened = make_dataset(owner)
    add_asset(
        actor=acting(owner), dataset=opened, blob_id=asset.blob.pk, metadata=valid_asset_metadata("elsewhere.nwb")
    )
    worker.run()
    assert reads_unsigned(asset.blob.key)
    assert access_of(embargoed) == Dataset.Access.EMBARGOED
    with pytest.raises(UnauthenticatedError):
        find_asset_anywhere(ANONYMOUS, asset.asset_id)


def test_blob_whose_object_is_missing_does_not_hold_the_release_up(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    make_asset(dataset)
    Blob.objects.update(is_open=False)
    start_release(dataset)
    worker.run()
    assert access_of(dataset) == Dataset.Access.OPEN


# --- Faults -----------------------------------------------------------------------------------------------------------

STEPS = ["first object", "second object", "third object", "row of a batch", "end", "end, written", "end, committed"]


def kill_at(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the worker when it comes to that step for the first time."""
    monkeypatch.setattr(work, "OPENING_BATCH", 2)
    numbered = {"first object": 1, "second object": 2, "third object": 3}
    place: dict[str, tuple[Any, str, int, bool]] = {
        **{name: (storage, "open_to_all", number, False) for name, number in numbered.items()},
        "row of a batch": (storage, "open_to_all", 2, True),
        "end": (work, "_finish_release", 1, False),
        "end, written": (work, "_tell_owners", 1, True),
        "end, committed": (work, "_finish_release", 1, True),
    }
    owner, name, number, afterwards = place[step]
    honest = getattr(owner, name)
    calls = []

    def deadly(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == number and not afterwards:
            raise Killed
        result = honest(*arguments, **options)
        if len(calls) == number:
            raise Killed
        return result

    monkeypatch.setattr(owner, name, deadly)


@pytest.mark.parametrize("step", STEPS)
def test_release_goes_on_where_a_killed_worker_left_it(
    step: str, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_embargoed_dataset()
    assets = with_bytes(dataset, "a.nwb", "b.nwb", "c.nwb")
    worker.run()
    start_release(dataset)
    kill_at(step, monkeypatch)
    with pytest.raises(Killed):
        worker.run()
    assert find_dataset(ANONYMOUS, dataset.number)
    Projection.objects.filter(lease__isnull=False).update(leased_until=timezone.now())
    worker.run()
    assert access_of(dataset) == Dataset.Access.OPEN
    assert [reads_unsigned(asset.blob.key) for asset in assets] == [True, True, True]
    assert changes(dataset.number).filter(kind=Change.Kind.FINISH_RELEASE).count() == 1
    assert len(mail.outbox) == 1


def test_release_does_not_begin_again_with_what_is_open_already(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_embargoed_dataset()
    assets = [make_asset(dataset, f"{number}.nwb", blob=closed_row(dataset)) for number in range(4)]
    start_release(dataset)
    monkeypatch.setattr(work, "OPENING_BATCH", 2)
    opened: list[str] = []
    monkeypatch.setattr(storage, "open_to_all", opened.append)
    Blob.objects.filter(pk__in=[asset.blob_id for asset in assets[:2]]).update(is_open=True)
    worker.run()
    blobs = [key for key in opened if key.startswith("blobs/")]
    assert sorted(blobs) == sorted(asset.blob.key for asset in assets[2:])


def closed_row(dataset: Dataset) -> Blob:
    user = owner_of(dataset).user
    assert user
    blob = make_blob_row(user)
    Blob.objects.filter(pk=blob.pk).update(is_open=False)
    return blob


# --- What the database refuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("access", "released", "embargo_end"),
    [
        ("EMBARGOED", 3, "2030-01-01"),
        ("EMBARGOED", None, None),
        ("UNEMBARGOING", None, "2030-01-01"),
        ("UNEMBARGOING", 3, None),
        ("CLOSED", None, "2030-01-01"),
    ],
)
def test_database_refuses_states_that_cannot_be(access: str, released: int | None, embargo_end: str | None) -> None:
    dataset = make_dataset()
    with pytest.raises(IntegrityError), transaction.atomic():
        Dataset.objects.filter(pk=dataset.pk).update(access=access, released=released, embargo_end=embargo_end)
