"""A repository follows its dataset: the tree of `main` is the draft, that of each tag its version."""

from typing import Any

import pytest

from archive.accounts.models import User
from archive.accounts.policy import SYSTEM
from archive.assets.services import change_assets, remove_asset, replace_asset
from archive.datasets.models import Dataset
from archive.datasets.services import delete_version
from archive.snapshots.models import Repository
from archive.snapshots.queries import clone_state, references
from archive.snapshots.services import opened, rebuild, repository_of
from archive.snapshots.writing.checks import find_fault
from archive.snapshots.writing.following import begun
from archive.snapshots.writing.plans import look_ahead
from archive.timeline.models import Job, Projection
from tests.archive.assets.state import draft_of
from tests.archive.snapshots.state import File, expected_of, git, history_of, refs_of, tree_of
from tests.factories import (
    acting,
    attachable_row,
    make_admin,
    make_asset,
    make_blob,
    make_dataset,
    make_embargoed_dataset,
    make_published_version,
    make_zarr,
    make_zarr_asset,
    new_asset,
    owner_of,
    upload_zarr,
    valid_asset_metadata,
)
from tests.factories.zarr import announce, ingest, put
from tests.plans import count_rows, plans_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)

EDIT = {"0/0/0": b"another first chunk", "0/1/0": b"third chunk"}


def assert_exact(dataset: Dataset) -> None:
    """The repository is sound, and shows the draft and all published versions exactly."""
    names = refs_of(dataset)
    assert tree_of(dataset) == expected_of(draft_of(dataset))
    published = dataset.versions.filter(at__isnull=False, is_closed=False)
    assert {f"refs/tags/{each.tag}" for each in published} == {name for name in names if "tags" in name}
    for version in published:
        assert tree_of(dataset, version.tag) == expected_of(version)


def test_repository_has_files_of_its_own_before_there_is_an_asset(worker: Worker) -> None:
    dataset = make_dataset()
    first = refs_of(dataset)
    assert set(first) == {"refs/heads/git-annex", "refs/heads/main"}
    repository = repository_of(dataset)
    with opened(repository) as folder:
        assert git(folder, "ls-tree", "-r", "--name-only", "main").split() == [b".datalad/config", b".gitattributes"]
        config = git(folder, "config", "--blob", "main:.datalad/config", "datalad.dataset.id").decode().strip()
        assert f"{repository.annex_uuid} the archive" in git(folder, "show", "git-annex:uuid.log").decode()
    assert config == str(repository.datalad_id)
    worker.run()
    assert refs_of(dataset) == first
    assert find_fault(repository_of(dataset), lambda: None) == ""
    rebuild(repository_of(dataset))
    assert refs_of(dataset) == first


def test_special_remote_is_named_by_histories_that_begin_while_there_is_one(settings: Any) -> None:
    before = make_dataset()
    refs_of(before)
    settings.ANNEX_SPECIAL_REMOTE = {"name": "OpenNeuro", "type": "external", "url": "https://example.org/{identifier}"}
    dataset = make_dataset()
    with opened(repository_of(dataset)) as folder:
        names, remotes = (git(folder, "show", f"git-annex:{name}.log").decode() for name in ("uuid", "remote"))
    [_, named] = names.splitlines()
    uuid, words = named.split(" ", 1)
    assert words.startswith("OpenNeuro timestamp=")
    url = f"url=https://example.org/{dataset.identifier}"
    assert remotes.startswith(f"{uuid} name=OpenNeuro type=external {url} timestamp=")
    with opened(repository_of(before)) as folder:
        assert git(folder, "ls-tree", "-r", "--name-only", "git-annex").split() == [b"uuid.log"]
    settings.ANNEX_SPECIAL_REMOTE = {}
    refs = refs_of(dataset)
    rebuild(repository_of(dataset))
    assert refs_of(dataset) == refs


def test_special_remote_has_a_description_that_is_not_its_name(settings: Any) -> None:
    settings.ANNEX_SPECIAL_REMOTE = {"name": "openneuro", "type": "external", "description": "OpenNeuro"}
    with opened(repository_of(make_dataset())) as folder:
        names, remotes = (git(folder, "show", f"git-annex:{name}.log").decode() for name in ("uuid", "remote"))
    [named] = [line for line in names.splitlines() if "OpenNeuro" in line]
    assert remotes.startswith(f"{named.split(' ')[0]} name=openneuro type=external timestamp=")


