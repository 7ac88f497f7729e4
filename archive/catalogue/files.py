"""The files of a version as trees: pure. `queries.py` finds them."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from archive.git_annex.keys import annex_key

# What comes first in a list, in this order.
FIRST = ("dataset_description.json", "CHANGES", "README", "LICENSE")
_FOLDER_MARK = "folder-"
_PENDING_MARK = "pending-"


@dataclass(frozen=True)
class Entry:
    """A file or folder of a version: its path, size in bytes, and what the bytes of a file are known by.

    `is_open` is whether the store gives the bytes to everybody by now.
    """

    path: str
    size: int = 0
    blob_id: UUID | None = None
    sha256: str | None = None
    md5: str | None = None
    is_open: bool = False

    @property
    def is_folder(self) -> bool:
        return self.blob_id is None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def key(self) -> str:
        """Return the key by which git-annex knows a file's content, once its SHA-256 is known; else one of our own."""
        if self.sha256:
            return str(annex_key(path=self.path, size=self.size, sha256=self.sha256))
        return f"{_PENDING_MARK}{self.blob_id}"

    @property
    def id(self) -> str:
        """Return what a client calls it by: the key of a file, and of a folder what `folder_of` reads."""
        return folder_id(self.path) if self.is_folder else self.key


def folder_id(path: str) -> str:
    """Return the id of a folder, in which its path is written."""
    return f"{_FOLDER_MARK}{base64.urlsafe_b64encode(path.encode()).decode().rstrip('=')}"


def folder_of(text: str) -> str | None:
    """Return the path of the folder whose id a text is; None if it is none."""
    if not text.startswith(_FOLDER_MARK):
        return None
    encoded = text.removeprefix(_FOLDER_MARK)
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def pending_blob(key: str) -> UUID | None:
    """Return the id of the content that has no SHA-256 yet and is called by that key; None if the key is none such."""
    if not key.startswith(_PENDING_MARK):
        return None
    try:
        return UUID(key.removeprefix(_PENDING_MARK))
    except ValueError:
        return None


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries in the order of lists: files before folders, those that describe the dataset first."""
    return sorted(entries, key=lambda entry: (entry.is_folder, _rank(entry.path), entry.path))


def _rank(path: str) -> int:
    return FIRST.index(path) if path in FIRST else len(FIRST)
