"""A release begins a new history, of which nothing that was removed before is a part; or it keeps that of versions."""

from pathlib import Path

import pytest

from archive.accounts.policy import SYSTEM
from archive.assets.services import remove_asset
from archive.datasets.models import Dataset, Version
from archive.datasets.services import delete_dataset
from archive.embargo.services import release
from archive.errors import BusyError
from archive.publishing.services import publish, set_version_access
from archive.snapshots.models import Bundle, Commit, Repository
from archive.snapshots.queries import clone_state, serverless_clone_url
from archive.snapshots.services import opened, repository_of
from archive.snapshots.writing.checks import find_fault
from archive.snapshots.writing.rewriting import restore
from archive.timeline.services import follow_newest_again
from tests.archive.snapshots.state import git, history_of, refs_of, tree_of
from tests.archive.snapshots.writing.test_writing import assert_exact
from tests.factories import make_asset, make_blob, make_dataset, make_embargoed_dataset, owner_of, start_release
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def everything_in(folder: Path) -> bytes:
    """All that is in any object of a repository."""
    return git(folder, "cat-file", "--batch", "--batch-all-objects")


def test_embargoed_repository_names_no_address_and_nobody(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    assert_exact(dataset)
    with opened(repository_of(dataset)) as folder:
        everything = everything_in(folder)
    assert b".log.web" not in everything
    assert b"00000000-0000-0000-0000-000000000001" not in everything
    assert b"Jane" not in everything
    assert b"author An owner <owner@users.noreply.invalid>" in everything


def test_release_begins_a_new_history_with_the_tree_as_it_is(worker: Worker, snapshot_cache: Path) -> None:
    dataset = make_embargoed_dataset()
    secret = make_asset(dataset, "secret-name.nwb", blob=make_blob(dataset))
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=secret.asset_id)
    worker.run()
    before, annex_uuid = refs_of(dataset), repository_of(dataset).annex_uuid
    keys = set(Bundle.objects.values_list("key", flat=True))
    start_release(dataset)
    worker.run()
    dataset.refresh_from_db()
    assert_exact(dataset)
    assert history_of(dataset) == ["Release the dataset"]
    assert repository_of(dataset).annex_uuid == annex_uuid
    assert not set(refs_of(dataset).values()) & set(before.values())
    with opened(repository_of(dataset)) as folder:
        everything = everything_in(folder)
    assert b"secret-name" not in everything
    assert b".log.web" in everything
    assert not keys & set(Bundle.objects.values_list("key", flat=True))
    folders = [folder.name for folder in snapshot_cache.iterdir() if folder.is_dir()]
    assert folders == [repository_of(dataset).folder]


