"""Arithmetic of digests: dandi-etag and its parts, the checksum of a Zarr archive. Pure.

How an upload is divided into parts, docs/dialects/dandi.md#dandi-etag says; what the checksum of a Zarr archive is,
docs/dialects/dandi.md#zarr-checksum; what git-annex calls content, docs/dialects/git.md#keys.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii as json_string
from typing import BinaryIO, NamedTuple

from archive.errors import InvalidError

MIB = 2**20
PART_SIZE = 64 * MIB
MAX_PARTS = 10_000
MAX_OBJECT_SIZE = 5 * 2**40

ETAG_PATTERN = re.compile(r"[0-9a-f]{32}-[0-9]{1,5}")

_READ_SIZE = 4 * MIB


class Part(NamedTuple):
    """A part of an upload: its number from 1, and its size in bytes."""

    number: int
    size: int


def parts_of(size: int) -> list[Part]:
    """Return the parts in which an object of `size` bytes is uploaded: none, if it is empty."""
    part_size = PART_SIZE
    if -(-size // part_size) >= MAX_PARTS:
        part_size = -(-size // MAX_PARTS)
    count = -(-size // part_size)
    return [Part(number, min(part_size, size - (number - 1) * part_size)) for number in range(1, count + 1)]


def etag_of_parts(part_md5s: Iterable[str]) -> str:
    """Return the dandi-etag of an object from the hexadecimal MD5s of its parts, in order."""
    digests = [bytes.fromhex(md5) for md5 in part_md5s]
    return f"{hashlib.md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"


def etag_of_file(file: BinaryIO, size: int) -> str:
    """Return the dandi-etag of the next `size` bytes of `file`."""
    return etag_of_parts(_md5_of_next(file, part.size) for part in parts_of(size))


# The dandi-etag of no bytes.
EMPTY_ETAG = etag_of_parts([])


def _md5_of_next(file: BinaryIO, size: int) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in _read(file, size):
        digest.update(chunk)
    return digest.hexdigest()


def _read(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (chunk := file.read(min(size, _READ_SIZE))):
        size -= len(chunk)
        yield chunk


# --- Zarr -------------------------------------------------------------------------------------------------------------


class ZarrSums(NamedTuple):
    """The parts of the checksum of a Zarr archive, or of a folder in one."""

    md5: str
    file_count: int
    size: int

    def __str__(self) -> str:
        return f"{self.md5}-{self.file_count}--{self.size}"


class ZarrLeaf(NamedTuple):
    """A file in a Zarr archive."""

    path: str
    md5: str
    size: int


@dataclass
class _ZarrFolder:
    """A folder that is being read: the JSON of what is directly in it, by name."""

    name: str
    files: dict[str, str] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    file_count: int = 0
    size: int = 0

    def add_file(self, name: str, leaf: ZarrLeaf) -> None:
        self.files[name] = f'{{"digest":"{leaf.md5}","name":{json_string(name)},"size":{leaf.size}}}'
        self.file_count += 1
        self.size += leaf.size

    def add_folder(self, name: str, sums: ZarrSums) -> None:
        self.folders[name] = f'{{"digest":"{sums}","name":{json_string(name)},"size":{sums.size}}}'
        self.file_count += sums.file_count
        self.size += sums.size

    def sums(self) -> ZarrSums:
        if both := self.files.keys() & self.folders.keys():
            raise InvalidError(f"{min(both)!r} is both a file and a folder in {self.name!r}.")
        text = f'{{"directories":[{_by_name(self.folders)}],"files":[{_by_name(self.files)}]}}'
        return ZarrSums(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), self.file_count, self.size)


def _by_name(items: dict[str, str]) -> str:
    return ",".join(items[name] for name in sorted(items))


def zarr_sums(leaves: Iterable[ZarrLeaf]) -> ZarrSums:
    """Return the sums over the files of a Zarr archive, which are given in byte order of their paths.

    Holds no more than one branch of folders at a time. Raises InvalidError when a path is both file and folder.
    """
    branch = [_ZarrFolder("")]
    for leaf in leaves:
        *folders, name = leaf.path.split("/")
        depth = _common([folder.name for folder in branch[1:]], folders)
        _close(branch, depth)
        branch += [_ZarrFolder(folder) for folder in folders[depth:]]
        branch[-1].add_file(name, leaf)
    _close(branch, 0)
    return branch[0].sums()


def _common(some: list[str], others: list[str]) -> int:
    pairs = enumerate(zip(some, others, strict=False))
    return next((depth for depth, (one, other) in pairs if one != other), min(len(some), len(others)))


def _close(branch: list[_ZarrFolder], depth: int) -> None:
    """Sum up the folders of the branch that lie deeper than `depth`."""
    while len(branch) > depth + 1:
        folder = branch.pop()
        branch[-1].add_folder(folder.name, folder.sums())
