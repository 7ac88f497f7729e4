"""The modes of files, and the links and pointers that stand for content (docs/dialects/git.md#links-and-pointers)."""

import re

from archive.errors import InvalidError
from archive.git_annex.keys import AnnexKey, parse_annex_key
from archive.paths import printable

FILE, EXECUTABLE, LINK, FOLDER, SUBMODULE = "100644", "100755", "120000", "40000", "160000"
# The modes that a file of a dataset may have.
MODES = frozenset({FILE, EXECUTABLE, LINK})

# git-annex reads no more of a file than this to see whether the file is a pointer.
MAX_POINTER = 32 * 2**10
MAX_LINK = 4096

_OBJECTS = ".git/annex/objects/"
_POINTER_START = b"/annex/objects/"
_POINTER = re.compile(rb"/annex/objects/([^\n/]+?)\r?\n?(?:/annex/[^\n]*\n?)*")
_UP = re.compile(r"(\.\./)*")
_ONLY_CONTENT = "of links, only those that git-annex makes for content are taken"


def link_target(path: str, key: AnnexKey) -> str:
    """Return the target of the link at `path` that stands for content of that key."""
    return "../" * path.count("/") + _place(key, key.mixed_folders)


def _place(key: AnnexKey, folders: str) -> str:
    return f"{_OBJECTS}{folders}/{key}/{key}"


def linked_key(path: str, target: bytes) -> AnnexKey:
    """Return the key that a link at `path` stands for; raise InvalidError unless git-annex makes such a link.

    Repositories on file systems without case have links by the other hash of the key; these are taken too.
    """
    if not 0 < len(target) <= MAX_LINK:
        raise InvalidError("it is a link whose target is empty or too long")
    text = target.decode(errors="backslashreplace")
    inside = _inside(path, text)
    key = parse_annex_key(text.rpartition("/")[2])
    if inside not in {_place(key, key.mixed_folders), _place(key, key.lower_folders)}:
        raise InvalidError(f"it is a link that git-annex would not make for {key}, {printable(text)}")
    return key


def _inside(path: str, target: str) -> str:
    """Return where in the repository a link at `path` leads to, if that is where content lies."""
    if target.startswith("/"):
        raise InvalidError(f"it is a link to an absolute path, {printable(target)}; {_ONLY_CONTENT}")
    climbs = _UP.match(target)
    levels = len(climbs[0]) // len("../") if climbs else 0
    if levels > path.count("/"):
        raise InvalidError(f"it is a link that leads out of the repository, {printable(target)}; {_ONLY_CONTENT}")
    inside = target[3 * levels :]
    if not inside.startswith(_OBJECTS):
        raise InvalidError(f"it is a link to {printable(target)}; {_ONLY_CONTENT}")
    if levels < path.count("/"):
        raise InvalidError(f"it is a link that was not made for this path, {printable(target)}; try `git annex fix`")
    return inside


def is_pointer(content: bytes) -> bool:
    """Return whether a file with this content stands for other content, as git-annex has it of unlocked files."""
    return content.startswith(_POINTER_START)


def pointer_key(content: bytes) -> AnnexKey:
    """Return the key that an unlocked file's pointer stands for; raise InvalidError unless the pointer is sound."""
    match = _POINTER.fullmatch(content)
    if match is None:
        raise InvalidError("it begins like a pointer of git-annex and is none")
    return parse_annex_key(match[1].decode(errors="backslashreplace"))


def key_of(path: str, mode: str, content: bytes) -> AnnexKey | None:
    """Return the key that a file in a tree stands for, or None if the file is its own content.

    Raises InvalidError for a link or pointer that git-annex would not make.
    """
    if mode == LINK:
        return linked_key(path, content)
    return pointer_key(content) if is_pointer(content) else None
