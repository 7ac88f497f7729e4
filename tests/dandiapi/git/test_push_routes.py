"""Pushing over HTTP: who may, what the archive then has, and that neither side is lost when both change."""

import gzip
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from archive.accounts.models import Token
from archive.assets.queries import live_assets
from archive.blobs.models import Blob
from archive.datasets.models import Dataset
from archive.datasets.services import update_draft
from archive.publishing.services import publish
from archive.snapshots.pushing import judging
from archive.snapshots.services import opened, repository_of
from tests.archive.assets.state import draft_of, everything
from tests.archive.snapshots.pushing.pusher import ANNEX, MAIN, NONE, Answer, Pusher, answer_of, new_repository, run_git
from tests.archive.snapshots.state import refs_of, tree_of
from tests.dandiapi.git.caller import Caller
from tests.dandiapi.rest.world import embargo
from tests.factories import (
    make_asset,
    make_blob,
    make_dataset,
    make_published_version,
    make_reviewer_link,
    make_valid_dataset,
    make_viewer,
    owner_of,
    start_release,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)

PUSH = "application/x-git-receive-pack-request"


@pytest.fixture(autouse=True)
def _cache(settings: Any, tmp_path: Path) -> None:
    settings.SNAPSHOT_CACHE = str(tmp_path / "cache")
    settings.GIT_PUSH_PATIENCE = 0


@pytest.fixture
def pusher(dataset: Dataset, tmp_path: Path) -> Pusher:
    """A clone of the dataset's repository."""
    pusher = Pusher(new_repository(tmp_path / "clone.git"))
    fetch(pusher, dataset)
    return pusher


def fetch(pusher: Pusher, dataset: Dataset) -> str:
    """The commit that main is at, which the pusher then has."""
    with opened(repository_of(dataset)) as folder:
        run_git(pusher.folder, "fetch", "--quiet", str(folder), "main")
    return repository_of(dataset).main


def with_file(pusher: Pusher, parent: str, path: str, content: bytes) -> str:
    """A commit that adds a file in the root of the tree of another."""
    entry = f"100644 blob {pusher.blob(content)}\t{path}\n"
    tree = pusher.git("mktree", stdin=(pusher.git("ls-tree", parent) + "\n" + entry).lstrip().encode())
    return pusher.commit(tree, parent)


def send(caller: Caller, dataset: Dataset, body: bytes, **headers: str) -> Any:
    return caller.post(f"/git/{dataset.identifier}/git-receive-pack", body, PUSH, **headers)


def push(caller: Caller, dataset: Dataset, body: bytes, **headers: str) -> Answer:
    response = send(caller, dataset, body, **headers)
    assert response.status_code == 200, response.content
    return answer_of(b"".join(response.streaming_content))


def paths(dataset: Dataset) -> list[str]:
    return sorted(live_assets(dataset).values_list("path", flat=True))


def scratch() -> list[Path]:
    return list(Path(django_settings.SNAPSHOT_CACHE).glob("tmp-*"))


# --- What it does -----------------------------------------------------------------------------------------------------


def test_push_moves_main_and_the_draft_together(
    owner: Caller, dataset: Dataset, pusher: Pusher, worker: Worker
) -> None:
    old = repository_of(dataset).main
    new = with_file(pusher, old, "README.md", b"# Mice\n")
    answer = push(owner, dataset, pusher.request((old, new, MAIN)))
    assert answer.is_accepted, answer
    assert refs_of(dataset)[MAIN] == new
    assert paths(dataset) == ["README.md", "sub-1/a.nwb"]
    assert scratch() == []
    worker.run()
    assert refs_of(dataset)[MAIN] == new
    assert tree_of(dataset)["README.md"].content == b"# Mice\n"


def test_pushes_follow_one_another_and_what_the_archive_writes(
    owner: Caller, dataset: Dataset, pusher: Pusher, worker: Worker
) -> None:
    for number in range(3):
        old = fetch(pusher, dataset)
        new = with_file(pusher, old, f"{number}.txt", b"pushed")
        assert push(owner, dataset, pusher.request((old, new, MAIN))).is_accepted
        make_asset(dataset, f"{number}.nwb", blob=make_blob(dataset))
        worker.run()
    assert set(tree_of(dataset)) == {*(f"{n}.{end}" for n in range(3) for end in ("txt", "nwb")), "sub-1/a.nwb"}


