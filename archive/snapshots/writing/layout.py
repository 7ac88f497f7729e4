"""What is in git and what is a link, and the logs of the annex (docs/dialects/git.md#the-branch-git-annex). Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import NamedTuple
from uuid import UUID

from archive.digests import AnnexKey
from archive.paths import name_of

ATTRIBUTES = ".gitattributes"
# What `git fsck` holds against a file of attributes.
MAX_ATTRIBUTES_LINE = 2048

LINK_MODE = "120000"
FILE_MODE = "100644"

# What git-annex calls the web, in every repository.
WEB_UUID = UUID("00000000-0000-0000-0000-000000000001")
UUID_LOG = "uuid.log"
ARCHIVE_NAME = "the archive"
ARCHIVE_EMAIL = "archive@users.noreply.invalid"

_NOT_IN_NAMES = re.compile(r"[<>\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Rules:
    """Which files are in git: those with such a name, of at most so many bytes. All others are links."""

    text_names: Sequence[str]
    text_bytes: int

    def keeps_in_git(self, path: str, size: int) -> bool:
        """Whether the file at `path`, of `size` bytes, is in git itself."""
        name = name_of(path)
        return size <= self.text_bytes and any(fnmatchcase(name, pattern) for pattern in self.text_names)

    def attributes(self) -> bytes:
        """The file of attributes by which git-annex keeps these rules in a clone."""
        lines = ["* annex.backend=SHA256E annex.largefiles=anything"]
        lines += [f"{pattern} annex.largefiles=largerthan={self.text_bytes}" for pattern in self.text_names]
        return "".join(f"{line}\n" for line in lines).encode()


class Placed(NamedTuple):
    """A file that is to be at `path`: a link for content of that key, or the object `text`, as it is in the store.

    `url` is where anyone may read it, or empty.
    """

    path: str
    key: AnnexKey
    url: str
    text: str = ""


class Removed(NamedTuple):
    """A file, or a folder and what is in it, that is to be at `path` no longer."""

    path: str


def is_sound_in_git(path: str, content: bytes) -> bool:
    """Whether git takes the file as it is: it is particular about its own."""
    is_for_git = name_of(path).casefold() == ATTRIBUTES
    return not is_for_git or all(len(line) < MAX_ATTRIBUTES_LINE for line in content.split(b"\n"))


def location_log(annex_uuid: UUID, recorded: datetime, *, is_public: bool) -> bytes:
    """The log of a key that says where its content is: in the archive, and on the web if that `is_public`."""
    places = [annex_uuid, WEB_UUID] if is_public else [annex_uuid]
    return "".join(f"{_stamp(recorded)} 1 {place}\n" for place in places).encode()


def url_log(url: str, recorded: datetime) -> bytes:
    """The log of a key that says at which address its content is."""
    return f"{_stamp(recorded)} 1 {url}\n".encode()


def uuid_log(annex_uuid: UUID, description: str, recorded: datetime) -> bytes:
    """The log that says what the archive is called."""
    return f"{annex_uuid} {description} timestamp={_stamp(recorded)}\n".encode()


def log_path(key: AnnexKey) -> str:
    """Where, on the branch `git-annex`, the location log of a key is; its other logs lie beside it."""
    return f"{key.lower_folders}/{key}.log"


def _stamp(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}s"


def person(name: str, email: str) -> str:
    """Somebody, as a commit names them."""
    return f"{_NOT_IN_NAMES.sub(' ', name).strip(' .,:;') or 'unknown'} <{email}>"


def quoted(path: str) -> bytes:
    """A path as `git fast-import` reads it."""
    if path.startswith('"') or "\n" in path:
        escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'.encode()
    return path.encode()
