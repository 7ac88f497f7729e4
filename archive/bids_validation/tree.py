"""The tree of files of a version, read from rows, and the hash that names it."""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from archive.assets.queries import assets_of
from archive.datasets.models import Version

DESCRIPTION = "dataset_description.json"


class TreeFile(NamedTuple):
    """A file of a tree: its path, its size, and the digest and id of its content; a Zarr archive has no blob."""

    path: str
    size: int
    digest: str
    blob_id: UUID | None


def tree_of(version: Version) -> list[TreeFile] | None:
    """Return the files of a version in the order of their paths; None while the digest of one is not known yet."""
    rows = assets_of(version).order_by("path")
    fields = ("path", "size", "blob__sha256", "zarr_revision__checksum", "blob_id")
    tree = []
    for path, size, blob_digest, zarr_digest, blob_id in rows.values_list(*fields).iterator(chunk_size=5000):
        digest = blob_digest or zarr_digest
        if not digest:
            return None
        tree.append(TreeFile(path, size, digest, blob_id))
    return tree


def hash_of(tree: Sequence[TreeFile]) -> str:
    """Return the hash of a tree: of the paths, sizes and digests of its files, in the order of their paths."""
    total = sha256()
    for file in sorted(tree):
        # No path has a NUL, so no two trees are written alike.
        total.update(f"{file.path}\0{file.size}\0{file.digest}\0".encode())
    return total.hexdigest()


def is_bids(version: Version) -> bool:
    """Return whether the files of a version claim to be a BIDS dataset: they have its description at their root."""
    return assets_of(version).filter(path=DESCRIPTION).exists()
