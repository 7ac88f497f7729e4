"""Many writers of one dataset at once, over real connections and transactions.

ARCHIVE_LONG_TESTS=1 lets the free-for-all go on for longer.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from threading import Barrier, Event

import pytest
from django.db import connection

from archive.accounts.policy import Actor
from archive.assets.models import Asset
from archive.assets.services import add_asset, change_assets, remove_asset, replace_asset
from archive.blobs.models import Blob
from archive.datasets.models import Dataset
from archive.errors import ConflictError, InvalidError, NotFoundError
from archive.metadata.problems import validate_asset
from archive.publishing import services as publishing
from archive.publishing.services import revalidate
from archive.timeline.models import Projection
from archive.timeline.queries import changes, position
from archive.timeline.work.projections import advance_projection
from tests.archive.assets.state import contributed_values, counted_values, draft_of, files_of, recounted, sums_of
from tests.factories import (
    attachable_row,
    make_asset,
    make_dataset,
    new_asset,
    owner_of,
    valid_asset_metadata,
)
from tests.threads import threads

WRITERS = 16
SECONDS = {"1": 30.0}.get(os.environ.get("ARCHIVE_LONG_TESTS", ""), 3.0)
# They overlap: some are files to one writer and folders to another.
PATHS = ("a", "a/b", "a/b/c", "a/d", "e/f", "e/f/g", "sub-1", "i/j/k/l", "i/j", "sub-2")
EXPECTED = (ConflictError, NotFoundError, InvalidError)

pytestmark = pytest.mark.django_db(transaction=True)


class Writer:
    """Changes a dataset at random for as long as it is told to, and counts what came of it."""

    def __init__(self, dataset: Dataset, blobs: list[Blob], seed: int) -> None:
        self.dataset = dataset
        self.actor: Actor = owner_of(dataset)
        self.blobs = blobs
        self.random = random.Random(seed)
        self.outcomes: Counter[str] = Counter()

    def write_until(self, is_over: Callable[[], bool]) -> Counter[str]:
        while not is_over():
            self._write()
            # As a request does at its end: there are more writers than connections.
            connection.close()
        return self.outcomes

    def _write(self) -> None:
        act = self.random.choice([self._add, self._replace, self._remove, self._batch])
        try:
            act()
        except EXPECTED as error:
            self.outcomes[type(error).__name__] += 1
        else:
            self.outcomes["changed"] += 1

    def _path(self) -> str:
        return self.random.choice(PATHS)

    def _blob(self) -> Blob:
        return self.random.choice(self.blobs)

    def _some_asset(self) -> Asset:
        assets = list(Asset.objects.filter(dataset=self.dataset, retired__isnull=True))
        if not assets:
            raise NotFoundError("Not found.")
        return self.random.choice(assets)

    def _add(self) -> None:
        metadata = valid_asset_metadata(self._path())
        add_asset(actor=self.actor, dataset=self.dataset, blob_id=self._blob().pk, metadata=metadata)

    def _replace(self) -> None:
        asset = self._some_asset()
        # Always a change: the same again would be none, and have no number.
        metadata = valid_asset_metadata(self._path(), keywords=[str(self.random.random())])
        replace_asset(
            actor=self.actor,
            dataset=self.dataset,
            asset_id=asset.asset_id,
            blob_id=self._blob().pk,
            metadata=metadata,
        )

    def _remove(self) -> None:
        remove_asset(actor=self.actor, dataset=self.dataset, asset_id=self._some_asset().asset_id)

    def _batch(self) -> None:
        remove = [self._some_asset().path for _ in range(2)]
        add = [new_asset(self._path(), self._blob()) for _ in range(2)]
        change_assets(actor=self.actor, dataset=self.dataset, add=add, remove=remove)


def _validate_until(dataset: Dataset, is_over: Callable[[], bool]) -> None:
    """Judge the draft's files over and over, also those that were judged before."""
    while not is_over():
        advance_projection(dataset.number, "validation")
        assert Projection.objects.get(dataset_id=dataset.number, name="validation").attempts == 0
        revalidate(dataset=dataset)


