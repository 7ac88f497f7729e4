"""The objects of git: their ids, and what a tree holds."""

import hashlib
from typing import NamedTuple

from archive.git_annex.files import FOLDER


class TreeItem(NamedTuple):
    """An item of a tree: its mode, and the id of its object."""

    mode: str
    object_id: str

    @property
    def is_folder(self) -> bool:
        return self.mode == FOLDER


def object_id(kind: str, content: bytes) -> str:
    """Return the id that git gives to an object of this kind and content."""
    return hashlib.sha1(b"%b %d\0%b" % (kind.encode(), len(content), content), usedforsecurity=False).hexdigest()


def tree_items(tree: bytes) -> dict[bytes, TreeItem]:
    """Return what is in a tree object, by name."""
    items: dict[bytes, TreeItem] = {}
    position = 0
    while position < len(tree):
        end = tree.index(b"\0", position)
        mode, _, name = tree[position:end].partition(b" ")
        items[name] = TreeItem(mode.decode("ascii", errors="replace"), tree[end + 1 : end + 21].hex())
        position = end + 21
    return items
