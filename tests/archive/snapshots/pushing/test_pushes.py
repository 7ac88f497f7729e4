"""What a push does to the draft."""

import hashlib
from typing import Any

import pytest

from archive.assets.models import Asset
from archive.assets.queries import live_assets
from archive.assets.services import replace_asset
from archive.blobs.models import Blob, Upload
from archive.blobs.services import keep_contents
from archive.datasets.models import Dataset
from archive.git_annex.files import link_target
from archive.git_annex.keys import AnnexKey, annex_key
from archive.storage.queries import read
from archive.timeline.models import Change
from tests.archive.assets.state import draft_of, files_of, recounted, sums_of
from tests.archive.snapshots.pushing.pusher import (
    ANNEX,
    EXECUTABLE,
    LINK,
    MAIN,
    NONE,
    Answer,
    Place,
    Pusher,
    Tree,
    refused,
)
from tests.factories import make_asset, make_blob, make_blob_row, make_dataset, make_zarr, make_zarr_asset, owner_of

pytestmark = pytest.mark.django_db

ANNEXED = b"What a mouse saw.\n"
OTHER = b"What another mouse saw.\n"
SYNCED = "refs/heads/synced/main"


def key_of(content: bytes, path: str = "a.nwb") -> AnnexKey:
    return annex_key(path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def known(dataset: Dataset, content: bytes, **fields: Any) -> Blob:
    """A blob of that content, which the dataset's owner has sent."""
    uploader = owner_of(dataset).user
    assert uploader
    blob = make_blob_row(uploader, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    Blob.objects.filter(pk=blob.pk).update(**fields)
    return blob


def push(place: Place, pusher: Pusher, tree: Tree, *parents: str) -> str:
    """Pushes a commit of that tree on top of others; returns it."""
    commit = pusher.commit(tree, *(parents or filter(None, [place.main])))
    answer = place.push(pusher.request((place.main or NONE, commit, MAIN)))
    assert answer.is_accepted, answer
    assert place.main == commit
    return commit


def content_of(asset: Asset) -> bytes:
    assert asset.blob
    return b"".join(read(asset.blob.key))


def draft(place: Place) -> dict[str, Asset]:
    """The assets of the draft, by path; what the folders say of them is checked too."""
    assert sums_of(draft_of(place.dataset)) == recounted(files_of(draft_of(place.dataset)))
    assets = live_assets(place.dataset).select_related("blob").order_by("path")
    return {asset.path: asset for asset in assets}


def changes(place: Place) -> list[tuple[str, dict[str, Any]]]:
    history = Change.objects.filter(dataset_id=place.dataset.number).order_by("number")
    return list(history.values_list("kind", "details"))[1:]


# --- Files ------------------------------------------------------------------------------------------------------------


def test_first_push_makes_the_draft(place: Place, pusher: Pusher) -> None:
    files = {"README.md": b"# Mice\n", "sub-1/notes.txt": b"One.\n"}
    commit = push(place, pusher, {"README.md": files["README.md"], "sub-1": {"notes.txt": b"One.\n"}})
    assert {path: content_of(asset) for path, asset in draft(place).items()} == files
    assert changes(place) == [("change_assets", {"added": 2, "removed": 0, "commit": commit})]
    assert Upload.objects.count() == 0


def test_pushed_file_has_digests_and_metadata_that_clients_need(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a.json": b"{}\n", "b.nii.gz": b"\x1f\x8b", "c.nwb": b"HDF", "d.unknown": b"d"})
    assets = draft(place)
    assert [asset.metadata["encodingFormat"] for asset in assets.values()] == [
        "application/json",
        "application/gzip",
        "application/x-nwb",
        "application/octet-stream",
    ]
    metadata = assets["a.json"].metadata
    assert metadata.keys() == {"schemaKey", "schemaVersion", "encodingFormat", "blobDateModified"}
    blob = assets["a.json"].blob
    assert blob
    assert (blob.size, blob.sha256) == (3, hashlib.sha256(b"{}\n").hexdigest())
    md5 = hashlib.md5(b"{}\n", usedforsecurity=False).digest()
    assert blob.etag == f"{hashlib.md5(md5, usedforsecurity=False).hexdigest()}-1"


def test_pushed_file_may_be_empty_in_git_and_in_the_annex(place: Place, pusher: Pusher) -> None:
    [blob] = keep_contents(actor=owner_of(place.dataset), dataset=place.dataset, contents=[b""])
    push(place, pusher, {"CHANGES": b"", "a.nwb": link_target("a.nwb", key_of(b"")), "b.txt": b"b"})
    assert {path: (asset.size, content_of(asset)) for path, asset in draft(place).items()} == {
        "CHANGES": (0, b""),
        "a.nwb": (0, b""),
        "b.txt": (1, b"b"),
    }
    assert draft(place)["a.nwb"].blob == blob
    push(place, pusher, {"CHANGES": b"1.0\n", "b.txt": b""})
    assert {path: content_of(asset) for path, asset in draft(place).items()} == {"CHANGES": b"1.0\n", "b.txt": b""}


def test_push_adds_changes_and_removes(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a.txt": b"a", "b.txt": b"b", "sub": {"c.txt": b"c"}})
    before = draft(place)
    push(place, pusher, {"a.txt": b"a", "b.txt": b"B", "d.txt": b"d"})
    after = draft(place)
    assert {path: content_of(asset) for path, asset in after.items()} == {"a.txt": b"a", "b.txt": b"B", "d.txt": b"d"}
    assert after["a.txt"].asset_id == before["a.txt"].asset_id
    assert after["b.txt"].asset_id != before["b.txt"].asset_id


def test_file_takes_the_place_of_a_folder_and_a_folder_that_of_a_file(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a": {"b": b"1", "c": {"d": b"2"}}, "e": b"3"})
    push(place, pusher, {"a": b"4", "e": {"f": b"5"}})
    assert {path: content_of(asset) for path, asset in draft(place).items()} == {"a": b"4", "e/f": b"5"}


def test_same_content_twice_is_stored_once(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a.txt": b"same", "b.txt": b"same"})
    push(place, pusher, {"a.txt": b"same", "b.txt": b"same", "c.txt": b"same"})
    assert len({asset.blob_id for asset in draft(place).values()}) == Blob.objects.count() == 1


def test_file_that_its_pusher_has_uploaded_before_is_not_stored_again(place: Place, pusher: Pusher) -> None:
    blob = make_blob(place.dataset, b"uploaded")
    push(place, pusher, {"a.txt": b"uploaded"})
    assert draft(place)["a.txt"].blob_id == blob.pk


def test_file_whose_content_somebody_else_hides_is_stored_anew(place: Place, pusher: Pusher) -> None:
    hidden = make_blob(make_dataset(), b"hidden")
    push(place, pusher, {"a.txt": b"hidden"})
    assert draft(place)["a.txt"].blob_id != hidden.pk


def test_files_of_datalad_are_assets(place: Place, pusher: Pusher) -> None:
    tree: Tree = {
        ".datalad": {"config": b'[datalad "dataset"]\n', ".gitattributes": b"config annex.largefiles=nothing\n"},
        ".gitattributes": b"* annex.backend=MD5E\n",
        "code": {".gitattributes": b"* annex.largefiles=nothing\n", ".gitignore": b"*.pyc\n"},
    }
    push(place, pusher, tree)
    assert sorted(draft(place)) == [
        ".datalad/.gitattributes",
        ".datalad/config",
        ".gitattributes",
        "code/.gitattributes",
        "code/.gitignore",
    ]


# --- Attributes -------------------------------------------------------------------------------------------------------


def test_attributes_of_the_archive_are_no_asset_until_they_are_changed(place: Place, pusher: Pusher) -> None:
    own = b"* annex.backend=SHA256E\n"
    place.own_files = {".gitattributes": pusher.blob(own)}
    push(place, pusher, {".gitattributes": own, "a.txt": b"a"})
    assert sorted(draft(place)) == ["a.txt"]
    push(place, pusher, {"a.txt": b"a"})
    push(place, pusher, {".gitattributes": own + b"*.txt annex.largefiles=nothing\n", "a.txt": b"a"})
    assert sorted(draft(place)) == [".gitattributes", "a.txt"]
    push(place, pusher, {".gitattributes": own, "a.txt": b"a"})
    assert content_of(draft(place)[".gitattributes"]) == own


# --- The annex --------------------------------------------------------------------------------------------------------


def test_annexed_file_is_an_asset_of_known_content(place: Place, pusher: Pusher) -> None:
    blob = known(place.dataset, ANNEXED)
    key = key_of(ANNEXED)
    push(place, pusher, {"sub-1": {"a.nwb": link_target("sub-1/a.nwb", key)}})
    assert {path: asset.blob_id for path, asset in draft(place).items()} == {"sub-1/a.nwb": blob.pk}


@pytest.mark.parametrize("content", [b"/annex/objects/%b\n", b"/annex/objects/%b", b"/annex/objects/%b\n/annex/x\n"])
def test_unlocked_file_is_an_asset_of_known_content(place: Place, pusher: Pusher, content: bytes) -> None:
    blob = known(place.dataset, ANNEXED)
    push(place, pusher, {"a.nwb": (EXECUTABLE, content % str(key_of(ANNEXED)).encode())})
    assert draft(place)["a.nwb"].blob_id == blob.pk


def test_link_of_a_poor_file_system_is_taken(place: Place, pusher: Pusher) -> None:
    blob = known(place.dataset, ANNEXED)
    key = key_of(ANNEXED)
    push(place, pusher, {"a.nwb": f".git/annex/objects/{key.lower_folders}/{key}/{key}"})
    assert draft(place)["a.nwb"].blob_id == blob.pk


def test_md5_is_a_key_of_what_was_received_for_the_dataset_alone(place: Place, pusher: Pusher) -> None:
    md5 = hashlib.md5(ANNEXED, usedforsecurity=False).hexdigest()
    key = AnnexKey("MD5", len(ANNEXED), md5, ".nwb")
    blob = known(place.dataset, ANNEXED, md5=md5)
    commit = pusher.commit({"a.nwb": link_target("a.nwb", key)})
    assert "the archive does not have its content" in place.push(pusher.request((NONE, commit, MAIN))).remote
    Blob.objects.filter(pk=blob.pk).update(received_for=place.dataset)
    push(place, pusher, {"a.nwb": link_target("a.nwb", key)})
    assert draft(place)["a.nwb"].blob_id == blob.pk


def test_open_content_of_another_dataset_is_taken_by_its_key(place: Place, pusher: Pusher) -> None:
    other = make_dataset()
    blob = known(other, ANNEXED)
    make_asset(other, blob=blob)
    push(place, pusher, {"a.nwb": link_target("a.nwb", key_of(ANNEXED))})
    assert draft(place)["a.nwb"].blob_id == blob.pk


def test_file_that_is_only_locked_made_executable_or_moved_into_git_stays_the_same_asset(
    place: Place, pusher: Pusher
) -> None:
    make_blob_content = make_blob(place.dataset, ANNEXED)
    Blob.objects.filter(pk=make_blob_content.pk).update(sha256=hashlib.sha256(ANNEXED).hexdigest())
    key = key_of(ANNEXED)
    push(place, pusher, {"a.nwb": link_target("a.nwb", key)})
    before = draft(place)["a.nwb"].asset_id
    for entry in (f"/annex/objects/{key}\n".encode(), (EXECUTABLE, ANNEXED), ANNEXED):
        commit = push(place, pusher, {"a.nwb": entry})
        assert draft(place)["a.nwb"].asset_id == before
        assert changes(place)[-1] == ("change_assets", {"added": 0, "removed": 0, "commit": commit})


# --- Metadata ---------------------------------------------------------------------------------------------------------


def describe(place: Place, path: str, **fields: Any) -> None:
    """The owner says something of a file."""
    asset = draft(place)[path]
    metadata = {**asset.metadata, **fields, "path": path}
    actor = owner_of(place.dataset)
    replace_asset(actor=actor, dataset=place.dataset, asset_id=asset.asset_id, metadata=metadata, blob_id=asset.blob_id)


def test_renamed_file_keeps_what_its_owner_said(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a.txt": b"a", "b.txt": b"b"})
    describe(place, "a.txt", keywords=["mouse"])
    said = draft(place)["a.txt"].metadata
    push(place, pusher, {"sub": {"c.txt": b"a"}, "b.txt": b"b"})
    assert draft(place)["sub/c.txt"].metadata == said


def test_empty_file_is_not_taken_for_another_that_went(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a.txt": b""})
    describe(place, "a.txt", keywords=["mouse"])
    push(place, pusher, {"b.json": b""})
    assert "keywords" not in draft(place)["b.json"].metadata


def test_changed_file_keeps_what_its_owner_said_but_for_its_bytes(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a.txt": b"a"})
    describe(place, "a.txt", keywords=["mouse"], blobDateModified="2001-01-01T00:00:00+00:00")
    push(place, pusher, {"a.txt": b"b"})
    metadata = draft(place)["a.txt"].metadata
    assert metadata["keywords"] == ["mouse"]
    assert not metadata["blobDateModified"].startswith("2001")


# --- Commits ----------------------------------------------------------------------------------------------------------


def test_many_commits_and_merges_are_kept_as_they_came(place: Place, pusher: Pusher) -> None:
    first = push(place, pusher, {"a.txt": b"a"})
    left = pusher.commit({"a.txt": b"a", "b.txt": b"b"}, first)
    right = pusher.commit({"a.txt": b"A", "gone.txt": b""}, first)
    merged = push(place, pusher, {"a.txt": b"A", "b.txt": b"b"}, left, right)
    assert sorted(draft(place)) == ["a.txt", "b.txt"]
    copied = Pusher(place.folder)
    assert copied.git("rev-list", "--parents", merged).splitlines()[0] == f"{merged} {left} {right}"
    assert copied.git("fsck", "--strict") == ""


def test_fault_of_an_older_commit_that_the_last_one_has_put_right_is_forgiven(place: Place, pusher: Pusher) -> None:
    faulty = pusher.commit({"a.txt": "/etc/passwd", "empty": b"", "sub": ("160000", "1" * 40)})
    push(place, pusher, {"a.txt": b"a"}, faulty)
    assert sorted(draft(place)) == ["a.txt"]


def test_commit_that_changes_nothing_is_kept(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a.txt": b"a"})
    commit = push(place, pusher, {"a.txt": b"a"})
    assert changes(place)[-1] == ("change_assets", {"added": 0, "removed": 0, "commit": commit})


# --- What git-annex pushes --------------------------------------------------------------------------------------------


def synced(place: Place, pusher: Pusher, commit: str, annex: str) -> Answer:
    """What `git annex sync` pushes first."""
    return place.push(pusher.request((NONE, commit, SYNCED), (NONE, annex, "refs/heads/synced/git-annex")))


def test_synced_main_is_main(place: Place, pusher: Pusher) -> None:
    first = push(place, pusher, {"a.txt": b"a"})
    commit, annex = pusher.commit({"a.txt": b"A"}, first), pusher.commit({"uuid.log": b"x"})
    answer = synced(place, pusher, commit, annex)
    assert answer.is_accepted
    assert (place.main, place.annex) == (commit, annex)


def test_synced_main_that_is_there_already_changes_nothing(place: Place, pusher: Pusher) -> None:
    first = push(place, pusher, {"a.txt": b"a"})
    second = push(place, pusher, {"a.txt": b"A"})
    annex = pusher.commit({"uuid.log": b"x"})
    before = changes(place)
    assert synced(place, pusher, first, annex).is_accepted
    assert synced(place, pusher, second, annex).is_accepted
    assert (place.main, changes(place)) == (second, before)


def test_branch_of_git_annex_moves_by_itself_and_changes_no_file(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a.txt": b"a"})
    before = changes(place)
    first = pusher.commit({"uuid.log": b"x"})
    second = pusher.commit({"uuid.log": b"x\n", "trust.log": b"y"}, first)
    for old, new in ((NONE, first), (first, second)):
        assert place.push(pusher.request((old, new, ANNEX))).is_accepted
        assert place.annex == new
    assert changes(place) == before


def test_branch_of_git_annex_and_main_move_together_or_not_at_all(place: Place, pusher: Pusher) -> None:
    annex, main = pusher.commit({"uuid.log": b"x"}), pusher.commit({"a.txt": b"a"})
    good, bad = (NONE, annex, ANNEX), (NONE, pusher.commit({"a.txt": (LINK, b"/etc/passwd")}), MAIN)
    assert not place.push(pusher.request(good, bad)).is_accepted
    assert (place.annex, place.main) == ("", "")
    assert place.push(pusher.request(good, (NONE, main, MAIN))).is_accepted
    assert (place.annex, place.main) == (annex, main)


def test_branch_of_git_annex_keeps_what_the_pusher_was_told_of(place: Place, pusher: Pusher) -> None:
    first = pusher.commit({"uuid.log": b"x"})
    assert place.push(pusher.request((NONE, first, ANNEX))).is_accepted
    other = pusher.commit({"uuid.log": b"y"})
    answer = place.push(pusher.request((first, other, ANNEX)))
    assert f"{ANNEX}: it leaves out what the archive has in it: fetch first" in answer.remote
    assert place.annex == first
    second = pusher.commit({"uuid.log": b"xy"}, first)
    assert place.push(pusher.request((NONE, second, "refs/heads/synced/git-annex"))).is_accepted
    assert place.push(pusher.request((NONE, first, "refs/heads/synced/git-annex"))).is_accepted
    assert place.annex == second


@pytest.mark.parametrize(
    ("tree", "fault"),
    [
        ({"a.log": "uuid.log"}, "a.log: its mode is 120000, and logs are regular files"),
        ({"a.log": bytes(2**20 + 1)}, "a.log: it has 1048577 bytes, and a log has at most 1048576"),
        ({"a": {"b": {"c": {"d": {"e": {"f.log": b"x"}}}}}}, "a/b/c/d/e/f.log: it is in more than 4 folders"),
        ({"a": {".git": {"config": b"x"}}}, "a/.git: some systems take a name in it for another"),
    ],
)
def test_branch_of_git_annex_has_logs_alone(place: Place, pusher: Pusher, tree: Tree, fault: str) -> None:
    assert fault in refused(place, pusher.request((NONE, pusher.commit(tree), ANNEX)))


# --- Zarr archives ----------------------------------------------------------------------------------------------------


@pytest.fixture
def with_zarr(place: Place, pusher: Pusher) -> Tree:
    """The tree of a dataset that has a Zarr archive, which is not in it before it is pushed by the test itself."""
    key = AnnexKey("MD5", 11, "0" * 32)
    tree: Tree = {"a.txt": b"a", "sub-1": {"a.ome.zarr": {"0": {"0": link_target("sub-1/a.ome.zarr/0/0", key)}}}}
    commit = pusher.commit(tree)
    push(place, pusher, {"a.txt": b"a"})
    place.set_main(pusher, pusher.commit(tree, place.main, commit))
    make_zarr_asset(make_zarr(place.dataset))
    return tree


@pytest.mark.usefixtures("with_zarr")
def test_zarr_archive_whose_folder_is_gone_is_removed(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a.txt": b"a"})
    assert sorted(draft(place)) == ["a.txt"]


@pytest.mark.usefixtures("with_zarr")
def test_zarr_archive_may_make_room_for_a_file(place: Place, pusher: Pusher) -> None:
    push(place, pusher, {"a.txt": b"a", "sub-1": {"a.ome.zarr": b"now a file"}})
    assert content_of(draft(place)["sub-1/a.ome.zarr"]) == b"now a file"


def test_zarr_archive_stays_beside_other_changes(place: Place, pusher: Pusher, with_zarr: Tree) -> None:
    push(place, pusher, {**with_zarr, "b.txt": b"b"})
    assert sorted(draft(place)) == ["a.txt", "b.txt", "sub-1/a.ome.zarr"]


@pytest.mark.parametrize("entries", [{"0": {"0": b"x"}}, {"0": {"1": b"x"}}, {"1": b"x"}])
@pytest.mark.usefixtures("with_zarr")
def test_change_in_a_zarr_archive_is_refused(place: Place, pusher: Pusher, entries: Tree) -> None:
    commit = pusher.commit({"a.txt": b"a", "sub-1": {"a.ome.zarr": entries}}, place.main)
    answer = place.push(pusher.request((place.main, commit, MAIN)))
    assert not answer.is_accepted
    assert "sub-1/a.ome.zarr/0/0: it is in the Zarr archive sub-1/a.ome.zarr" in answer.remote
