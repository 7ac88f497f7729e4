"""Trees, their hashes, and how they are laid out."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from archive.bids_validation import layout
from archive.bids_validation.layout import laid_out
from archive.bids_validation.tree import TreeFile, hash_of, tree_of
from archive.datasets.models import Dataset
from archive.datasets.queries import find_draft
from archive.errors import BusyError, InvalidError
from tests.archive.bids_validation.conftest import DESCRIPTION, VALID, put
from tests.worker import Worker

pytestmark = pytest.mark.django_db
BRAIN = "sub-01/anat/sub-01_T1w.nii.gz"


def a_tree(dataset: Dataset) -> list[TreeFile]:
    draft = find_draft(dataset.number)
    assert draft
    tree = tree_of(draft)
    assert tree
    return tree


def no_beat() -> None:
    """A heartbeat that nobody listens to."""


def test_hash_of_a_tree_is_that_of_what_it_has_in_any_order() -> None:
    one, other = TreeFile("a", 1, "x", uuid4()), TreeFile("b", 2, "y", uuid4())
    assert hash_of([one, other]) == hash_of([other._replace(blob_id=None), one])
    assert len({hash_of([one]), hash_of([one._replace(path="b")]), hash_of([one._replace(size=2)])}) == 3


def test_tree_is_laid_out_with_true_sizes_and_the_content_that_is_read(make_bids: Callable[..., Dataset]) -> None:
    dataset = make_bids({**VALID, BRAIN: b"\1" * 9000, "sub-01/meg.ds/empty": b"", "sub-01/raw.dat": b"\1" * 10})
    with laid_out(dataset.number, a_tree(dataset), no_beat) as laid:
        assert (laid.folder / "README").read_bytes() == VALID["README"]
        assert (laid.folder / BRAIN).read_bytes() == b"\1" * 4096 + bytes(9000 - 4096)
        assert (laid.folder / "sub-01/raw.dat").read_bytes() == bytes(10)
        assert (laid.folder / "sub-01/meg.ds/empty").stat().st_size == 0


def test_layout_writes_one_file_when_one_has_changed(make_bids: Callable[..., Dataset], worker: Worker) -> None:
    dataset = make_bids(VALID)
    with laid_out(dataset.number, a_tree(dataset), no_beat) as laid:
        assert laid.changed == len(VALID)
    put(dataset, {"README": b"Another text."}, remove=["README"])
    worker.run()
    with laid_out(dataset.number, a_tree(dataset), no_beat) as laid:
        assert laid.changed == 1
        assert (laid.folder / "README").read_bytes() == b"Another text."
        assert len([each for each in laid.folder.rglob("*") if each.is_file()]) == len(VALID)


def test_layout_removes_what_is_gone(make_bids: Callable[..., Dataset]) -> None:
    dataset = make_bids(VALID)
    tree = a_tree(dataset)
    with laid_out(dataset.number, tree, no_beat):
        pass
    with laid_out(dataset.number, [file for file in tree if "/" not in file.path], no_beat) as laid:
        assert {each.name for each in laid.folder.iterdir()} == {
            "dataset_description.json",
            "README",
            "participants.tsv",
        }


def test_layout_is_made_anew_when_its_last_change_was_cut_off(make_bids: Callable[..., Dataset]) -> None:
    dataset = make_bids(VALID)
    tree = a_tree(dataset)
    with laid_out(dataset.number, tree, no_beat) as laid:
        (laid.folder.parent / "list.json").write_text('{"half')
    with laid_out(dataset.number, tree, no_beat) as laid:
        assert laid.changed == len(tree)


def test_layout_is_refused_while_somebody_is_at_work_in_it(make_bids: Callable[..., Dataset]) -> None:
    dataset = make_bids({"dataset_description.json": str(DESCRIPTION).encode()})
    tree = a_tree(dataset)
    with laid_out(dataset.number, tree, no_beat), pytest.raises(BusyError), laid_out(dataset.number, tree, no_beat):
        pass


def test_tree_of_too_many_files_is_not_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MAX_FILES", 1)
    tree = [TreeFile(name, 1, "x", None) for name in ("a", "b")]
    with pytest.raises(InvalidError, match="more than 1 files"), laid_out(1, tree, no_beat):
        pass
