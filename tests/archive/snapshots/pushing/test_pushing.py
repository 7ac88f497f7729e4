"""A push moves `main` to the very commit that was pushed, in the transaction that makes it true of the assets."""

from pathlib import Path

import pytest
from django.db import transaction

from archive.accounts.policy import SYSTEM
from archive.assets.services import change_assets
from archive.blobs.models import Blob
from archive.datasets.models import Dataset
from archive.errors import ConflictError
from archive.git_annex.files import link_target
from archive.git_annex.keys import AnnexKey
from archive.snapshots.keeping.cache import workspace
from archive.snapshots.models import Bundle
from archive.snapshots.pushing.applying import record_push, store_push
from archive.snapshots.queries import clone_state, references
from archive.snapshots.services import opened, repository_of
from archive.storage.queries import find
from tests.archive.snapshots.state import git, history_of, refs_of, tree_of
from tests.factories import make_asset, make_blob, make_dataset, new_asset, owner_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def commit_in(folder: Path, path: str, key: AnnexKey | None, *, parent: str = "") -> str:
    """A commit of somebody's that adds a link, or a file in git itself."""
    mode, content = ("120000", link_target(path, key).encode()) if key else ("100644", b"Mice.\n")
    blob = git(folder, "hash-object", "-w", "--stdin", stdin=content).decode().strip()
    listed = git(folder, "ls-tree", "-r", parent) if parent else b""
    index = {"GIT_INDEX_FILE": str(folder / "index"), "GIT_DIR": str(folder)}
    git(folder, "read-tree", "--empty", environment=index)
    git(folder, "update-index", "--index-info", stdin=listed, environment=index)
    git(folder, "update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}", environment=index)
    tree = git(folder, "write-tree", environment=index).decode().strip()
    names = [f"GIT_{role}_{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
    person = dict.fromkeys(names, "Ann")
    parents = ["-p", parent] if parent else []
    return git(folder, "commit-tree", tree, *parents, "-m", "From Ann", environment=person).decode().strip()


def push(dataset: Dataset, path: str, blob: Blob, key: AnnexKey | None) -> str:
    """What a push of one new file does."""
    repository = repository_of(dataset)
    with opened(repository) as base, workspace(base) as quarantine:
        sha = commit_in(quarantine, path, key, parent=repository.main)
        stored = store_push(repository, quarantine=quarantine, commit=sha)
    new = new_asset(path, blob)
    with transaction.atomic():
        change = change_assets(actor=owner_of(dataset), dataset=dataset, add=[new])
        record_push(repository, stored, commit=sha, message="From Ann", change=change)
    return sha


def md5_key(blob: Blob, path: str) -> AnnexKey:
    return AnnexKey("MD5", blob.size, "0" * 32, Path(path).suffix)


def test_pushed_commit_is_where_main_is_at_once(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    blob = make_blob(dataset)
    sha = push(dataset, "b.dat", blob, md5_key(blob, "b.dat"))
    assert references(repository_of(dataset))["refs/heads/main"] == sha
    assert refs_of(dataset)["refs/heads/main"] == sha


def test_first_push_begins_the_history(worker: Worker) -> None:
    dataset = make_dataset()
    worker.run()
    blob = make_blob(dataset)
    sha = push(dataset, "b.dat", blob, md5_key(blob, "b.dat"))
    worker.run()
    assert refs_of(dataset)["refs/heads/main"] == sha
    assert history_of(dataset) == ["From Ann"]


def test_annex_tells_of_the_key_that_the_push_gave(worker: Worker) -> None:
    dataset = make_dataset()
    worker.run()
    blob = make_blob(dataset)
    key = md5_key(blob, "b.dat")
    push(dataset, "b.dat", blob, key)
    worker.run()
    with opened(repository_of(dataset)) as folder:
        log = git(folder, "cat-file", "blob", f"git-annex:{key.lower_folders}/{key}.log").decode()
        web = git(folder, "cat-file", "blob", f"git-annex:{key.lower_folders}/{key}.log.web").decode()
    assert str(repository_of(dataset).annex_uuid) in log
    assert web.rstrip().endswith(blob.key)


def test_annex_has_nothing_to_tell_of_a_pushed_file_that_is_in_git_itself(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    before = repository_of(dataset).annex
    sha = push(dataset, "README.md", make_blob(dataset, b"Mice.\n"), None)
    worker.run()
    assert repository_of(dataset).annex == before
    assert repository_of(dataset).commits.get(is_pushed=True).annex == before
    assert refs_of(dataset)["refs/heads/main"] == sha
    assert clone_state(SYSTEM, dataset).is_current


def test_history_goes_on_from_what_was_pushed_and_leaves_it_as_it_came(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    blob = make_blob(dataset)
    key = md5_key(blob, "b.dat")
    sha = push(dataset, "b.dat", blob, key)
    make_asset(dataset, "c.nwb", blob=make_blob(dataset))
    worker.run()
    assert history_of(dataset) == ["Add a.nwb", "From Ann", "Add c.nwb"]
    assert repository_of(dataset).commits.get(is_pushed=True).sha == sha
    assert tree_of(dataset)["b.dat"].content.decode() == link_target("b.dat", key)


def test_push_changes_nothing_when_the_archive_was_faster(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    make_asset(dataset, "c.nwb", blob=make_blob(dataset))
    blob = make_blob(dataset)
    with pytest.raises(ConflictError):
        push(dataset, "b.dat", blob, md5_key(blob, "b.dat"))
    worker.run()
    assert set(tree_of(dataset)) == {"a.nwb", "c.nwb"}


def test_push_stores_only_what_is_new(worker: Worker) -> None:
    dataset = make_dataset()
    for number in range(50):
        make_asset(dataset, f"{number}.nwb", blob=make_blob(dataset))
    worker.run()
    blob = make_blob(dataset)
    push(dataset, "b.dat", blob, md5_key(blob, "b.dat"))
    first, second = Bundle.objects.order_by("pk")
    stored = find(second.key)
    assert stored
    assert stored.size == second.size < first.size
