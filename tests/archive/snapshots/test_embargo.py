"""A release begins a new history, of which nothing that was removed before is a part."""

from pathlib import Path

import pytest

from archive.accounts.policy import SYSTEM
from archive.assets.services import remove_asset
from archive.datasets.services import delete_dataset
from archive.errors import BusyError
from archive.snapshots.models import Bundle, Commit, Repository
from archive.snapshots.queries import clone_state
from archive.snapshots.services import opened, repository_of
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