def test_old_history_is_read_no_more_from_the_moment_of_the_release(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    start_release(dataset)
    assert clone_state(SYSTEM, dataset).commit == ""
    with pytest.raises(BusyError), opened(repository_of(dataset)):
        pass


def test_release_of_a_dataset_that_was_never_written_begins_with_it(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    start_release(dataset)
    worker.run()
    dataset.refresh_from_db()
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    worker.run()
    assert history_of(dataset) == ["Release the dataset", "Add b.nwb"]
    assert_exact(dataset)


def test_deleted_dataset_leaves_no_rows_and_its_number_begins_anew(worker: Worker) -> None:
    dataset = make_dataset()
    number = dataset.number
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    delete_dataset(actor=owner_of(dataset), dataset=dataset)
    assert not Repository.objects.exists()
    assert not Commit.objects.exists()
    assert not Bundle.objects.exists()
    worker.run()
    assert not Repository.objects.filter(pk=number).exists()


def test_tree_of_an_embargoed_dataset_is_exact(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    make_asset(dataset, "README.md", blob=make_blob(dataset, b"Mice.\n"))
    worker.run()
    assert set(tree_of(dataset)) == {"README.md"}


# --- Versions before the release --------------------------------------------------------------------------------------


def closed_with_a_version(worker: Worker) -> Dataset:
    """A closed dataset with a version 1.0.0 that has a file which the draft has no longer."""
    dataset = make_embargoed_dataset()
    gone = make_asset(dataset, "gone.nwb", blob=make_blob(dataset))
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    worker.run()
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=gone.asset_id)
    worker.run()
    return dataset


def test_closed_dataset_has_its_versions_as_tags(worker: Worker) -> None:
    dataset = closed_with_a_version(worker)
    assert_exact(dataset)
    assert sorted(tree_of(dataset, "1.0.0")) == ["a.nwb", "gone.nwb"]
    assert sorted(tree_of(dataset)) == ["a.nwb"]


def test_release_keeps_commits_and_tags_where_there_are_versions(worker: Worker) -> None:
    dataset = closed_with_a_version(worker)
    before, folder_before = refs_of(dataset), repository_of(dataset).folder
    start_release(dataset)
    assert refs_of(dataset) == before
    worker.run()
    dataset.refresh_from_db()
    assert_exact(dataset)
    after = refs_of(dataset)
    assert {name: sha for name, sha in after.items() if name != "refs/heads/git-annex"} == {
        name: sha for name, sha in before.items() if name != "refs/heads/git-annex"
    }
    assert repository_of(dataset).folder == folder_before
    with opened(repository_of(dataset)) as folder:
        git(folder, "merge-base", "--is-ancestor", before["refs/heads/git-annex"], after["refs/heads/git-annex"])
        logs = git(folder, "ls-tree", "-r", "--name-only", "git-annex").decode().splitlines()
    # Of the file that the version alone has too.
    assert len([name for name in logs if name.endswith(".log.web")]) == 2
    assert serverless_clone_url(dataset)


def test_repository_goes_on_after_a_release_when_all_of_it_is_in_git(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    make_asset(dataset, "README.md", blob=make_blob(dataset, b"Mice.\n"))
    worker.run()
    publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    worker.run()
    start_release(dataset)
    worker.run()
    dataset.refresh_from_db()
    assert_exact(dataset)
    assert serverless_clone_url(dataset)


def test_release_tells_of_addresses_once(worker: Worker) -> None:
    dataset = closed_with_a_version(worker)
    start_release(dataset)
    worker.run()
    told = refs_of(dataset)
    follow_newest_again(dataset.number, "snapshot")
    worker.run()
    assert refs_of(dataset) == told
    dataset.refresh_from_db()
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    worker.run()
    dataset.refresh_from_db()
    assert_exact(dataset)
    assert history_of(dataset)[-1] == "Add b.nwb"


def test_repository_that_kept_its_history_is_restored_from_the_rows(worker: Worker) -> None:
    dataset = closed_with_a_version(worker)
    start_release(dataset)
    worker.run()
    before = refs_of(dataset)
    restore(repository_of(dataset), lambda: None)
    after = refs_of(dataset)
    assert (after["refs/heads/main"], after["refs/tags/1.0.0"]) == (
        before["refs/heads/main"],
        before["refs/tags/1.0.0"],
    )
    assert find_fault(repository_of(dataset), lambda: None) == ""


def test_release_that_starts_anew_begins_a_history_without_versions(worker: Worker) -> None:
    dataset = closed_with_a_version(worker)
    release(actor=owner_of(dataset), dataset=dataset, starts_anew=True)
    worker.run()
    dataset.refresh_from_db()
    assert history_of(dataset) == ["Release the dataset"]
    assert [name for name in refs_of(dataset) if "tags" in name] == []
    with opened(repository_of(dataset)) as folder:
        assert b"gone.nwb" not in everything_in(folder)


def test_closed_version_has_no_tag(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    job = publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    worker.run()
    assert "refs/tags/1.0.0" in refs_of(dataset)
    version = dataset.versions.get(pk=job.subject)
    set_version_access(actor=owner_of(dataset), version=version, is_closed=True)
    worker.run()
    assert "refs/tags/1.0.0" not in refs_of(dataset)
    assert_exact(dataset)
