"""Bundles in the store are the truth about objects, Postgres about branches; everything else can be had again."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from django.db import transaction

from archive.accounts.policy import SYSTEM
from archive.assets.models import Asset
from archive.assets.services import remove_asset
from archive.datasets.models import Dataset
from archive.errors import BusyError, ConflictError
from archive.snapshots import work
from archive.snapshots.keeping import bundles, cache, recording
from archive.snapshots.keeping.bundles import DamagedError, StoredBundle, fetch_bundle
from archive.snapshots.keeping.git import Git, GitError, new_repository
from archive.snapshots.models import Bundle, new_bundle_key
from archive.snapshots.queries import clone_state
from archive.snapshots.services import opened, rebuild, repository_of
from archive.snapshots.writing import following
from archive.storage import queries as store
from archive.storage.services import delete, write
from archive.timeline.models import Projection
from tests.archive.assets.state import draft_of
from tests.archive.snapshots.pushing.test_pushing import md5_key, push
from tests.archive.snapshots.state import expected_of, git, refs_of, tree_of
from tests.archive.snapshots.writing.test_writing import EDIT, assert_exact
from tests.database import copy_rows, paste_rows
from tests.factories import (
    make_asset,
    make_blob,
    make_dataset,
    make_published_version,
    make_zarr,
    make_zarr_asset,
    owner_of,
    upload_zarr,
)
from tests.factories.zarr import announce, ingest, put
from tests.threads import threads
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Copy:
    """A dataset as it was when it had been made: its rows, bundles in the store, and repository in the cache."""

    number: int
    rows: Mapping[str, bytes]
    bundles: Mapping[str, bytes]
    cache: Path


@pytest.fixture(scope="module")
def copies() -> list[Copy]:
    """That of the dataset that has lived, once the first test has made it."""
    return []


@pytest.fixture
def dataset(
    worker: Worker, snapshot_cache: Path, copies: list[Copy], tmp_path_factory: pytest.TempPathFactory
) -> Dataset:
    """A dataset that has lived: one is made, and copied for each test."""
    if not copies:
        dataset = make_dataset_that_has_lived(worker)
        bundles = {key: store.read_whole(key) or b"" for key in keys_of(dataset)}
        cache = copytree(snapshot_cache, tmp_path_factory.mktemp("copy") / "cache")
        copies.append(Copy(dataset.number, copy_rows(), bundles, cache))
        return dataset
    [copy] = copies
    paste_rows(copy.rows)
    for key, content in copy.bundles.items():
        write(key, [content], content_type="application/x-git-bundle")
    copytree(copy.cache, snapshot_cache)
    return Dataset.objects.get(pk=copy.number)


def make_dataset_that_has_lived(worker: Worker) -> Dataset:
    """Make one with text, a Zarr archive of two revisions, a version, a file removed."""
    dataset = make_dataset()
    make_asset(dataset, "README.md", blob=make_blob(dataset, b"Mice.\n"))
    for path in ("empty.json", "empty.nwb"):
        make_asset(dataset, path, blob=make_blob(dataset, b""))
    gone = make_asset(dataset, "gone.nwb", blob=make_blob(dataset))
    zarr = upload_zarr(worker, make_zarr(dataset))
    make_zarr_asset(zarr)
    worker.run()
    make_published_version(worker, dataset)
    announce(zarr, EDIT)
    put(zarr, *EDIT.values())
    ingest(worker, zarr)
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=gone.asset_id)
    worker.run()
    return dataset


def check(dataset: Dataset, worker: Worker) -> str:
    """What a check leaves as the fault of the dataset's repository."""
    work.check_some()
    worker.run()
    repository = repository_of(dataset)
    assert repository.checked
    return repository.fault


def keys_of(dataset: Dataset) -> list[str]:
    return list(Bundle.objects.filter(repository=dataset.number).order_by("pk").values_list("key", flat=True))


# --- Bundles ----------------------------------------------------------------------------------------------------------


