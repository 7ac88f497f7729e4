"""Changes to files, from one version of a dataset to another. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from archive.differences import Difference


class FileOperation(StrEnum):
    """The kind of change to a file from one version to another. Moved: the same bytes, under another path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True)
class FileSums:
    """The number of files that have changed in one way, and their bytes before and after; 0 where there were none."""

    count: int = 0
    size_before: int = 0
    size_after: int = 0


@dataclass(frozen=True)
class FileChange:
    """A change to one file. `path` is where the file is now or, if it was removed, was."""

    path: str
    operation: FileOperation
    path_before: str | None
    asset_before: UUID | None
    asset_after: UUID | None
    size_before: int | None
    size_after: int | None
    has_other_bytes: bool
    metadata: list[Difference]
