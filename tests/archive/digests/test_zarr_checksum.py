"""The checksum of Zarr archives, held against the library (docs/dialects/dandi.md#zarr-checksum)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zarr_checksum.tree import ZarrChecksumTree

from archive.digests import ZarrLeaf, zarr_sums
from archive.errors import InvalidError

# Names that sort differently by themselves and inside paths, and one that JSON escapes.
names = st.sampled_from(["0", "1", "10", "a", "a-b", "a.b", "a b", "é", "𝛼", 'q"', "~"])
folders = st.lists(names, max_size=4).map(tuple)
# A file's name is no folder's, so that no path is both.
paths = st.tuples(folders, names).map(lambda parts: "/".join([*parts[0], f"{parts[1]}.bin"]))
contents = st.tuples(st.text("0123456789abcdef", min_size=32, max_size=32), st.integers(0, 2**40))


def in_byte_order(files: dict[str, tuple[str, int]]) -> list[ZarrLeaf]:
    return [ZarrLeaf(path, *files[path]) for path in sorted(files, key=str.encode)]


@given(st.dictionaries(paths, contents, max_size=30))
def test_checksum_is_that_of_the_library(files: dict[str, tuple[str, int]]) -> None:
    tree = ZarrChecksumTree()
    for path, (md5, size) in files.items():
        tree.add_leaf(Path(path), size, md5)
    assert str(zarr_sums(in_byte_order(files))) == str(tree.process())


def test_checksum_of_nothing_is_as_the_dialect_has_it() -> None:
    assert str(zarr_sums([])) == "481a2f77ab786a0f45aafd5db0971caa-0--0"


def test_sums_count_files_and_bytes_at_all_depths() -> None:
    sums = zarr_sums([ZarrLeaf("a", "0" * 32, 1), ZarrLeaf("b/c", "0" * 32, 2), ZarrLeaf("b/d/e", "0" * 32, 3)])
    assert (sums.file_count, sums.size) == (3, 6)


@pytest.mark.parametrize("paths", [["a", "a/b"], ["a", "a-b", "a/b"], ["x/a", "x/a/b/c"]])
def test_path_that_is_file_and_folder_is_refused(paths: list[str]) -> None:
    with pytest.raises(InvalidError, match="'a' is both a file and a folder"):
        zarr_sums([ZarrLeaf(path, "0" * 32, 1) for path in paths])
