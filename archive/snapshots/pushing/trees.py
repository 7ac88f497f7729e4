"""The changes of a pushed commit to the tree of the draft: read from git, and judged entry by entry."""

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from archive.errors import InvalidError
from archive.git_annex.files import MAX_POINTER, key_of
from archive.git_annex.keys import AnnexKey
from archive.git_annex.objects import TreeItem, tree_items
from archive.paths import fits_git
from archive.snapshots.keeping.git import Git
from archive.snapshots.pushing.entries import Faults, checked_path, mode_fault

# The bytes of a tree object, about those of a folder with a million files.
MAX_TREE = 64 * 2**20


class GitFile(NamedTuple):
    """A file whose content is in git itself."""

    object_id: str
    size: int


class Entry(NamedTuple):
    """A file, or what stands for one, that is new or changed in the new tree."""

    path: str
    mode: str
    object_id: str


@dataclass
class TreeChanges:
    """The difference between two trees: the files that came or changed, and the paths that went."""

    contents: dict[str, AnnexKey | GitFile] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Limits:
    """The limits of a push: how many paths may change, and how large a file in git may be."""

    changed_paths: int
    file_size: int


# For trees that have been judged before.
NO_LIMITS = Limits(changed_paths=sys.maxsize, file_size=sys.maxsize)


Items = dict[bytes, TreeItem]


class _Folder(NamedTuple):
    """A folder that differs: its path, and its old and new tree, if there are any."""

    path: bytes
    old: str | None
    new: str | None


def changes_in(
    git: Git, old: str | None, new: str, *, zarr_paths: Collection[str], limits: Limits, faults: Faults
) -> TreeChanges:
    """Return what commit `new` changes of commit `old`, or of an empty tree; what must not be is put to `faults`.

    `zarr_paths` are the paths of the draft's Zarr archives, which are removed as a whole or not changed at all.
    Raises InvalidError when more is different than the limits allow.
    """
    walk = _Walk(git, zarr_paths, limits, faults)
    walk.compare(_Folder(b"", f"{old}^{{tree}}" if old else None, f"{new}^{{tree}}"))
    return TreeChanges(dict(_contents(git, walk.entries, limits, faults)), walk.removed)


def unsafe_paths_in_history(git: Git, old: str | None, new: str) -> Iterator[bytes]:
    """Yield the paths, in any commit of `new` that `old` has not, with a name that means something else on some system.

    Such a name is `..`, or one that is taken for git's own folder: no commit is to have it, whatever the newest has.
    """
    since = [f"^{old}"] if old else []
    listed = git.lines("rev-list", "--objects", "--filter=object:type=tree", "--filter-provided-objects", new, *since)
    folders = dict(line.partition(b" ")[::2] for line in listed)
    trees = git.contents((object_id.decode("ascii", errors="replace") for object_id in folders), max_size=MAX_TREE)
    for folder, (_, tree) in zip(folders.values(), trees, strict=True):
        for name in tree_items(tree):
            # On Windows a backslash is a slash.
            if not fits_git(name.decode(errors="replace").replace("\\", "/")):
                yield b"%b/%b" % (folder, name) if folder else name