def test_push_may_be_compressed(owner: Caller, dataset: Dataset, pusher: Pusher) -> None:
    old = repository_of(dataset).main
    new = with_file(pusher, old, "b.txt", b"b")
    body = gzip.compress(pusher.request((old, new, MAIN)))
    assert push(owner, dataset, body, **{"Content-Encoding": "gzip"}).is_accepted


def test_probe_before_a_large_push_is_answered(owner: Caller, dataset: Dataset) -> None:
    response = send(owner, dataset, b"0000")
    assert (response.status_code, b"".join(response.streaming_content)) == (200, b"")


def test_first_push_may_bring_any_history(owner: Caller, worker: Worker, tmp_path: Path) -> None:
    dataset = make_dataset(owner.user)
    pusher = Pusher(new_repository(tmp_path / "own.git"))
    older = pusher.commit({"empty": b""})
    commit = pusher.commit({".datalad": {"config": b"[datalad]\n"}, ".gitattributes": b"* text\n"}, older)
    assert push(owner, dataset, pusher.request((NONE, commit, MAIN))).is_accepted
    worker.run()
    assert refs_of(dataset)[MAIN] == commit
    assert paths(dataset) == [".datalad/config", ".gitattributes"]


def test_first_push_may_go_on_from_the_archives_own_commit(owner: Caller, worker: Worker, tmp_path: Path) -> None:
    dataset = make_dataset(owner.user)
    pusher = Pusher(new_repository(tmp_path / "clone.git"))
    first = fetch(pusher, dataset)
    assert push(owner, dataset, pusher.request((NONE, first, MAIN))).is_accepted
    assert repository_of(dataset).commits.get().sha == first
    new = with_file(pusher, first, "b.txt", b"b")
    assert push(owner, dataset, pusher.request((NONE, new, MAIN))).is_accepted
    assert paths(dataset) == ["b.txt"]
    worker.run()
    assert refs_of(dataset)[MAIN] == new


def test_history_cannot_be_another_once_there_was_something(owner: Caller, worker: Worker, tmp_path: Path) -> None:
    dataset = make_dataset(owner.user)
    address = f"/git/{dataset.identifier}/info/refs?service=git-receive-pack"
    assert b"refs/heads" not in owner.get(address).content
    assert b"refs/heads/main" in owner.get(address.replace("receive", "upload")).content
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    worker.run()
    assert b"refs/heads/main" in owner.get(address).content
    pusher = Pusher(new_repository(tmp_path / "own.git"))
    commit = pusher.commit({"a.txt": b"a"})
    assert "fetch first" in push(owner, dataset, pusher.request((NONE, commit, MAIN))).remote
    assert paths(dataset) == ["b.nwb"]


def test_first_history_of_git_annex_may_be_any_too_and_what_the_archive_says_is_added(
    owner: Caller, tmp_path: Path
) -> None:
    dataset = make_dataset(owner.user)
    before = refs_of(dataset)
    pusher = Pusher(new_repository(tmp_path / "own.git"))
    annex, commit = pusher.commit({"uuid.log": b"x"}), pusher.commit({"a.txt": b"a"})
    assert push(owner, dataset, pusher.request((NONE, annex, ANNEX))).is_accepted
    assert push(owner, dataset, pusher.request((NONE, commit, MAIN))).is_accepted
    refs = refs_of(dataset)
    assert refs[MAIN] == commit
    with opened(repository_of(dataset)) as folder:
        run_git(folder, "merge-base", "--is-ancestor", annex, ANNEX)
        run_git(folder, "merge-base", "--is-ancestor", before[ANNEX], ANNEX)
        said = run_git(folder, "show", f"{ANNEX}:uuid.log").decode()
    assert said.startswith(f"x\n{repository_of(dataset).annex_uuid} the archive")