def test_special_remote_that_leads_to_the_archive_has_all_content(settings: Any, worker: Worker) -> None:
    settings.ANNEX_SPECIAL_REMOTE = {"name": "openneuro", "type": "external", "externaltype": "openneuro"}
    dataset = make_embargoed_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    repository = repository_of(dataset)
    with opened(repository) as folder:
        [path, *_] = git(folder, "ls-tree", "-r", "--name-only", "git-annex").decode().split()
        log = git(folder, "show", f"git-annex:{path}").decode()
    told = [line.split()[1:] for line in log.splitlines()]
    assert told == [["1", str(repository.annex_uuid)], ["1", str(repository.special_uuid)]]


def test_history_that_began_before_there_was_an_id_goes_on_without(worker: Worker) -> None:
    dataset = make_dataset()
    begun(dataset)
    Repository.objects.filter(pk=dataset.pk).update(datalad_id=None)
    worker.run()
    assert refs_of(dataset) == {}
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    with opened(repository_of(dataset)) as folder:
        assert git(folder, "ls-tree", "-r", "--name-only", "main").split() == [b".gitattributes", b"a.nwb"]
    assert history_of(dataset) == ["Add a.nwb"]


def test_assets_take_the_places_of_the_archives_own_files_and_leave_them_again(worker: Worker) -> None:
    dataset = make_dataset()
    own = trees_of(dataset)
    for path in (".datalad/config", ".datalad"):
        asset = make_asset(dataset, path, blob=make_blob(dataset, path.encode()))
        worker.run()
        assert trees_of(dataset) != own
        remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
        worker.run()
        assert trees_of(dataset) == own
        assert find_fault(repository_of(dataset), lambda: None) == ""


def trees_of(dataset: Dataset) -> bytes:
    with opened(repository_of(dataset)) as folder:
        return git(folder, "ls-tree", "-r", "main")


def test_tree_has_text_as_files_and_all_else_as_links(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "sub-1/a.nwb", blob=make_blob(dataset))
    make_asset(dataset, "README.md", blob=make_blob(dataset, b"Mice.\n"))
    worker.run()
    assert_exact(dataset)
    assert tree_of(dataset)["README.md"] == File("100644", b"Mice.\n")


def test_empty_file_is_one_in_git_or_a_link_like_any_other(worker: Worker) -> None:
    dataset = make_dataset()
    for path in ("README.md", "sub-1/a.nwb"):
        make_asset(dataset, path, blob=make_blob(dataset, b""))
    worker.run()
    assert_exact(dataset)
    assert tree_of(dataset)["README.md"] == File("100644", b"")
    assert b"SHA256E-s0--" in tree_of(dataset)["sub-1/a.nwb"].content


def test_text_is_a_link_when_it_is_larger_than_the_settings_have_it(worker: Worker, settings: Any) -> None:
    settings.SNAPSHOT_TEXT_BYTES = 5
    dataset = make_dataset()
    make_asset(dataset, "README.md", blob=make_blob(dataset, b"Mice.\n"))
    worker.run()
    assert tree_of(dataset)["README.md"].mode == "120000"


def test_all_files_are_links_when_the_settings_name_no_text(worker: Worker, settings: Any) -> None:
    settings.SNAPSHOT_TEXT_NAMES = []
    dataset = make_dataset()
    for name in ("README.md", "a.json"):
        make_asset(dataset, name, blob=make_blob(dataset, name.encode()))
        worker.run()
    assert {file.mode for file in tree_of(dataset).values()} == {"120000"}
    assert len(history_of(dataset)) == 2


def test_repository_keeps_the_rules_it_began_with(worker: Worker, settings: Any) -> None:
    dataset = make_dataset()
    worker.run()
    settings.SNAPSHOT_TEXT_NAMES = []
    make_asset(dataset, "README.md", blob=make_blob(dataset, b"Mice.\n"))
    worker.run()
    assert tree_of(dataset)["README.md"].mode == "100644"


