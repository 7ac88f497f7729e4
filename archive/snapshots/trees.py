"""What a pushed commit would change in the tree of the draft: read from git, and judged entry by entry."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from archive import paths
from archive.digests import AnnexKey
from archive.errors import InvalidError
from archive.snapshots.entries import (
    LINK,
    MAX_POINTER,
    Faults,
    checked_path,
    is_pointer,
    linked_key,
    look_alikes,
    mode_fault,
    pointer_key,
)
from archive.snapshots.git import EMPTY_TREE, Git


class GitFile(NamedTuple):
    """A file whose content is in git itself."""

    object_id: str
    size: int


class Entry(NamedTuple):
    """An entry of the new tree that is new or changed."""

    path: str
    mode: str
    object_id: str


@dataclass
class TreeChanges:
    """What is different in the new tree: the files that came or changed, and the paths that went."""

    contents: dict[str, AnnexKey | GitFile] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Limits:
    """How much a push may change, and how large a file may be that is kept in git."""

    changed_paths: int
    file_size: int


class _RawChange(NamedTuple):
    status: str
    mode: str
    object_id: str
    path: bytes


def changes_in(
    git: Git, old: str | None, new: str, *, zarr_paths: Collection[str], limits: Limits, faults: Faults
) -> TreeChanges:
    """What is different from commit `old`, or from an empty tree, in commit `new`; what must not be is put to `faults`.

    `zarr_paths` are the paths of the draft's Zarr archives, which are removed as a whole or not changed at all.
    Raises InvalidError when more is different than the limits allow.
    """
    gone = _folders_gone(git, old, new, zarr_paths) if old else set()
    changes = TreeChanges(removed=gone)
    entries: list[Entry] = []
    added: list[str] = []
    for raw in _within(limits, _raw_changes(git, old or EMPTY_TREE, new), gone):
        if raw.status == "D":
            # What is in the draft has a sound path, or could not be removed by it.
            changes.removed.add(raw.path.decode(errors="replace"))
            continue
        try:
            entries.append(Entry(checked_path(raw.path), raw.mode, raw.object_id))
        except InvalidError as error:
            faults.add(raw.path, error.message)
            continue
        if raw.status == "A":
            added.append(entries[-1].path)
    _refuse_zarr_changes([*(entry.path for entry in entries), *changes.removed - gone], set(zarr_paths) - gone, faults)
    _refuse_look_alikes(git, new, added, faults)
    changes.contents = dict(_contents(git, _of_sound_mode(entries, faults), limits, faults))
    return changes


def _raw_changes(git: Git, old: str, new: str) -> Iterator[_RawChange]:
    pieces = git.lines("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new, end=b"\0")
    for told in pieces:
        _, mode, _, object_id, status = told.decode("ascii").split(" ")
        yield _RawChange(status, mode, object_id, next(pieces))


def _within(limits: Limits, changes: Iterable[_RawChange], gone: set[str]) -> Iterator[_RawChange]:
    """The changes that the folders that are gone do not tell already. Raises InvalidError if there are too many."""
    count = 0
    for change in changes:
        if gone and change.status == "D" and not gone.isdisjoint(paths.ancestors(change.path.decode(errors="replace"))):
            continue
        count += 1
        if count > limits.changed_paths:
            raise InvalidError(f"More than {limits.changed_paths} files are changed; push them in several steps.")
        yield change


def _folders_gone(git: Git, old: str, new: str, folders: Collection[str]) -> set[str]:
    """Which of the folders were there and are folders no more."""
    ordered = [folder for folder in folders if "\n" not in folder]
    before = git.infos(f"{old}:{folder}" for folder in ordered)
    after = git.infos(f"{new}:{folder}" for folder in ordered)
    told = zip(ordered, before, after, strict=True)
    return {folder for folder, was, is_now in told if was.kind == "tree" and is_now.kind != "tree"}


def _refuse_zarr_changes(changed: Iterable[str], zarr_paths: Collection[str], faults: Faults) -> None:
    if not zarr_paths:
        return
    for path in changed:
        zarr = next((folder for folder in (path, *paths.ancestors(path)) if folder in zarr_paths), None)
        if zarr is not None:
            faults.add(path, f"it is in the Zarr archive {zarr}, whose files are changed by the archive's API alone")


def _refuse_look_alikes(git: Git, commit: str, added: Collection[str], faults: Faults) -> None:
    """Put to the faults what was added beside something that some systems cannot tell from it."""
    # Every folder that may have got a new name in it.
    new = {*added, *(folder for path in added for folder in paths.ancestors(path))}
    folders = sorted(new - set(added))
    trees = git.contents(f"{commit}:{folder}" if folder else f"{commit}^{{tree}}" for folder in folders)
    for folder, (_, tree) in zip(folders, trees, strict=True):
        for group in look_alikes(_names_in(tree)):
            here = [f"{folder}/{name}" if folder else name for name in group]
            for path in here:
                if path in new:
                    others = ", ".join(repr(other) for other in here if other != path)
                    faults.add(path, f"some systems cannot tell it from {others}")


def _names_in(tree: bytes) -> Iterator[str]:
    """The names in a tree object, as far as they are text."""
    position = 0
    while position < len(tree):
        end = tree.index(b"\0", position)
        yield tree[position:end].partition(b" ")[2].decode(errors="replace")
        position = end + 21


def _of_sound_mode(entries: Iterable[Entry], faults: Faults) -> list[Entry]:
    sound = []
    for entry in entries:
        if fault := mode_fault(entry.mode):
            faults.add(entry.path, fault)
        else:
            sound.append(entry)
    return sound


def _contents(
    git: Git, entries: list[Entry], limits: Limits, faults: Faults
) -> Iterator[tuple[str, AnnexKey | GitFile]]:
    """What each entry stands for: a key, if it is a link or a pointer, or the file itself."""
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
    """Each object with its content; but of what is too long for a link or a pointer, nothing is read."""
    yield from git.contents(name for name in ids if sizes[name] <= MAX_POINTER)
    yield from ((name, b"") for name in ids if sizes[name] > MAX_POINTER)


def _content(entry: Entry, size: int, content: bytes, limits: Limits) -> AnnexKey | GitFile:
    if entry.mode == LINK:
        return linked_key(entry.path, content)
    if is_pointer(content):
        return pointer_key(content)
    if size == 0:
        raise InvalidError("it is empty, and the archive keeps no empty files; leave it out, or write into it")
    if size > limits.file_size:
        raise InvalidError(
            f"it has {size} bytes, and git is for files of at most {limits.file_size};"
            " put it into the annex: `git rm --cached` and `git annex add --force-large` it"
        )
    return GitFile(entry.object_id, size)