class _Walk:
    """A comparison of two trees, level by level. What is the same in both is not looked into, however much it is."""

    def __init__(self, git: Git, zarr_paths: Collection[str], limits: Limits, faults: Faults) -> None:
        self.entries: list[Entry] = []
        self.removed: set[str] = set()
        self._git = git
        self._zarr_paths = {path.encode(): path for path in zarr_paths}
        self._limits = limits
        self._faults = faults
        self._count = 0

    def compare(self, root: _Folder) -> None:
        """Find out what differs in the folder, and below it."""
        level = [root]
        while level:
            level = [below for folder, was, now in self._read(level) for below in self._differences(folder, was, now)]

    def _read(self, level: list[_Folder]) -> Iterator[tuple[_Folder, Items, Items]]:
        names = (name for folder in level for name in (folder.old, folder.new) if name)
        trees = self._git.contents(names, max_size=MAX_TREE)
        for folder in level:
            was = tree_items(next(trees)[1]) if folder.old else {}
            now = tree_items(next(trees)[1]) if folder.new else {}
            yield folder, was, now

    def _differences(self, folder: _Folder, was: Items, now: Items) -> Iterator[_Folder]:
        """Record what differs in a folder; yield the folders in it that differ."""
        for name in sorted(was.keys() | now.keys()):
            before, after = was.get(name), now.get(name)
            if before == after:
                continue
            self._count_one()
            path = b"%b/%b" % (folder.path, name) if folder.path else name
            old_tree = before.object_id if before and before.is_folder else None
            new_tree = after.object_id if after and after.is_folder else None
            if old_tree and not new_tree and path in self._zarr_paths:
                self.removed.add(path.decode())
            elif old_tree or (new_tree and self._is_path(path)):
                yield _Folder(path, old_tree, new_tree)
            if after and not new_tree:
                self._come(path, after, replaces_folder=bool(old_tree))
            elif before and not old_tree:
                self._go(path)

    def _count_one(self) -> None:
        self._count += 1
        if self._count > self._limits.changed_paths:
            raise InvalidError(f"More than {self._limits.changed_paths} files are changed; push them in several steps.")

    def _is_path(self, path: bytes) -> bool:
        try:
            checked_path(path)
        except InvalidError as error:
            self._faults.add(path, error.message)
            return False
        return True

    def _come(self, path: bytes, item: TreeItem, *, replaces_folder: bool) -> None:
        if fault := mode_fault(item.mode) or self._zarr_fault(path, replaces_folder=replaces_folder):
            self._faults.add(path, fault)
        elif self._is_path(path):
            self.entries.append(Entry(path.decode(), *item))

    def _go(self, path: bytes) -> None:
        if fault := self._zarr_fault(path):
            self._faults.add(path, fault)
        else:
            # The paths of the draft are valid UTF-8, so a path that is not removes nothing.
            self.removed.add(path.decode(errors="replace"))

    def _zarr_fault(self, path: bytes, *, replaces_folder: bool = False) -> str | None:
        """Return what is wrong with a change at that path, if it is in a Zarr archive; None if nothing is."""
        if not self._zarr_paths:
            return None
        above = [path[:end] for end in range(len(path)) if path[end : end + 1] == b"/"]
        inside = above if replaces_folder else [*above, path]
        zarr = next((self._zarr_paths[folder] for folder in inside if folder in self._zarr_paths), None)
        return zarr and f"it is in the Zarr archive {zarr}, whose files are changed by the archive's API alone"


def _contents(
    git: Git, entries: list[Entry], limits: Limits, faults: Faults
) -> Iterator[tuple[str, AnnexKey | GitFile]]:
    """Yield each entry's path and what it stands for: a key, if it is a link or a pointer, or the file itself."""
    by_id: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_id[entry.object_id].append(entry)
    sizes = {info.name: info.size for info in git.infos(by_id)}
    for object_id, start in _starts(git, by_id, sizes):
        for entry in by_id[object_id]:
            try:
                yield entry.path, _content(entry, sizes[object_id], start, limits)
            except InvalidError as error:
                faults.add(entry.path, error.message)


def _starts(git: Git, ids: Iterable[str], sizes: dict[str, int]) -> Iterator[tuple[str, bytes]]:
    """Yield each object with its content, or with nothing if it is too long for a link or a pointer."""
    yield from git.contents(name for name in ids if sizes[name] <= MAX_POINTER)
    yield from ((name, b"") for name in ids if sizes[name] > MAX_POINTER)


def _content(entry: Entry, size: int, content: bytes, limits: Limits) -> AnnexKey | GitFile:
    if key := key_of(entry.path, entry.mode, content):
        return key
    if size > limits.file_size:
        raise InvalidError(
            f"it has {size} bytes, and git is for files of at most {limits.file_size};"
            " put it into the annex: `git rm --cached` and `git annex add --force-large` it"
        )
    return GitFile(entry.object_id, size)