def test_bundle_is_damaged_when_it_is_deleted_right_before_it_is_read(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle.objects.filter(repository=dataset.number).earliest("pk")
    seen = store.find(bundle.key)
    delete(bundle.key)
    monkeypatch.setattr(store, "find", lambda _: seen)
    with pytest.raises(DamagedError, match="is not in the store"):
        fetch_bundle(bundle, tmp_path / "bundle")


def test_bundles_are_merged_when_there_are_many(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MAX_BUNDLES", 2)
    dataset = make_dataset()
    for number in range(3):
        make_asset(dataset, f"{number}.nwb", blob=make_blob(dataset))
        worker.run()
    assert len(keys_of(dataset)) == 1
    cache.forget(repository_of(dataset))
    assert_exact(dataset)


def test_packs_are_repacked_when_there_are_many(
    dataset: Dataset, worker: Worker, snapshot_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MAX_PACKS", 1)
    make_asset(dataset, "new.nwb", blob=make_blob(dataset))
    worker.run()
    assert_exact(dataset)
    packs = snapshot_cache / repository_of(dataset).folder / "objects/pack"
    assert len(list(packs.glob("*.pack"))) == 1


def test_sweep_removes_old_bundles_that_no_row_tells_of(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    orphan, young = "repositories/2020-01-01/orphan.bundle", new_bundle_key()
    for key in (orphan, young):
        write(key, [b"bytes"], content_type="application/x-git-bundle")
    bundles.sweep_bundles()
    assert store.find(orphan) is None
    assert store.find(young)
    assert all(store.find(key) for key in keys_of(dataset))


def test_sweep_leaves_old_bundles_that_are_in_use(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "BUNDLE_GRACE", timedelta(days=-2))
    bundles.sweep_bundles()
    assert all(store.find(key) for key in keys_of(dataset))


# --- Checks, and what they restore ------------------------------------------------------------------------------------


def test_check_finds_nothing_wrong_with_what_was_written(dataset: Dataset, worker: Worker) -> None:
    before = keys_of(dataset)
    assert check(dataset, worker) == ""
    assert keys_of(dataset) == before


def test_check_takes_text_that_looks_like_a_pointer_for_what_it_is(worker: Worker) -> None:
    dataset = make_dataset()
    pointer = f"/annex/objects/SHA256E-s4--{'0' * 64}.md\n".encode()
    make_asset(dataset, "README.md", blob=make_blob(dataset, pointer))
    worker.run()
    assert check(dataset, worker) == ""


def lose(dataset: Dataset) -> None:
    delete(keys_of(dataset)[0])


def damage(dataset: Dataset) -> None:
    key = keys_of(dataset)[-1]
    content = store.read_whole(key)
    assert content
    write(key, [content[:-1] + b"?"], content_type="application/x-git-bundle")


def forge(dataset: Dataset) -> None:
    """The rows come to say something else than the tree."""
    Asset.objects.filter(dataset=dataset, path="README.md").update(path="README.txt")
    Asset.objects.filter(dataset=dataset, path="README.txt").update(path="README.md", blob=make_blob(dataset).pk)


@pytest.mark.parametrize("harm", [lose, damage])
def test_check_restores_what_the_store_has_lost_with_the_same_commits(
    harm: Callable[[Dataset], None], dataset: Dataset, worker: Worker
) -> None:
    before = refs_of(dataset)
    harm(dataset)
    assert check(dataset, worker) == ""
    cache.forget(repository_of(dataset))
    assert refs_of(dataset) == before
    assert_exact(dataset)


def test_check_says_what_it_cannot_restore(dataset: Dataset, worker: Worker) -> None:
    forge(dataset)
    worker.run()
    assert "cannot be restored" in check(dataset, worker)


def test_rebuilding_from_the_rows_makes_the_same_commits(dataset: Dataset) -> None:
    before, keys = refs_of(dataset), keys_of(dataset)
    for key in keys:
        delete(key)
    rebuild(repository_of(dataset))
    assert refs_of(dataset) == before
    assert not {*keys_of(dataset)} & {*keys}
    assert_exact(dataset)


def test_rebuilding_keeps_pushed_commits_as_they_came(dataset: Dataset, worker: Worker) -> None:
    blob = make_blob(dataset)
    push(dataset, "pushed.dat", blob, md5_key(blob, "pushed.dat"))
    worker.run()
    make_asset(dataset, "after.nwb", blob=make_blob(dataset))
    worker.run()
    before = refs_of(dataset)
    delete(keys_of(dataset)[0])
    rebuild(repository_of(dataset))
    assert refs_of(dataset) == before
    assert check(dataset, worker) == ""


def test_rebuilding_is_refused_when_it_would_make_other_commits(dataset: Dataset) -> None:
    before = refs_of(dataset)
    Asset.objects.filter(dataset=dataset, path="gone.nwb").delete()
    with pytest.raises(ConflictError):
        rebuild(repository_of(dataset))
    assert refs_of(dataset) == before


def test_lost_bundle_is_missed_by_who_asks_and_then_restored(dataset: Dataset, worker: Worker) -> None:
    before = refs_of(dataset)
    lose(dataset)
    cache.forget(repository_of(dataset))
    with pytest.raises(BusyError), opened(repository_of(dataset)):
        pass
    worker.run()
    assert refs_of(dataset) == before


def test_lost_bundle_is_missed_by_the_next_commit_and_then_restored(dataset: Dataset, worker: Worker) -> None:
    lose(dataset)
    cache.forget(repository_of(dataset))
    make_asset(dataset, "new.nwb", blob=make_blob(dataset))
    worker.run()
    Projection.objects.update(next_attempt=None)
    worker.run()
    assert_exact(dataset)


def test_damaged_folder_is_made_anew(dataset: Dataset, worker: Worker, snapshot_cache: Path) -> None:
    for pack in (snapshot_cache / repository_of(dataset).folder / "objects/pack").glob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:-100])
    make_asset(dataset, "new.nwb", blob=make_blob(dataset))
    worker.run()
    Projection.objects.update(next_attempt=None)
    worker.run()
    assert_exact(dataset)


# --- At the same time -------------------------------------------------------------------------------------------------


def test_what_is_written_beside_somebody_who_was_faster_is_thrown_away(dataset: Dataset, worker: Worker) -> None:
    before = repository_of(dataset)
    make_asset(dataset, "new.nwb", blob=make_blob(dataset))
    worker.run()
    after = repository_of(dataset)
    stored = StoredBundle(new_bundle_key(), 1, "0" * 64)
    slow = recording.Progress([], stored, before.at + 1, before.main, before.annex, [])
    with pytest.raises(recording.MovedError), transaction.atomic():
        recording.record(before, slow)
    assert repository_of(dataset).main == after.main
    assert stored.key not in keys_of(dataset)


def test_two_workers_at_once_write_one_history(worker: Worker) -> None:
    dataset = make_dataset()
    for number in range(5):
        make_asset(dataset, f"{number}.nwb", blob=make_blob(dataset))
    worker.run()
    make_asset(dataset, "new.nwb", blob=make_blob(dataset))
    Projection.objects.update(next_attempt=None)
    with threads(2) as start:
        for _ in range(2):
            start(worker.run)
    worker.run()
    assert_exact(dataset)


def test_workers_with_their_own_caches_write_one_history(
    dataset: Dataset, worker: Worker, settings: Any, tmp_path: Path
) -> None:
    for number in range(4):
        settings.SNAPSHOT_CACHE = str(tmp_path / f"machine {number % 2}")
        make_asset(dataset, f"{number}.nwb", blob=make_blob(dataset))
        worker.run()
    assert_exact(dataset)


def test_incremental_history_comes_to_the_same_tree_as_one_from_scratch(dataset: Dataset, worker: Worker) -> None:
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    follow = tree_of(dataset)
    repository_of(dataset).delete()
    Projection.objects.filter(dataset_id=dataset.number, name="snapshot").delete()
    worker.run()
    assert tree_of(dataset) == follow == expected_of(draft_of(dataset))


# --- Broken off -------------------------------------------------------------------------------------------------------


# What the children are that are killed: one in the midst of what it is told, and one that takes its time.
KILLED = {"fast-import": ("fast-import", "--quiet", "--done"), "bundle": ("-c", "alias.hang=!sleep 60", "hang")}


@pytest.mark.parametrize("command", KILLED)
def test_killed_git_leaves_everything_as_it_was_and_the_next_attempt_succeeds(
    command: str, dataset: Dataset, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, keys = refs_of(dataset), keys_of(dataset)
    start = Git.started

    @contextmanager
    def killed(self: Git, *arguments: str, **options: Any) -> Iterator[Any]:
        is_killed = arguments[0] == command
        with start(self, *(KILLED[command] if is_killed else arguments), **options) as child:
            if is_killed:
                child.process.kill()
            yield child

    make_asset(dataset, "new.nwb", blob=make_blob(dataset))
    with monkeypatch.context() as patch:
        patch.setattr(Git, "started", killed)
        worker.run()
    assert f"git {command} failed" in clone_state(SYSTEM, dataset).reason
    assert refs_of(dataset) == before
    assert keys_of(dataset) == keys
    Projection.objects.update(next_attempt=None)
    worker.run()
    assert_exact(dataset)


def test_stream_that_is_broken_off_makes_no_commit(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "repository")
    head = b"commit refs/heads/main\ncommitter A <a@example.org> 0 +0000\ndata 1\nm\n"
    with pytest.raises(GitError):
        Git(folder).feed("fast-import", "--quiet", "--done", chunks=[head])
    assert git(folder, "for-each-ref") == b""


def test_what_fails_while_a_stream_is_made_ends_git_and_goes_on(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "repository")

    def chunks() -> Iterator[bytes]:
        yield b"feature done\n"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Git(folder).feed("fast-import", "--quiet", "--done", chunks=chunks())


def test_git_is_ended_when_it_takes_too_long(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "repository")
    beats: list[int] = []
    with pytest.raises(GitError, match="code -9"):
        Git(folder, seconds=1.5).run("-c", "alias.wait=!sleep 60", "wait", beat=lambda: beats.append(1))
    assert beats


def test_git_knows_nothing_of_whoever_started_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Somebody")
    folder = new_repository(tmp_path / "repository")
    assert b"Somebody" not in Git(folder).run("config", "--list")
    assert b"Somebody" not in Git(folder).run("-c", "alias.say=!env", "say")
