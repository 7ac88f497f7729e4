"""The files that a repository has of its own: what is in git itself, and by which id DataLad knows the dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from uuid import UUID

from archive.paths import name_of

ATTRIBUTES = ".gitattributes"
DATALAD_CONFIG = ".datalad/config"
# `git fsck` objects to a longer line in a file of attributes.
MAX_LINE = 2048


@dataclass(frozen=True)
class Rules:
    """The rules for files in git itself: such a name, and at most so many bytes. All other files are links."""

    text_names: Sequence[str]
    text_bytes: int

    def keeps_in_git(self, path: str, size: int) -> bool:
        """Return whether the file at `path`, of `size` bytes, is in git itself."""
        name = name_of(path)
        return size <= self.text_bytes and any(fnmatchcase(name, pattern) for pattern in self.text_names)

    def attributes(self) -> bytes:
        """Return the file of attributes by which git-annex keeps these rules in a clone."""
        lines = ["* annex.backend=SHA256E annex.largefiles=anything"]
        lines += [f"{pattern} annex.largefiles=largerthan={self.text_bytes}" for pattern in self.text_names]
        return "".join(f"{line}\n" for line in lines).encode()


def datalad_config(dataset_id: UUID) -> bytes:
    """Return the file of configuration by which DataLad knows a dataset."""
    return f'[datalad "dataset"]\n\tid = {dataset_id}\n'.encode()


def is_sound_in_git(path: str, content: bytes) -> bool:
    """Return whether git takes the file as it is: git is particular about files of attributes."""
    is_for_git = name_of(path).casefold() == ATTRIBUTES
    return not is_for_git or all(len(line) < MAX_LINE for line in content.split(b"\n"))
