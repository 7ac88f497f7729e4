"""Repositories on a machine's disk: filled and evicted by any process, at any time."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from archive.datasets.models import Dataset
from archive.errors import BusyError
from archive.snapshots.keeping import cache
from archive.snapshots.services import opened, repository_of
from tests.archive.snapshots.state import git, refs_of
from tests.archive.snapshots.writing.test_writing import assert_exact
from tests.factories import make_asset, make_blob, make_dataset
from tests.threads import threads
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dataset(worker: Worker) -> Dataset:
    """A dataset whose repository is written."""
    dataset = make_dataset()
    make_asset(dataset, blob=make_blob(dataset))
    worker.run()
    return dataset


def test_emptied_cache_is_filled_from_the_store_with_the_same_commits(dataset: Dataset, snapshot_cache: Path) -> None:
    before = refs_of(dataset)
    shutil.rmtree(snapshot_cache)
    assert refs_of(dataset) == before
    assert_exact(dataset)


def test_cache_follows_what_another_process_has_written(
    dataset: Dataset, worker: Worker, settings: Any, tmp_path: Path
) -> None:
    refs_of(dataset)
    ours, settings.SNAPSHOT_CACHE = settings.SNAPSHOT_CACHE, str(tmp_path / "another machine")
    make_asset(dataset, "new.nwb", blob=make_blob(dataset))
    worker.run()
    settings.SNAPSHOT_CACHE = ours
    assert_exact(dataset)


def test_cache_evicts_what_was_used_least_recently_but_nothing_in_use(
    worker: Worker, settings: Any, snapshot_cache: Path
) -> None:
    datasets = [make_dataset() for _ in range(3)]
    for dataset in datasets:
        make_asset(dataset, blob=make_blob(dataset))
    worker.run()
    settings.SNAPSHOT_CACHE_BYTES = 1
    used, _, newest = map(repository_of, datasets)
    shutil.rmtree(snapshot_cache / newest.folder)
    with opened(used), opened(newest):
        assert {folder.name for folder in snapshot_cache.iterdir() if folder.is_dir()} == {used.folder, newest.folder}


def test_cache_is_looked_through_once_a_while_where_nothing_is_fetched(
    dataset: Dataset, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs_of(dataset)
    looks: list[Path] = []
    monkeypatch.setattr(cache, "_make_room", lambda *, keep: looks.append(keep))
    for seconds, expected in ((60.0, 0), (-60.0, 1)):
        monkeypatch.setattr(cache, "LOOK_SECONDS", seconds)
        make_asset(dataset, f"{expected}.nwb", blob=make_blob(dataset))
        worker.run()
        assert bool(looks) == bool(expected)


def test_cache_removes_what_a_killed_process_has_left(
    dataset: Dataset, snapshot_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = snapshot_cache / "tmp-left"
    left.mkdir()
    monkeypatch.setattr(cache, "ABANDONED_SECONDS", -60)
    cache.forget(repository_of(dataset))
    refs_of(dataset)
    assert not left.exists()


def test_many_ask_for_a_repository_at_once_and_it_is_filled_once(dataset: Dataset, snapshot_cache: Path) -> None:
    shutil.rmtree(snapshot_cache)

    def read() -> bytes:
        with opened(repository_of(dataset)) as folder:
            return git(folder, "rev-parse", "main")

    with threads(4) as start:
        answers = [start(read) for _ in range(4)]
    assert {answer.result().decode().strip() for answer in answers} == {repository_of(dataset).main}


def test_nobody_waits_for_ever_for_a_repository_that_is_being_filled(
    dataset: Dataset, snapshot_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = repository_of(dataset)
    shutil.rmtree(snapshot_cache / repository.folder)
    monkeypatch.setattr(cache, "LOCK_SECONDS", 0.1)
    filling = snapshot_cache / f"{repository.folder}.filling"
    with cache._locked(filling, cache.fcntl.LOCK_EX), pytest.raises(BusyError), opened(repository):
        pass


def test_many_make_room_at_once(settings: Any, snapshot_cache: Path, tmp_path: Path) -> None:
    settings.SNAPSHOT_CACHE_BYTES = 1
    snapshot_cache.mkdir()
    long_ago = time.time() - 2 * cache.ABANDONED_SECONDS

    def crowd(sweeper: int) -> None:
        for number in range(30):
            new, left = tmp_path / f"{sweeper}-{number}", snapshot_cache / f"{cache.TEMPORARY}{sweeper}-{number}"
            (new / "objects/pack").mkdir(parents=True)
            (new / "objects/pack/one.pack").write_bytes(b"some bytes")
            left.mkdir()
            os.utime(left, (long_ago, long_ago))
            # Whole from its first moment, since others may evict it in the next.
            cache._make_room(keep=new.rename(snapshot_cache / f"{sweeper}-{number}.git"))

    with threads(8) as start:
        sweepers = [start(crowd, number) for number in range(8)]
    assert [sweeper.exception() for sweeper in sweepers] == [None] * 8


def test_room_is_made_though_a_folder_is_evicted_while_it_is_measured(
    settings: Any, snapshot_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measuring(folder: Path) -> int:
        shutil.rmtree(seen)
        monkeypatch.undo()
        return cache._size(folder)

    kept, seen = snapshot_cache / "kept.git", snapshot_cache / "seen.git"
    for folder in (kept, seen):
        (folder / "objects/pack").mkdir(parents=True)
    (kept / "objects/pack/one.pack").write_bytes(b"more than there is room for")
    settings.SNAPSHOT_CACHE_BYTES = 1
    monkeypatch.setattr(cache, "_size", measuring)
    cache._make_room(keep=kept)
    assert not seen.exists()


def test_repository_is_forgotten_though_another_was_faster(
    dataset: Dataset, snapshot_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = repository_of(dataset)
    shutil.rmtree(snapshot_cache / repository.folder)
    monkeypatch.setattr(Path, "exists", lambda _: True)
    cache.forget(repository)


def test_cold_clones_are_answered_while_there_is_room_for_none(
    worker: Worker, settings: Any, snapshot_cache: Path
) -> None:
    datasets = [make_dataset() for _ in range(2)]
    for dataset in datasets:
        make_asset(dataset, blob=make_blob(dataset))
    worker.run()
    settings.SNAPSHOT_CACHE_BYTES = 1

    def clone(dataset: Dataset) -> str:
        with opened(repository_of(dataset)) as folder:
            return git(folder, "rev-parse", "main").decode().strip()

    with threads(4) as start:
        answers = [(dataset, start(clone, dataset)) for _ in range(4) for dataset in datasets]
    assert [answer.result() for _, answer in answers] == [repository_of(dataset).main for dataset, _ in answers]
