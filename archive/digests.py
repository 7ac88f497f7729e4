"""Arithmetic of digests: dandi-etag and its parts. Pure.

The rule of parts is DANDI's (contract 2.4): 64 MiB each, more only when that would need over 10,000 of them.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

MIB = 2**20
PART_SIZE = 64 * MIB
MAX_PARTS = 10_000
MAX_OBJECT_SIZE = 5 * 2**40

ETAG_PATTERN = re.compile(r"[0-9a-f]{32}-[0-9]{1,5}")
SHA256_PATTERN = re.compile(r"[0-9a-f]{64}")

_READ_SIZE = 4 * MIB


class Part(NamedTuple):
    """One part of an upload: its number from 1, and its size in bytes."""

    number: int
    size: int


def parts_of(size: int) -> list[Part]:
    """The parts in which an object of `size` bytes (at least 1) is uploaded."""
    part_size = PART_SIZE
    if -(-size // part_size) >= MAX_PARTS:
        part_size = -(-size // MAX_PARTS)
    count = -(-size // part_size)
    return [Part(number, min(part_size, size - (number - 1) * part_size)) for number in range(1, count + 1)]


def etag_of_parts(part_md5s: Iterable[str]) -> str:
    """The dandi-etag of an object from the hexadecimal MD5s of its parts, in order."""
    digests = [bytes.fromhex(md5) for md5 in part_md5s]
    return f"{hashlib.md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"


def etag_of_file(file: BinaryIO, size: int) -> str:
    """The dandi-etag of the `size` bytes that `file` yields from where it stands."""
    return etag_of_parts(_md5_of_next(file, part.size) for part in parts_of(size))


def _md5_of_next(file: BinaryIO, size: int) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in _read(file, size):
        digest.update(chunk)
    return digest.hexdigest()


def _read(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (chunk := file.read(min(size, _READ_SIZE))):
        size -= len(chunk)
        yield chunk
