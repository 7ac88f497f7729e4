"""What an entry of a pushed tree may be, if a link or pointer (docs/dialects/git.md#links-and-pointers). Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from archive import paths
from archive.digests import AnnexKey, parse_annex_key
from archive.errors import InvalidError

FILE, EXECUTABLE, LINK, FOLDER, SUBMODULE = "100644", "100755", "120000", "40000", "160000"
MODES = frozenset({FILE, EXECUTABLE, LINK})

# What git-annex itself reads of a file to see whether it is a pointer.
MAX_POINTER = 32 * 2**10
MAX_LINK = 4096
MAX_FAULTS_SHOWN = 20
MAX_SHOWN = 200

_OBJECTS = ".git/annex/objects/"
_POINTER_START = b"/annex/objects/"
_POINTER = re.compile(rb"/annex/objects/([^\n/]+?)\r?\n?(?:/annex/[^\n]*\n?)*")
_UP = re.compile(r"(\.\./)*")


@dataclass
class Faults:
    """What is wrong with a push: the first few faults, and how many there are. Not to be trusted as text: it is."""

    shown: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, path: str | bytes, fault: str) -> None:
        """Say what is wrong with the entry at `path`."""
        self.count += 1
        if len(self.shown) < MAX_FAULTS_SHOWN:
            self.shown.append(f"{printable(path)}: {fault}")

    def lines(self) -> Iterator[str]:
        """What to tell the pusher."""
        yield from self.shown
        if more := self.count - len(self.shown):
            yield f"... and {more} more."


def printable(name: str | bytes) -> str:
    """A name as it can be shown on somebody's terminal, whatever is in it."""
    text = name.decode(errors="backslashreplace") if isinstance(name, bytes) else name
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: MAX_SHOWN + 1])
    return safe if len(text) <= MAX_SHOWN else f"{safe[:MAX_SHOWN]}..."


def checked_path(raw: bytes) -> str:
    """The path of an entry as the archive keeps it. Raises InvalidError, saying what is wrong with it."""
    try:
        path = raw.decode()
    except UnicodeDecodeError:
        raise InvalidError("its name is not UTF-8") from None
    return paths.check_path(path)


def mode_fault(mode: str) -> str | None:
    """What is wrong with an entry of that mode, if anything is."""
    if mode == SUBMODULE:
        return "it is a submodule; a dataset has none, so add its files, or leave it out"
    if mode not in MODES:
        return f"its mode {mode} is none of {', '.join(sorted(MODES))}"
    return None


def linked_key(path: str, target: bytes) -> AnnexKey:
    """The key that a link at `path` stands for. Raises InvalidError unless it is one that git-annex makes.

    Repositories on poor file systems have links by the other hash of the key; these are taken too.
    """
    if not 0 < len(target) <= MAX_LINK:
        raise InvalidError("it is a link whose target is empty or too long")
    text = target.decode(errors="backslashreplace")
    if text.startswith("/"):
        raise InvalidError(f"it is a link to an absolute path, {printable(text)}; {_ONLY_CONTENT}")
    climbs = _UP.match(text)
    levels = len(climbs[0]) // len("../") if climbs else 0
    if levels > path.count("/"):
        raise InvalidError(f"it is a link that leads out of the repository, {printable(text)}; {_ONLY_CONTENT}")
    inside = text[3 * levels :]
    if not inside.startswith(_OBJECTS):
        raise InvalidError(f"it is a link to {printable(text)}; {_ONLY_CONTENT}")
    if levels < path.count("/"):
        raise InvalidError(f"it is a link that was not made for this path, {printable(text)}; try `git annex fix`")
    key = parse_annex_key(text.rpartition("/")[2])
    if inside not in {f"{_OBJECTS}{folders}/{key}/{key}" for folders in (key.mixed_folders, key.lower_folders)}:
        raise InvalidError(f"it is a link that git-annex would not make for {key}, {printable(text)}")
    return key


_ONLY_CONTENT = "of links, only those that git-annex makes for content are taken"


def is_pointer(content: bytes) -> bool:
    """Whether a file with this content stands for other content, as git-annex has it of unlocked files."""
    return content.startswith(_POINTER_START)


def pointer_key(content: bytes) -> AnnexKey:
    """The key that an unlocked file's pointer stands for. Raises InvalidError unless it is sound."""
    match = _POINTER.fullmatch(content)
    if match is None:
        raise InvalidError("it begins like a pointer of git-annex and is none")
    return parse_annex_key(match[1].decode(errors="backslashreplace"))