def _replayed(dataset: Dataset, at: int) -> dict[str, int]:
    """What the rows in time say there was at a point, change by change; each must fit what was there before it."""
    rows = Asset.objects.filter(dataset=dataset)
    came = [(row.introduced, 1, row) for row in rows]
    left = [(row.retired, 0, row) for row in rows if row.retired is not None]
    files: dict[str, int] = {}
    for number, is_coming, row in sorted([*came, *left], key=lambda event: event[:2]):
        if number > at:
            break
        if is_coming:
            assert row.path not in files
            files[row.path] = row.size
        else:
            del files[row.path]
    return files


@pytest.mark.timeout(120)
def test_many_writers_lose_and_double_nothing() -> None:
    dataset = make_dataset()
    blobs = [attachable_row(dataset, size=size) for size in (1, 10, 100)]
    # The first file that is judged waits for the schema to be loaded.
    validate_asset({})
    with threads(WRITERS + 1) as start:
        end = time.monotonic() + SECONDS
        running = [
            start(Writer(dataset, blobs, seed).write_until, lambda: time.monotonic() > end) for seed in range(WRITERS)
        ]
        validating = start(_validate_until, dataset, lambda: time.monotonic() > end)
    validating.result()
    outcomes = sum((future.result() for future in running), Counter[str]())

    draft, draft_position = draft_of(dataset), position(dataset.number)
    numbers = list(changes(dataset.number).values_list("number", flat=True))
    assert outcomes["changed"] > WRITERS
    assert numbers == list(range(1, outcomes["changed"] + 2))
    assert files_of(draft) == _replayed(dataset, at=draft_position)
    assert sums_of(draft) == recounted(files_of(draft))
    assert (draft.file_count, draft.size) == (len(files_of(draft)), sum(files_of(draft).values()))
    assert counted_values(dataset) == contributed_values(dataset)
    assert Asset.objects.exclude(status=Asset.Status.PENDING).exists()


def test_one_of_two_writers_to_a_path_wins() -> None:
    dataset = make_dataset()
    blob = attachable_row(dataset)
    metadata = valid_asset_metadata("a.nwb")
    barrier = Barrier(2)

    def write() -> str:
        barrier.wait()
        try:
            add_asset(actor=owner_of(dataset), dataset=dataset, blob_id=blob.pk, metadata=metadata)
        except ConflictError as error:
            return type(error).__name__
        return "added"

    with threads(2) as start:
        first, second = start(write), start(write)
    assert sorted([first.result(), second.result()]) == ["ConflictError", "added"]
    assert files_of(draft_of(dataset)) == {"a.nwb": 1}
    assert position(dataset.number) == 2


def test_one_of_two_replacements_of_an_asset_wins() -> None:
    dataset = make_dataset()
    asset = make_asset(dataset, "a.nwb")
    barrier = Barrier(2)

    def write(path: str) -> str:
        barrier.wait()
        try:
            replace_asset(
                actor=owner_of(dataset),
                dataset=dataset,
                asset_id=asset.asset_id,
                blob_id=asset.blob_id,
                metadata=valid_asset_metadata(path),
            )
        except NotFoundError as error:
            return type(error).__name__
        return path

    with threads(2) as start:
        first, second = start(write, "b.nwb"), start(write, "c.nwb")
    loser, winner = sorted([first.result(), second.result()])
    assert loser == "NotFoundError"
    assert files_of(draft_of(dataset)) == {winner: 1}


@pytest.mark.timeout(120)
def test_version_is_the_state_at_its_point_whoever_writes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    # A draft that is being changed is never found valid for long enough.
    monkeypatch.setattr(publishing, "require_publishable", lambda draft: None)
    dataset = make_dataset()
    blobs = [attachable_row(dataset, size=size) for size in (1, 10)]
    is_over = Event()
    with threads(5) as start, ExitStack() as at_last:
        at_last.callback(is_over.set)
        writers = [start(Writer(dataset, blobs, seed).write_until, is_over.is_set) for seed in range(4)]
        for _ in range(10):
            time.sleep(0.1)
            start(publishing.publish, actor=owner_of(dataset), dataset=dataset).result()
    versions = list(dataset.versions.filter(at__isnull=False))
    assert sum(writer.result()["changed"] for writer in writers) > 0
    assert len({version.at for version in versions}) == 10
    for version in versions:
        assert version.at
        assert files_of(version) == _replayed(dataset, at=version.at)
        assert sums_of(version) == recounted(files_of(version))
        assert (version.file_count, version.size) == (len(files_of(version)), sum(files_of(version).values()))