def test_tree_follows_whatever_happens_to_assets(worker: Worker) -> None:
    dataset = make_dataset()
    owner = owner_of(dataset)
    old = make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    folder = make_asset(dataset, "b/c.json", blob=make_blob(dataset, b"{}"))
    worker.run()
    blob = make_blob(dataset)
    replace_asset(
        actor=owner,
        dataset=dataset,
        asset_id=old.asset_id,
        blob_id=blob.pk,
        metadata=valid_asset_metadata("moved/a.nwb"),
    )
    remove_asset(actor=owner, dataset=dataset, asset_id=folder.asset_id)
    make_asset(dataset, "b", blob=make_blob(dataset))
    worker.run()
    assert_exact(dataset)
    assert set(tree_of(dataset)) == {"moved/a.nwb", "b"}


def test_history_makes_one_commit_of_what_one_author_does_in_a_row(worker: Worker) -> None:
    dataset = make_dataset()
    administrator = acting(make_admin())
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    blob = make_blob(dataset)
    worker.run()
    change_assets(actor=administrator, dataset=dataset, add=[new_asset("c.nwb", blob)])
    make_asset(dataset, "d.nwb", blob=make_blob(dataset))
    worker.run()
    assert history_of(dataset) == ["Add 2 file(s)", "Add 1 file(s)", "Add d.nwb"]


def test_history_has_no_commit_of_what_leaves_the_tree_as_it_is(worker: Worker) -> None:
    dataset = make_dataset()
    asset = make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    replace_asset(
        actor=owner_of(dataset),
        dataset=dataset,
        asset_id=asset.asset_id,
        blob_id=asset.blob_id,
        metadata=valid_asset_metadata("a.nwb", encodingFormat="application/x-hdf5"),
    )
    worker.run()
    assert history_of(dataset) == ["Add a.nwb"]
    assert clone_state(SYSTEM, dataset).is_current


def test_author_is_who_made_the_change_without_their_address(worker: Worker) -> None:
    dataset = make_dataset()
    User.objects.update(first_name="Ann <", last_name="B>")
    make_asset(dataset, blob=make_blob(dataset))
    worker.run()
    refs_of(dataset)
    _, commit = repository_of(dataset).commits.order_by("pk")
    user = owner_of(dataset).user
    assert user
    assert commit.author_email == f"user-{user.pk}@users.noreply.invalid"


