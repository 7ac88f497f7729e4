"""The folders of a draft and the sums over them, kept up to date as a part of each change of assets."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archive import paths
from archive.assets.models import Folder
from archive.statements import find_rows
from archive.timeline.models import Change

BATCH_SIZE = 2000

LIVE_FOLDERS = """
    SELECT id, path, file_count, size, child_count,
           EXISTS (SELECT FROM archive_version version
                    WHERE version.dataset_id = folder.dataset_id AND version.at >= folder.introduced)
      FROM archive_folder folder
     WHERE dataset_id = %(dataset)s AND retired IS NULL
"""
IN_PLACE = """
    UPDATE archive_folder f
       SET file_count = n.file_count, size = n.size, child_count = n.child_count
      FROM unnest(%(ids)s::bigint[], %(file_counts)s::bigint[], %(sizes)s::bigint[], %(child_counts)s::bigint[])
        AS n(id, file_count, size, child_count)
     WHERE f.id = n.id
    RETURNING f.id
"""


@dataclass
class Sums:
    """The sums that a folder shows: the files below it, their bytes, and how many entries it lists."""

    files: int = 0
    size: int = 0
    children: int = 0


def update_folders(change: Change, moves: Sequence[tuple[str, int, int]]) -> None:
    """Add what came and went (path, +1 or -1 file, bytes) to every folder above it."""
    delta = deltas_of(moves)
    ordered = deepest_first(delta)
    rows = {row.path: row for part in _batches(ordered) for row in live_folders(change.dataset_id, part)}
    kept: list[Folder] = []
    for path in ordered:
        row = rows.get(path)
        sums = Sums(row.file_count, row.size, row.child_count) if row else Sums()
        sums.files += delta[path].files
        sums.size += delta[path].size
        sums.children += delta[path].children
        # The deepest come first, so a folder that appears or disappears is counted before its own folder is.
        if path and bool(sums.files) != bool(row):
            delta[paths.parent(path)].children += 1 if sums.files else -1
        if sums.files and (row is None or sums != Sums(row.file_count, row.size, row.child_count)):
            kept.append(new_folder(change, path, sums))
        elif sums.files:
            rows.pop(path)
    replace_folders(change, list(rows.values()), kept)


class LiveFolder(NamedTuple):
    """A folder of a draft, with its sums; it `is_pinned` if some version shows its row."""

    pk: int
    path: str
    file_count: int
    size: int
    child_count: int
    is_pinned: bool


def live_folders(dataset_id: int, folder_paths: Sequence[str] | None = None) -> list[LiveFolder]:
    """Return the draft's folders at these paths, or all of them."""
    if folder_paths is None:
        return [LiveFolder(*row) for row in find_rows(LIVE_FOLDERS, {"dataset": dataset_id})]
    at_paths = f"{LIVE_FOLDERS} AND path = ANY(%(paths)s)"
    return [LiveFolder(*row) for row in find_rows(at_paths, {"dataset": dataset_id, "paths": [*folder_paths]})]


def deepest_first(folders: Iterable[str]) -> list[str]:
    """Return the folders in an order in which each comes before the one that it is in."""
    return sorted(folders, key=lambda path: path.count("/") + bool(path), reverse=True)


def _batches(items: Sequence[str]) -> Iterable[Sequence[str]]:
    return (items[start : start + BATCH_SIZE] for start in range(0, len(items), BATCH_SIZE))


def deltas_of(moves: Iterable[tuple[str, int, int]]) -> dict[str, Sums]:
    """Return what moves (path, files, bytes) add to each folder above them; of `children`, only the files."""
    delta: dict[str, Sums] = defaultdict(Sums)
    for path, files, size in moves:
        delta[paths.parent(path)].children += files
        for folder in paths.ancestors(path):
            delta[folder].files += files
            delta[folder].size += size
    return delta


def new_folder(change: Change, path: str, sums: Sums) -> Folder:
    """Return the row of a folder as it is from `change` on."""
    return Folder(
        dataset_id=change.dataset_id,
        path=path,
        folder=paths.parent(path) if path else None,
        file_count=sums.files,
        size=sums.size,
        child_count=sums.children,
        introduced=change.number,
    )


def replace_folders(change: Change, old: Sequence[LiveFolder], new: Sequence[Folder]) -> None:
    """Write `new` in the place of `old`, keeping an old row only if it is pinned by a version."""
    if pinned := [row.pk for row in old if row.is_pinned]:
        Folder.objects.filter(pk__in=pinned).update(retired=change.number)
    unseen = {row.path: row for row in old if not row.is_pinned}
    appeared = [row for row in new if row.path not in unseen]
    changed = [row for row in new if row.path in unseen]
    for row in changed:
        row.pk = unseen.pop(row.path).pk
    if unseen:
        Folder.objects.filter(pk__in=[row.pk for row in unseen.values()]).delete()
    _update_in_place(changed)
    if appeared:
        Folder.objects.bulk_create(appeared, batch_size=BATCH_SIZE)


def _update_in_place(rows: Sequence[Folder]) -> None:
    if rows:
        columns = zip(*((row.pk, row.file_count, row.size, row.child_count) for row in rows), strict=True)
        find_rows(IN_PLACE, dict(zip(("ids", "file_counts", "sizes", "child_counts"), map(list, columns), strict=True)))
