"""The rules of a path inside a dataset. Pure; each runs in time linear in the path's length.

A path is checked exactly as it came, before anything could normalise it: what is stored is what was sent, or nothing.
"""

import re
import unicodedata
from collections.abc import Iterator

from archive.errors import InvalidError

MAX_PATH_BYTES = 1024
MAX_PATH_CHARACTERS = 512
MAX_NAME_BYTES = 255
# No more of a path is shown to people.
MAX_SHOWN = 200
# Zero-width joiners, which Persian, Hindi and other languages need to write words.
JOINERS = frozenset("\u200c\u200d")

# The aliases of `.git` and `.gitmodules` on Windows: short names, and trailing dots, spaces or a stream.
_GIT_ALIAS = re.compile(
    r"(\.git|git~1|\.gitmodules|gitmod~[1-4]"
    r"|gi7eba~[1-9]|gi7eb~[1-9][0-9]|gi7e~[1-9][0-9]{2}|gi7~[1-9][0-9]{3}|gi~[1-9][0-9]{4}|g~[1-9][0-9]{5}|~[1-9][0-9]{6})"
    r"[ .]*(:.*)?",
    re.IGNORECASE | re.DOTALL,
)


def check_path(path: object, *, field: str | None = None) -> str:
    """Return `path` if it may name a file in a dataset; raise InvalidError, naming `field` and the fault, if not.

    Besides what DANDI refuses (docs/dialects/dandi.md#paths), this refuses what could climb out of a folder or not be
    checked out of a git repository on some system: `..`, backslashes, control characters, `.git` and its aliases.
    """
    if not isinstance(path, str):
        raise InvalidError("Path must be a string", field=field)
    if not path:
        raise InvalidError("Path must not be empty", field=field)
    if path.startswith("/"):
        raise InvalidError("Path must not begin with /", field=field)
    fault = _fault(path)
    if fault:
        raise InvalidError(f"Path improperly formatted: {fault}", field=field)
    return path


def _fault(path: str) -> str | None:
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if size > MAX_PATH_BYTES:
        return f"it is longer than {MAX_PATH_BYTES} bytes"
    if len(path) > MAX_PATH_CHARACTERS:
        return f"it is longer than {MAX_PATH_CHARACTERS} characters"
    if "\\" in path:
        return "it contains a backslash"
    if any(map(_is_control, path)):
        return "it contains a control character"
    if not unicodedata.is_normalized("NFC", path):
        return f"it is not in Unicode normalization form C; use {composed(path)!r}"
    return next(filter(None, map(_name_fault, path.split("/"))), None)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} and character not in JOINERS


def composed(path: str) -> str:
    """Return the path as it is stored, in normalization form C: macOS writes an accent as a character of its own."""
    return unicodedata.normalize("NFC", path)


def case_key(path: str) -> str:
    """Return a key that is equal for paths that differ in case alone, letter by letter, as Postgres has it too."""
    capitals = path.upper()
    if len(capitals) == len(path):
        return capitals
    return "".join(letter if len(letter.upper()) > 1 else letter.upper() for letter in path)


def _name_fault(name: str) -> str | None:
    if not name:
        return "it contains an empty name (// or a trailing /)"
    if not _fits_git(name):
        return f"{name!r} is not allowed as a name"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"a name in it is longer than {MAX_NAME_BYTES} bytes"
    return None


def fits_git(path: str) -> bool:
    """Return whether a file at `path` can be in a git repository that is checked out on any system."""
    return all(map(_fits_git, path.split("/")))


def _fits_git(name: str) -> bool:
    # macOS ignores characters that format text.
    plain = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return plain not in {"", ".", ".."} and not _GIT_ALIAS.fullmatch(plain)


def parent(path: str) -> str:
    """Return the folder that holds `path`; the root is the empty string."""
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    """Return the last name in `path`."""
    return path.rpartition("/")[2]


def ancestors(path: str) -> Iterator[str]:
    """Yield every folder above `path`, the nearest first, the root ("") last."""
    while path:
        path = parent(path)
        yield path


def printable(path: str | bytes) -> str:
    """Return a path as it can be shown on somebody's terminal, whatever is in it."""
    text = path.decode(errors="backslashreplace") if isinstance(path, bytes) else path
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: MAX_SHOWN + 1])
    return safe if len(text) <= MAX_SHOWN else f"{safe[:MAX_SHOWN]}..."
