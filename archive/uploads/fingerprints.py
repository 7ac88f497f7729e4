"""The names that clients make for an upload of the files in it (docs/dialects/openneuro.md#names-of-uploads). Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_FINGERPRINT = re.compile(r"[0-9a-f]{1,8}")


@dataclass(frozen=True)
class Naming:
    """The names by which a client names an upload: its own for the dataset, and for the folder of the files."""

    dataset: str
    folder: str = ""


def is_fingerprint(name: str) -> bool:
    """Return whether a name may be one that was made of files."""
    return _FINGERPRINT.fullmatch(name) is not None


def fingerprint(naming: Naming, files: Iterable[tuple[str, int]]) -> str:
    """Return the name of an upload of files with these paths and sizes."""
    folder = f"{naming.folder}/" if naming.folder else ""
    named = sorted((f"{folder}{path}:{size}" for path, size in files), key=_units)
    return f"{abs(_java_hash(naming.dataset + ':'.join(named))):x}"


def _units(text: str) -> bytes:
    """Return the UTF-16 code units of a text, by which JavaScript sorts."""
    return text.encode("utf-16-be", "surrogatepass")


def _java_hash(text: str) -> int:
    """Return the hash that Java has of a text: a signed number of 32 bits."""
    units = _units(text)
    found = 0
    for high, low in zip(units[::2], units[1::2], strict=True):
        found = (31 * found + (high << 8 | low)) & 0xFFFFFFFF
    return found - 2**32 if found >= 2**31 else found
