"""Trees laid out on this disk, for a program to look at: true names and sizes, and of content what it reads.

Each dataset has a folder, in which the tree that was laid out last stays, so that the next costs what has changed. Its
list says what the folder holds; it is away while that changes, and a folder without one is laid out anew.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import orjson
from django.conf import settings

from archive.bids_validation.tree import TreeFile
from archive.blobs.models import blob_key
from archive.errors import BusyError, InvalidError
from archive.storage.queries import read_start

# What the validator reads as text, whole; a text that is larger is not looked into by people either.
TEXT = re.compile(
    r"(^|/)(README|CHANGES|LICENSE|\.bidsignore)[^/]*$|\.(json|tsv|tsv\.gz|bval|bvec|txt|md|rst|cff|ya?ml)$"
)
MAX_TEXT = 16 * 2**20
MAX_TEXTS = 2 * 2**30
# More would take longer than the validator may, and the disk its inodes.
MAX_FILES = 200_000
# What it reads the beginning of: images and their headers.
IMAGE = re.compile(r"\.(nii|nii\.gz|tiff?|btf)$")
HEADER = 4096
FETCHERS = 8
BATCH = 200
# How many datasets stay laid out.
KEPT = 20
LIST = "list.json"


class Laid(NamedTuple):
    """A tree on this disk: the folder that has it, and how many files were written or removed to make it so."""

    folder: Path
    changed: int


@contextmanager
def laid_out(number: int, tree: Sequence[TreeFile], beat: Callable[[], None]) -> Iterator[Laid]:
    """Yield the tree laid out, in the folder of the dataset of that number, which nobody else changes meanwhile.

    Raises BusyError if somebody is at work in that folder, and InvalidError for trees that cannot be laid out.
    """
    if len(tree) > MAX_FILES:
        raise InvalidError(f"It has more than {MAX_FILES} files.")
    if sum(file.size for file in tree if is_laid_out_whole(file)) > MAX_TEXTS:
        raise InvalidError(f"Its text files come to more than {MAX_TEXTS // 2**30} GiB.")
    home = _root() / str(number)
    with _locked(home):
        try:
            changed = _bring_up(home, tree, beat)
        except OSError as error:
            raise InvalidError(f"Its files cannot be laid out: {error.strerror}.") from error
        _make_room()
        yield Laid(home / "tree", changed)


def is_laid_out_whole(file: TreeFile) -> bool:
    """Return whether a file is laid out with all its content."""
    return file.size <= MAX_TEXT and TEXT.search(file.path) is not None


def _root() -> Path:
    root = Path(settings.BIDS_VALIDATION_CACHE)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError("Another tree of the dataset is being validated.") from None
        yield


def _bring_up(home: Path, tree: Sequence[TreeFile], beat: Callable[[], None]) -> int:
    listed, folder = home / LIST, home / "tree"
    had = _had(listed)
    if not had:
        shutil.rmtree(home, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {file.path: [file.size, file.digest] for file in tree}
    gone = [path for path in had if wanted.get(path) != had[path]]
    new = [file for file in tree if had.get(file.path) != wanted[file.path]]
    listed.unlink(missing_ok=True)
    for path in gone:
        _remove(folder, path)
    _write_all(folder, new, beat)
    listed.write_bytes(orjson.dumps(wanted))
    return len({*gone, *(file.path for file in new)})


def _had(listed: Path) -> dict[str, list[int | str]]:
    """Return the files that the folder holds, by path: their sizes and digests; none if it is not known to hold any."""
    try:
        found: dict[str, list[int | str]] = orjson.loads(listed.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return found


def _remove(folder: Path, path: str) -> None:
    """Remove what was laid out of a file, and the folders that are empty without it."""
    place = folder / path
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    with suppress(OSError):
        for parent in place.relative_to(folder).parents[:-1]:
            (folder / parent).rmdir()


def _write_all(folder: Path, files: Sequence[TreeFile], beat: Callable[[], None]) -> None:
    with ThreadPoolExecutor(FETCHERS) as fetchers:
        for start in range(0, len(files), BATCH):
            some = files[start : start + BATCH]
            for file, content in zip(some, fetchers.map(_fetch, some), strict=True):
                _write(folder / file.path, file, content)
            beat()


def _fetch(file: TreeFile) -> bytes:
    """Return what is laid out of the content of a file."""
    if file.blob_id is None or not file.size:
        return b""
    if is_laid_out_whole(file):
        return read_start(blob_key(file.blob_id), file.size)
    return read_start(blob_key(file.blob_id), HEADER) if IMAGE.search(file.path) else b""


def _write(place: Path, file: TreeFile, content: bytes) -> None:
    """Write a file of its true size, sparse behind its content; a Zarr archive is a folder, of one file."""
    if file.blob_id is None:
        place /= "content"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    os.truncate(place, file.size)


def _make_room() -> None:
    """Remove the datasets that were laid out longest ago, if there are too many, and nobody is at work in them."""
    homes = sorted((home for home in _root().iterdir() if home.is_dir()), key=lambda home: home.stat().st_mtime)
    for home in homes[:-KEPT]:
        with suppress(BusyError), _locked(home):
            shutil.rmtree(home, ignore_errors=True)
