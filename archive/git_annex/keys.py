"""The keys by which git-annex names content (docs/dialects/git.md#keys)."""

import hashlib
import re
from typing import NamedTuple

from archive.errors import InvalidError
from archive.paths import name_of

MAX_EXTENSION = 4
MAX_EXTENSIONS = 2

_KEY = re.compile(
    r"(?P<backend>SHA256E|SHA256|MD5E|MD5)-s(?P<size>0|[1-9][0-9]{0,18})--(?P<digest>[0-9a-f]+)(?P<extension>[.\w-]*)"
)
_DIGEST_LENGTHS = {"SHA256": 64, "MD5": 32}
_EXTENSION = re.compile(r"(\.[\w-]{1,32}){0,4}")
# The alphabet of git-annex, which seldom makes real words.
_LETTERS = "0123456789zqjxkmvwgpfZQJXKMVWGPF"


class AnnexKey(NamedTuple):
    """The name that git-annex gives to content: of `size` bytes with that SHA-256 or MD5, in hexadecimal.

    `extension` is the end of some file's name, with its dots, or empty; keys that differ in it alone have one content.
    """

    hash_name: str
    size: int
    digest: str
    extension: str = ""
    # Whether the backend is one that keeps extensions, whose name ends in an E.
    keeps_extension: bool = True

    def __str__(self) -> str:
        backend = f"{self.hash_name}E" if self.keeps_extension else self.hash_name
        return f"{backend}-s{self.size}--{self.digest}{self.extension}"

    @property
    def lower_folders(self) -> str:
        """Return the folders of the key's logs on the branch `git-annex`, as `abc/def`."""
        return lower_folders(str(self))

    @property
    def mixed_folders(self) -> str:
        """Return the folders of the key's content below `.git/annex/objects`, as `xX/yY`."""
        digest = hashlib.md5(str(self).encode(), usedforsecurity=False).digest()
        word = int.from_bytes(digest[:4], "little")
        letters = [_LETTERS[word >> (6 * position) & 31] for position in range(4)]
        return f"{letters[1]}{letters[0]}/{letters[3]}{letters[2]}"


def lower_folders(name: str) -> str:
    """Return the folders that git-annex derives from the name of a key, as `abc/def`.

    See docs/dialects/git.md#hash-folders.
    """
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:3]}/{digest[3:6]}"


def annex_key(*, path: str, size: int, sha256: str = "", md5: str = "") -> AnnexKey:
    """Return the key that git-annex gives to the file at `path`: SHA256E when its SHA-256 is given, or else MD5E."""
    hash_name, digest = ("SHA256", sha256) if sha256 else ("MD5", md5)
    return AnnexKey(hash_name, size, digest, annex_extension(path))


def annex_extension(path: str) -> str:
    """Return the end of the file's name that git-annex keeps in a key: the last short extensions, at most two."""
    _, *extensions = name_of(path).removeprefix(".").split(".")
    kept: list[str] = []
    for extension in reversed(extensions):
        if len(extension.encode()) > MAX_EXTENSION:
            break
        if extension.isalnum():
            kept.append(extension)
    return "".join(f".{extension}" for extension in reversed(kept[:MAX_EXTENSIONS]))


def parse_annex_key(text: str) -> AnnexKey:
    """Return the key that is written so.

    Raises InvalidError for any other than one of the backends SHA256, SHA256E, MD5 and MD5E, with a size.
    """
    match = _KEY.fullmatch(text)
    if match is None:
        raise InvalidError(f"{text[:200]!r} is not a key of the backends SHA256E, SHA256, MD5E or MD5 with a size.")
    hash_name, keeps_extension = match["backend"].removesuffix("E"), match["backend"].endswith("E")
    digest, extension = match["digest"], match["extension"]
    # The letters of an extension may be hexadecimal too, but it begins with a dot.
    is_sound = len(digest) == _DIGEST_LENGTHS[hash_name] and _EXTENSION.fullmatch(extension)
    if not is_sound or (extension and not keeps_extension):
        raise InvalidError(f"{text[:200]!r} is not a sound {match['backend']} key.")
    return AnnexKey(hash_name, int(match["size"]), digest, extension, keeps_extension)
