"""The files of a version as trees: their order, the ids that clients know them by, and who finds what."""

import hashlib
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.accounts.policy import ANONYMOUS
from archive.assets.models import Asset
from archive.catalogue.files import Entry, folder_id, folder_of, in_order, pending_blob
from archive.catalogue.queries import entries_in, find_file, find_keyed_content
from archive.datasets.models import Dataset, Version
from archive.errors import InvalidError, NotFoundError
from tests.factories import make_asset, make_blob, make_dataset, make_embargoed_dataset, owner_of

FILES = {
    "sub-1/anat/a.nii.gz": b"a",
    "sub-1/b.json": b"b",
    "README": b"read me",
    "dataset_description.json": b"{}",
    "a": b"",
}


@given(st.text(max_size=200))
def test_folder_is_read_from_its_id(path: str) -> None:
    assert folder_of(folder_id(path)) == path


@given(st.text(max_size=50).filter(lambda text: not text.startswith("folder-")))
def test_other_texts_are_no_ids(text: str) -> None:
    assert folder_of(text) is None
    assert pending_blob(text) is None


@pytest.mark.parametrize("text", ["folder-%", "folder-_w", "folder-ä", "pending-1"])
def test_broken_ids_are_none(text: str) -> None:
    assert folder_of(text) is None
    assert pending_blob(text) is None


def test_files_come_before_folders_and_what_describes_the_dataset_first() -> None:
    blob = uuid4()
    names = ["z", "LICENSE", "README", "CHANGES", "dataset_description.json", "a"]
    entries = [Entry("b-folder"), *(Entry(name, 1, blob) for name in names), Entry("a-folder")]
    assert [entry.path for entry in in_order(entries)] == [
        *["dataset_description.json", "CHANGES", "README", "LICENSE", "a", "z", "a-folder", "b-folder"]
    ]


@pytest.fixture
def dataset(db: None) -> Dataset:
    """An open dataset with FILES, of which the digests are known."""
    return make_filled(make_dataset())


def make_filled(dataset: Dataset) -> Dataset:
    for path, content in FILES.items():
        blob = make_blob(dataset, content)
        blob.sha256 = hashlib.sha256(content).hexdigest()
        blob.save()
        make_asset(dataset, path, blob=blob)
    return dataset


def draft(dataset: Dataset) -> Version:
    return dataset.versions.select_related("dataset").get()


def test_tree_of_a_folder_has_its_files_and_folders(dataset: Dataset) -> None:
    def names(folder: str) -> list[str]:
        return [entry.path for entry in entries_in(ANONYMOUS, draft(dataset), folder)]

    assert names("") == ["dataset_description.json", "README", "a", "sub-1"]
    assert names("sub-1") == ["sub-1/b.json", "sub-1/anat"]
    assert names("sub-1/anat") == ["sub-1/anat/a.nii.gz"]
    with pytest.raises(NotFoundError):
        names("sub-2")


def test_tree_of_all_has_every_file_with_its_size_and_key(dataset: Dataset) -> None:
    entries = entries_in(ANONYMOUS, draft(dataset), "", is_whole=True)
    assert {entry.path: entry.size for entry in entries} == {path: len(content) for path, content in FILES.items()}
    keys = {entry.path: entry.key for entry in entries}
    digest = hashlib.sha256(b"a").hexdigest()
    assert keys["sub-1/anat/a.nii.gz"] == f"SHA256E-s1--{digest}.nii.gz"


def test_tree_of_an_empty_draft_is_empty(db: None) -> None:
    version = draft(make_dataset())
    assert (entries_in(ANONYMOUS, version, ""), entries_in(ANONYMOUS, version, "", is_whole=True)) == ([], [])


@pytest.mark.parametrize(("is_whole", "size"), [(True, len(FILES)), (False, 4)])
def test_tree_that_is_too_large_is_refused(dataset: Dataset, is_whole: bool, size: int) -> None:
    assert len(entries_in(ANONYMOUS, draft(dataset), "", is_whole=is_whole, at_most=size)) == size
    for at_most in range(size):
        with pytest.raises(InvalidError, match="one folder after the other"):
            entries_in(ANONYMOUS, draft(dataset), "", is_whole=is_whole, at_most=at_most)


def test_tree_of_all_below_a_folder_has_nothing_of_its_neighbours(dataset: Dataset) -> None:
    for path in ("sub-10/c", "sub_1/c", "sub-1.json"):
        make_asset(dataset, path, blob=make_blob(dataset))
    assert [entry.path for entry in entries_in(ANONYMOUS, draft(dataset), "sub-1", is_whole=True)] == [
        "sub-1/anat/a.nii.gz",
        "sub-1/b.json",
    ]
    with pytest.raises(NotFoundError):
        entries_in(ANONYMOUS, draft(dataset), "sub", is_whole=True)


def test_content_is_found_by_path_and_by_key_even_while_its_digest_is_not_known(dataset: Dataset) -> None:
    make_asset(dataset, "new.nii", blob=make_blob(dataset, b"new"))
    for entry in entries_in(ANONYMOUS, draft(dataset), "", is_whole=True):
        by_path, by_key = (
            find_file(ANONYMOUS, draft(dataset), entry.path),
            find_keyed_content(ANONYMOUS, dataset, entry.key),
        )
        assert (by_path.size, by_key.size) == (entry.size, entry.size)


def test_hidden_files_are_found_by_nobody_outside(db: None) -> None:
    hidden = make_filled(make_embargoed_dataset())
    version = draft(hidden)
    key = entries_in(owner_of(hidden), version, "", is_whole=True)[0].key
    blob = Asset.objects.filter(dataset=hidden).values_list("blob_id", flat=True)[0]
    for ask in (
        lambda: entries_in(ANONYMOUS, version, "", is_whole=True),
        lambda: find_file(ANONYMOUS, version, "README"),
        lambda: find_keyed_content(ANONYMOUS, hidden, key),
        lambda: find_keyed_content(ANONYMOUS, hidden, f"pending-{blob}"),
    ):
        with pytest.raises(NotFoundError):
            ask()