def test_published_version_keeps_what_it_shows(owner: Caller, worker: Worker, tmp_path: Path) -> None:
    dataset = make_valid_dataset(worker, owner.user)
    version = make_published_version(worker, dataset)
    pusher = Pusher(new_repository(tmp_path / "clone.git"))
    old = fetch(pusher, dataset)
    new = with_file(pusher, old, "b.txt", b"b")
    assert push(owner, dataset, pusher.request((old, new, MAIN))).is_accepted
    assert refs_of(dataset)[f"refs/tags/{version.version}"] == old


def test_push_while_publishing_is_for_the_next_version(owner: Caller, worker: Worker, tmp_path: Path) -> None:
    dataset = make_valid_dataset(worker, owner.user)
    publish(actor=owner_of(dataset), dataset=dataset)
    pusher = Pusher(new_repository(tmp_path / "clone.git"))
    old = fetch(pusher, dataset)
    new = with_file(pusher, old, "b.txt", b"b")
    answer = push(owner, dataset, pusher.request((old, new, MAIN)))
    assert "The archive is still writing what came before this" in answer.remote
    worker.run()
    assert push(owner, dataset, pusher.request((old, new, MAIN))).is_accepted
    [tag] = [sha for name, sha in refs_of(dataset).items() if name.startswith("refs/tags/")]
    assert (tag, refs_of(dataset)[MAIN]) == (old, new)


# --- Both sides change ------------------------------------------------------------------------------------------------


def test_push_waits_for_what_the_archive_has_not_written(owner: Caller, dataset: Dataset, pusher: Pusher) -> None:
    old = repository_of(dataset).main
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    new = with_file(pusher, old, "c.txt", b"c")
    answer = push(owner, dataset, pusher.request((old, new, MAIN)))
    assert not answer.is_accepted
    assert "The archive is still writing what came before this; please try again" in answer.remote
    assert paths(dataset) == ["b.nwb", "sub-1/a.nwb"]