def test_tags_are_the_published_versions_exactly(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    first = make_published_version(worker, dataset)
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    worker.run()
    second = make_published_version(worker, dataset)
    make_asset(dataset, "c.nwb", blob=make_blob(dataset))
    worker.run()
    assert_exact(dataset)
    assert set(tree_of(dataset, first.version)) == {"a.nwb"}
    assert set(tree_of(dataset, second.version)) == {"a.nwb", "b.nwb"}


def test_tag_is_exact_when_the_repository_comes_late(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    first = make_published_version(worker, dataset)
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    worker.run()
    Projection.objects.filter(dataset_id=dataset.number, name="snapshot").delete()
    repository_of(dataset).delete()
    worker.run()
    assert_exact(dataset)
    assert set(tree_of(dataset, first.version)) == {"a.nwb"}


def test_tag_goes_with_its_version(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    version = make_published_version(worker, dataset)
    assert f"refs/tags/{version.version}" in refs_of(dataset)
    delete_version(actor=acting(make_admin()), version=version)
    assert f"refs/tags/{version.version}" not in refs_of(dataset)


def test_own_attributes_make_room_for_an_assets_and_come_back(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    asset = make_asset(dataset, ".gitattributes", blob=make_blob(dataset, b"* text\n"))
    worker.run()
    assert tree_of(dataset)[".gitattributes"].content == b"* text\n"
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    worker.run()
    refs_of(dataset)
    assert set(tree_of(dataset)) == {"a.nwb"}


def test_attributes_that_git_would_refuse_are_a_link(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "x/.gitattributes", blob=make_blob(dataset, b"x" * 5000))
    worker.run()
    assert tree_of(dataset)["x/.gitattributes"].mode == "120000"


# --- Zarr -------------------------------------------------------------------------------------------------------------


def test_zarr_is_a_folder_of_links_that_follows_its_revisions(worker: Worker) -> None:
    dataset = make_dataset()
    zarr = make_zarr(dataset)
    make_zarr_asset(zarr)
    worker.run()
    assert tree_of(dataset) == {}
    upload_zarr(worker, zarr)
    assert_exact(dataset)
    version = make_published_version(worker, dataset)
    announce(zarr, EDIT)
    put(zarr, *EDIT.values())
    ingest(worker, zarr)
    assert_exact(dataset)
    assert tree_of(dataset, version.version) != tree_of(dataset)


def test_zarr_revision_is_shown_whether_or_not_a_version_shows_the_one_before(worker: Worker) -> None:
    dataset = make_dataset()
    zarr = upload_zarr(worker, make_zarr(dataset))
    make_zarr_asset(zarr, "x.zarr")
    make_asset(dataset, "x.zarr.json", blob=make_blob(dataset, b"{}"))
    worker.run()
    announce(zarr, EDIT)
    put(zarr, *EDIT.values())
    ingest(worker, zarr)
    assert_exact(dataset)


# --- What is waited for, and what is left out -------------------------------------------------------------------------


@pytest.mark.usefixtures("late_checksums")
def test_file_is_waited_for_until_its_checksum_is_known(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    worker.run()
    late = make_blob(dataset)
    Job.objects.filter(subject=str(late.pk)).update(next_attempt="2100-01-01T00:00Z")
    make_asset(dataset, "b.nwb", blob=late)
    make_asset(dataset, "c.nwb", blob=make_blob(dataset))
    worker.run()
    state = clone_state(SYSTEM, dataset)
    assert not state.is_current
    assert "b.nwb is waited for" in state.reason
    assert set(tree_of(dataset)) == {"a.nwb"}
    Job.objects.filter(subject=str(late.pk)).update(next_attempt="2020-01-01T00:00Z")
    Projection.objects.update(next_attempt=None)
    worker.run()
    assert_exact(dataset)


@pytest.mark.usefixtures("late_checksums")
def test_file_is_left_out_and_named_when_its_checksum_has_failed(worker: Worker) -> None:
    dataset = make_dataset()
    lost = make_blob(dataset)
    Job.objects.filter(subject=str(lost.pk)).update(state="failed", ended="2020-01-01T00:00Z")
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    make_asset(dataset, "lost.nwb", blob=lost)
    make_asset(dataset, "z.nwb", blob=make_blob(dataset))
    worker.run()
    assert set(tree_of(dataset)) == {"a.nwb", "z.nwb"}
    assert "lost.nwb is left out" in clone_state(SYSTEM, dataset).reason
    Job.objects.filter(subject=str(lost.pk)).update(state="queued", ended=None)
    Projection.objects.update(next_attempt=None)
    worker.run()
    assert_exact(dataset)


def test_path_that_git_cannot_have_is_left_out_and_named(worker: Worker) -> None:
    dataset = make_dataset()
    asset = make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    make_asset(dataset, "b.nwb", blob=make_blob(dataset))
    # Such a row is from a time when its path was not refused.
    type(asset).objects.filter(pk=asset.pk).update(path="git~1")
    worker.run()
    assert set(tree_of(dataset)) == {"b.nwb"}
    assert "git~1" in clone_state(SYSTEM, dataset).reason
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    make_asset(dataset, "c.nwb", blob=make_blob(dataset))
    worker.run()
    assert clone_state(SYSTEM, dataset).reason == ""


def test_references_name_nothing_that_is_not_written(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, blob=make_blob(dataset))
    assert references(repository_of(dataset)) == {}


def test_what_waits_for_its_sha256_is_found_without_reading_all_blobs_of_the_archive() -> None:
    dataset = make_dataset()
    add = [new_asset(f"{number}.nwb", attachable_row(dataset)) for number in range(300)]
    change = change_assets(actor=owner_of(dataset), dataset=dataset, add=add)
    count_rows("archive_blob", "archive_asset")
    [plan] = plans_of(lambda: look_ahead(Repository(dataset=dataset), change.number), "archive_blob").values()
    assert "Seq Scan on archive_blob" not in plan
