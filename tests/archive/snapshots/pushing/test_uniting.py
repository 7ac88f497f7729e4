"""What is pushed as `git-annex` becomes an ancestor of what the archive writes there, and is lost to nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.datasets.models import Dataset
from archive.git_annex.keys import annex_key
from archive.git_annex.logs import location_log_path
from archive.snapshots.keeping import cache
from archive.snapshots.models import Repository
from archive.snapshots.services import opened, rebuild, receiving, repository_of
from archive.storage.queries import public_url
from archive.storage.services import delete
from tests.archive.snapshots.pushing.pusher import (
    ANNEX,
    MAIN,
    NONE,
    Answer,
    Pusher,
    answer_of,
    new_repository,
    run_git,
    spooled,
)
from tests.archive.snapshots.state import git, refs_of
from tests.factories import make_asset, make_blob, make_dataset, owner_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)

THEIRS = b"1764300000.5s 1 6b8e2bd0-74a5-4a3a-a1c9-7a1a2a0d1f4e\n"
CONTENT = b"What a mouse saw.\n"


@pytest.fixture
def dataset(worker: Worker) -> Dataset:
    """A dataset of one annexed file, whose repository has followed."""
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    return dataset


@pytest.fixture
def pusher(dataset: Dataset, tmp_path: Path) -> Pusher:
    return fetched(dataset, Pusher(new_repository(tmp_path / "clone.git")))


def fetched(dataset: Dataset, pusher: Pusher) -> Pusher:
    with opened(repository_of(dataset)) as folder:
        run_git(pusher.folder, "fetch", "--quiet", str(folder), "+refs/*:refs/remotes/origin/*")
    return pusher


def logs_of(dataset: Dataset) -> dict[str, bytes]:
    """The files of `git-annex`."""
    with opened(repository_of(dataset)) as folder:
        names = git(folder, "ls-tree", "-r", "--name-only", ANNEX).decode().splitlines()
        return {name: git(folder, "cat-file", "blob", f"{ANNEX}:{name}") for name in names}


def with_log(pusher: Pusher, parent: str, path: str, content: bytes) -> str:
    """A commit that has another log than its parent at a path; none, if it is empty."""
    index = {"GIT_DIR": str(pusher.folder), "GIT_INDEX_FILE": str(pusher.folder / "index")}
    git(pusher.folder, "read-tree", parent, environment=index)
    entry = f"{'100644' if content else '0'} {pusher.blob(content) if content else NONE}\t{path}\n"
    git(pusher.folder, "update-index", "--index-info", stdin=entry.encode(), environment=index)
    return pusher.commit(git(pusher.folder, "write-tree", environment=index).decode().strip(), parent)


def send(dataset: Dataset, *commands: tuple[str, str, str], pusher: Pusher) -> Answer:
    body = pusher.request(*commands)
    with spooled(body) as request, receiving(actor=owner_of(dataset), dataset=dataset, request=request) as chunks:
        return answer_of(b"".join(chunks))


def push(dataset: Dataset, pusher: Pusher, *logs: tuple[str, bytes]) -> str:
    """Push a commit with these logs upon what the archive has in `git-annex`, and return it."""
    old = new = repository_of(dataset).annex
    for path, content in logs:
        new = with_log(pusher, new, path, content)
    answer = send(dataset, (old, new, ANNEX), pusher=pusher)
    assert answer.is_accepted, answer
    return new


def contains(dataset: Dataset, commit: str) -> bool:
    with opened(repository_of(dataset)) as folder:
        return commit in git(folder, "rev-list", ANNEX).decode().split()


def own_key(dataset: Dataset) -> Iterator[str]:
    return (name for name in logs_of(dataset) if name.endswith(".log") and "/" in name)


def test_what_is_pushed_is_where_the_branch_is_at_once(dataset: Dataset, pusher: Pusher) -> None:
    before = logs_of(dataset)
    new = push(dataset, pusher, ("abc/def/KEY.log", THEIRS))
    assert refs_of(dataset)[ANNEX] == new
    assert logs_of(dataset) == before | {"abc/def/KEY.log": THEIRS}
    assert repository_of(dataset).annex_pushes.get().author_name == owner_of(dataset).name


def test_archive_goes_on_from_what_is_pushed(dataset: Dataset, pusher: Pusher, worker: Worker) -> None:
    new = push(dataset, pusher, ("abc/def/KEY.log", THEIRS))
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    worker.run()
    assert contains(dataset, new)
    assert logs_of(dataset)["abc/def/KEY.log"] == THEIRS
    assert len(list(own_key(dataset))) == 3


def test_only_the_archive_says_what_it_has(dataset: Dataset, pusher: Pusher) -> None:
    uuid, before = repository_of(dataset).annex_uuid, logs_of(dataset)
    [path] = own_key(dataset)
    web = f"{path}.web"
    lost = before[path].replace(b" 1 ", b" 0 ") + THEIRS
    claimed = f"1999999999s 1 {uuid}\n".encode() + THEIRS
    urls = f"1999999999s 0 {public_url('')}x\n1999999999s 1 https://example.org/a\n".encode()
    new = push(dataset, pusher, (path, lost), ("abc/def/KEY.log", claimed), (web, urls))
    after = logs_of(dataset)
    assert contains(dataset, new)
    assert after["abc/def/KEY.log"] == THEIRS
    assert sorted(after[path].splitlines()) == sorted(
        [line for line in lost.splitlines() if str(uuid).encode() not in line]
        + [line for line in before[path].splitlines() if str(uuid).encode() in line]
    )
    assert after[web] == b"1999999999s 1 https://example.org/a\n" + before[web]
    push(dataset, fetched(dataset, pusher), (path, b""))
    assert str(uuid).encode() in logs_of(dataset)[path]


def test_lines_of_people_stay_beside_what_the_archive_says_later(
    dataset: Dataset, pusher: Pusher, worker: Worker
) -> None:
    blob = make_blob(dataset, CONTENT)
    worker.run()
    blob.refresh_from_db()
    path = location_log_path(annex_key(path="b.nwb", size=blob.size, sha256=blob.sha256 or ""))
    push(dataset, pusher, (path, THEIRS), (f"{path}.web", b"1764300000s 1 https://example.org/b\n"))
    make_asset(dataset, "b.nwb", blob=blob)
    worker.run()
    logs = logs_of(dataset)
    assert logs[path].startswith(THEIRS)
    assert str(repository_of(dataset).annex_uuid).encode() in logs[path]
    assert logs[f"{path}.web"].startswith(b"1764300000s 1 https://example.org/b\n")
    assert len(logs[f"{path}.web"].splitlines()) == 2


def test_both_branches_are_pushed_together(dataset: Dataset, pusher: Pusher, worker: Worker) -> None:
    before = repository_of(dataset)
    annex = with_log(pusher, before.annex, "abc/def/KEY.log", THEIRS)
    main = with_log(pusher, before.main, "b.txt", b"b")
    assert send(dataset, (before.main, main, MAIN), (before.annex, annex, ANNEX), pusher=pusher).is_accepted
    worker.run()
    refs = refs_of(dataset)
    assert (refs[MAIN], refs[ANNEX]) == (main, annex)


def test_what_came_while_somebody_pushed_is_united_with_it(dataset: Dataset, pusher: Pusher, worker: Worker) -> None:
    old = repository_of(dataset).annex
    new = with_log(pusher, with_log(pusher, old, "abc/def/KEY.log", THEIRS), "trust.log", b"one\n")
    other = with_log(pusher, with_log(pusher, old, "abc/def/KEY.log", b"2s 0 x\n"), "trust.log", b"two\n")
    for commit in (new, other):
        assert send(dataset, (old, commit, ANNEX), pusher=pusher).is_accepted
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    worker.run()
    logs, refs = logs_of(dataset), refs_of(dataset)
    assert logs["abc/def/KEY.log"] == b"2s 0 x\n" + THEIRS
    assert logs["trust.log"] == b"two\none\n"
    assert contains(dataset, new)
    assert contains(dataset, other)
    rebuild(repository_of(dataset))
    assert refs_of(dataset) == refs


def test_who_leaves_out_what_they_were_told_of_is_to_fetch(dataset: Dataset, pusher: Pusher, worker: Worker) -> None:
    new = with_log(pusher, repository_of(dataset).annex, "abc/def/KEY.log", THEIRS)
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    worker.run()
    assert "fetch first" in send(dataset, (repository_of(dataset).annex, new, ANNEX), pusher=pusher).remote
    assert not contains(dataset, new)


def test_branch_may_be_pushed_before_the_archive_has_one(worker: Worker, tmp_path: Path) -> None:
    dataset = make_dataset()
    worker.run()
    Repository.objects.filter(pk=dataset.pk).update(annex="")
    pusher = Pusher(new_repository(tmp_path / "own.git"))
    new = pusher.commit({"uuid.log": b"6b8e2bd0-74a5-4a3a-a1c9-7a1a2a0d1f4e mine timestamp=1s\n"})
    assert send(dataset, (NONE, new, ANNEX), pusher=pusher).is_accepted
    assert contains(dataset, new)
    assert b" mine timestamp=1s\n" in logs_of(dataset)["uuid.log"]
    assert f"{repository_of(dataset).annex_uuid} the archive".encode() in logs_of(dataset)["uuid.log"]


def test_what_was_pushed_is_there_again_after_a_rebuilding(dataset: Dataset, pusher: Pusher, worker: Worker) -> None:
    lost = repository_of(dataset).bundles.get()
    [path] = own_key(dataset)
    push(dataset, pusher, ("abc/def/KEY.log", THEIRS), (path, b"1s 0 x\n"))
    for name in ("b.nwb", "c.nwb"):
        make_asset(dataset, name, blob=make_blob(dataset))
        worker.run()
    push(dataset, fetched(dataset, pusher), ("abc/def/KEY.log", THEIRS + b"2s 1 y\n"))
    before = refs_of(dataset)
    delete(lost.key)
    rebuild(repository_of(dataset))
    cache.forget(repository_of(dataset))
    assert refs_of(dataset) == before