def test_push_on_top_of_what_the_archive_has_gone_beyond_is_refused(
    owner: Caller, dataset: Dataset, pusher: Pusher, worker: Worker
) -> None:
    old = repository_of(dataset).main
    new = with_file(pusher, old, "c.txt", b"c")
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    worker.run()
    answer = push(owner, dataset, pusher.request((old, new, MAIN)))
    assert "it leaves out what the archive has in it: fetch first, merge, and push again." in answer.remote
    assert paths(dataset) == ["b.nwb", "sub-1/a.nwb"]


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Lets something happen after a push has been judged, and before it is made true."""
    hold_draft = judging.hold_draft

    def in_a_thread_of_its_own() -> None:
        try:
            happens()
        finally:
            connection.close()

    def interrupted(dataset: Dataset) -> Any:
        monkeypatch.setattr(judging, "hold_draft", hold_draft)
        other = threading.Thread(target=in_a_thread_of_its_own)
        other.start()
        other.join()
        return hold_draft(dataset)

    monkeypatch.setattr(judging, "hold_draft", interrupted)


def test_file_that_comes_while_a_push_is_judged_is_not_lost(
    owner: Caller, dataset: Dataset, pusher: Pusher, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = repository_of(dataset).main
    new = with_file(pusher, old, "c.txt", b"c")
    blob = make_blob(dataset)
    meanwhile(monkeypatch, lambda: make_asset(dataset, "b.nwb", blob=blob))
    answer = push(owner, dataset, pusher.request((old, new, MAIN)))
    assert "The draft has been changed meanwhile: fetch first, merge, and push again." in answer.remote
    assert paths(dataset) == ["b.nwb", "sub-1/a.nwb"]
    worker.run()
    assert set(tree_of(dataset)) == {"b.nwb", "sub-1/a.nwb"}


def test_of_two_pushes_at_once_one_is_refused(
    owner: Caller, dataset: Dataset, pusher: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = repository_of(dataset).main
    one, other = (with_file(pusher, old, f"{name}.txt", b"x") for name in ("one", "other"))
    body = pusher.request((old, other, MAIN))
    meanwhile(monkeypatch, lambda: push(owner, dataset, body))
    answer = push(owner, dataset, pusher.request((old, one, MAIN)))
    assert "The draft has been changed meanwhile" in answer.remote
    assert paths(dataset) == ["other.txt", "sub-1/a.nwb"]
    assert refs_of(dataset)[MAIN] == other


def test_change_of_what_is_no_file_stops_no_push(
    owner: Caller, dataset: Dataset, pusher: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = repository_of(dataset).main
    new = with_file(pusher, old, "c.txt", b"c")
    actor, metadata = owner_of(dataset), draft_of(dataset).metadata | {"description": "Other mice."}

    def describe() -> None:
        update_draft(actor=actor, dataset=dataset, name="Mice", metadata=metadata)

    meanwhile(monkeypatch, describe)
    assert push(owner, dataset, pusher.request((old, new, MAIN))).is_accepted


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_push_is_for_owners_alone(
    anonymous: Caller, stranger: Caller, owner: Caller, dataset: Dataset, pusher: Pusher
) -> None:
    old = repository_of(dataset).main
    body = pusher.request((old, with_file(pusher, old, "c.txt", b"c"), MAIN))
    viewer = Caller(make_viewer(dataset))
    _, link = make_reviewer_link(dataset)
    reader = Caller(owner.user, scope=Token.Scope.READ)
    before = (everything(dataset), refs_of(dataset), Blob.objects.count())

    def statuses() -> list[int]:
        return [send(caller, dataset, body).status_code for caller in (anonymous, stranger, viewer, reader)]

    assert statuses() == [401, 403, 403, 403]
    assert b"Only owners and editors of the dataset may push to it." in send(stranger, dataset, body).content
    assert send(Caller(secret=link), dataset, body).status_code == 401
    embargo(dataset)
    assert statuses() == [401, 404, 403, 403]
    Dataset.objects.filter(pk=dataset.pk).update(access="OPEN")
    assert (everything(dataset), refs_of(dataset), Blob.objects.count()) == before


def test_dataset_that_is_not_there_is_told_like_one_that_is_hidden(
    anonymous: Caller, stranger: Caller, dataset: Dataset
) -> None:
    embargo(dataset)
    for caller in (anonymous, stranger):
        address = "/git/999999/git-receive-pack"
        absent, hidden = caller.post(address, b"0000", PUSH), send(caller, dataset, b"0000")
        assert (absent.status_code, absent.content) == (hidden.status_code, hidden.content)


def test_nothing_is_pushed_while_the_dataset_is_being_released(owner: Caller, dataset: Dataset, pusher: Pusher) -> None:
    embargo(dataset)
    old = repository_of(dataset).main
    new = with_file(pusher, old, "c.txt", b"c")
    start_release(dataset)
    response = send(owner, dataset, pusher.request((old, new, MAIN)))
    assert response.status_code == 503
    assert b"The repository is being written anew after the release of its dataset." in response.content
    assert paths(dataset) == ["sub-1/a.nwb"]


def test_form_of_another_site_cannot_push(owner: Caller, dataset: Dataset) -> None:
    response = owner.post(f"/git/{dataset.identifier}/git-receive-pack", b"0000", "text/plain")
    assert response.status_code == 400


def test_push_that_is_too_large_is_refused(owner: Caller, dataset: Dataset, settings: Any) -> None:
    settings.GIT_PUSH_MAX_BYTES = 0
    response = send(owner, dataset, bytes(2**20 + 1))
    assert (response.status_code, b"larger than the 1048576 bytes" in response.content) == (400, True)


def test_pushers_who_go_leave_nothing(owner: Caller, dataset: Dataset, pusher: Pusher) -> None:
    old = repository_of(dataset).main
    new = with_file(pusher, old, "c.txt", b"c")
    response = send(owner, dataset, pusher.request((old, new, MAIN)))
    next(iter(response.streaming_content))
    response.close()
    assert scratch() == []
    assert paths(dataset) in (["sub-1/a.nwb"], ["c.txt", "sub-1/a.nwb"])
    assert (repository_of(dataset).main == new) == ("c.txt" in paths(dataset))
