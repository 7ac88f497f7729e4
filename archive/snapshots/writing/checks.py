"""Checking a repository from the store up: its bundles, its objects, and its trees against the rows they stand for."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from heapq import merge
from pathlib import Path
from typing import NamedTuple

from git import Repo

from archive.errors import InvalidError
from archive.git_annex.files import MAX_POINTER, key_of, link_target
from archive.git_annex.keys import AnnexKey
from archive.git_annex.objects import object_id
from archive.git_annex.refs import MAIN, tag_of
from archive.snapshots.keeping.bundles import DamagedError
from archive.snapshots.keeping.cache import fill, scratch
from archive.snapshots.keeping.git import ENVIRONMENT, Beat, Git, GitError, new_repository
from archive.snapshots.models import Commit, Repository
from archive.snapshots.queries import references
from archive.snapshots.writing.delta import Delta, Placed, Point


class Entry(NamedTuple):
    """A file in a tree."""

    path: str
    mode: str
    sha: str


def find_fault(repository: Repository, beat: Beat) -> str:
    """Return what is wrong with a repository as the store has it; "" if nothing is."""
    with scratch() as space:
        folder = new_repository(space / "repository.git")
        try:
            fill(folder, list(repository.bundles.order_by("pk")), beat)
            Git(folder).run("fsck", "--strict", "--no-dangling", "--no-progress", beat=beat)
        except (DamagedError, GitError) as error:
            return str(error)
        return next(_differences(repository, folder, beat), "")


def _differences(repository: Repository, folder: Path, beat: Beat) -> Iterator[str]:
    """Yield what the trees of the draft and of the versions have, or lack, against the rows."""
    newest = repository.commits.order_by("pk").last()
    points = {MAIN: Point(repository.at, frozenset(newest.left_out if newest else []))}
    shown = repository.dataset.versions.filter(at__isnull=False)
    points |= {tag_of(version.tag): Point(version.at or 0) for version in shown}
    for name, sha in references(repository).items():
        if name in points:
            yield from (f"{name}: {fault}" for fault in _tree_faults(repository, folder, sha, points[name], beat))


def fault_of_commit(repository: Repository, folder: Path, commit: Commit) -> str:
    """Return what a commit's tree has, or lacks, against the rows that are kept of that time; "" if nothing."""
    point = Point(commit.at, frozenset(commit.left_out))
    return next(_tree_faults(repository, folder, commit.sha, point, lambda: None), "")


def _tree_faults(repository: Repository, folder: Path, sha: str, point: Point, beat: Beat) -> Iterator[str]:
    with closing(_reading(folder)) as opened:
        there, own = _entries(folder, sha), repository.own_files
        expected = _expected(repository, point, beat)
        for entry, placed in _aligned(there, expected):
            beat()
            if entry is None and placed:
                yield f"{placed.path} is missing."
            elif placed is None and entry and entry.path not in own:
                yield f"{entry.path} should not be there."
            elif entry and placed and not _is_right(opened, entry, placed):
                yield f"{entry.path} is not what it should be."


def _entries(folder: Path, sha: str) -> Iterator[Entry]:
    for line in Git(folder).lines("ls-tree", "-r", "-z", sha, separator=b"\0"):
        meta, _, path = line.decode().partition("\t")
        mode, _, blob = meta.split()
        yield Entry(path, mode, blob)


def _expected(repository: Repository, point: Point, beat: Beat) -> Iterator[Placed]:
    """Yield what should be in a tree, in the order in which git lists it: that of the bytes of whole paths."""
    rules = repository.rules

    def placed(*, is_zarr: bool) -> Iterator[Placed]:
        delta = Delta(repository.dataset_id, rules, None, point, is_public=False, beat=beat, is_zarr=is_zarr)
        return (step for step in delta.steps() if isinstance(step, Placed))

    return merge(placed(is_zarr=False), placed(is_zarr=True), key=lambda each: each.path.encode())


def _aligned(there: Iterator[Entry], expected: Iterator[Placed]) -> Iterator[tuple[Entry | None, Placed | None]]:
    """Yield entries of the same path side by side, and the others alone; both come in order."""
    entry, placed = next(there, None), next(expected, None)
    while entry or placed:
        if placed is None or (entry and entry.path.encode() < placed.path.encode()):
            yield entry, None
            entry = next(there, None)
        elif entry is None or placed.path.encode() < entry.path.encode():
            yield None, placed
            placed = next(expected, None)
        else:
            yield entry, placed
            entry, placed = next(there, None), next(expected, None)


def _reading(folder: Path) -> Repo:
    """Return the repository in `folder`, to read single objects of; to be closed, since a git child stays with it."""
    repository = Repo(folder)
    repository.git.update_environment(**ENVIRONMENT)
    return repository


def _is_right(repository: Repo, entry: Entry, placed: Placed) -> bool:
    if entry.sha == object_id("blob", link_target(placed.path, placed.key).encode()):
        return True
    stream = repository.odb.stream(bytes.fromhex(entry.sha))
    start = stream.read(MAX_POINTER)
    key = _key_of(entry, start) if stream.size <= MAX_POINTER else None
    if key and _is_same_content(key, placed.key):
        return True
    digest = hashlib.sha256(start)
    while chunk := stream.read(2**20):
        digest.update(chunk)
    return digest.hexdigest() == placed.key.digest


def _key_of(entry: Entry, content: bytes) -> AnnexKey | None:
    try:
        return key_of(entry.path, entry.mode, content)
    except InvalidError:
        return None


def _is_same_content(key: AnnexKey, other: AnnexKey) -> bool:
    """Return whether two keys may be of one content; of different hashes, their sizes alone can tell."""
    return key.size == other.size and (key.hash_name != other.hash_name or key.digest == other.digest)
