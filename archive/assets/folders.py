"""The folders of a draft and the sums over them, kept up to date as a part of each change of assets."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from archive import paths
from archive.assets.models import Folder
from archive.timeline.models import Change

BATCH_SIZE = 2000


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


def live_folders(dataset_id: int, folder_paths: Sequence[str] | None = None) -> Iterable[Any]:
    """Return the draft's folders at these paths, or all of them, each with `is_pinned`.

    A folder is pinned if some version shows its row.
    """
    return Folder.objects.raw(
        """
        SELECT folder.*, EXISTS (
                   SELECT FROM archive_version version
                    WHERE version.dataset_id = folder.dataset_id AND version.at >= folder.introduced) AS is_pinned
          FROM archive_folder folder
         WHERE dataset_id = %(dataset)s AND retired IS NULL AND (%(paths)s::text[] IS NULL OR path = ANY(%(paths)s))
        """,
        {"dataset": dataset_id, "paths": None if folder_paths is None else [*folder_paths]},
    )


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


def replace_folders(change: Change, old: Sequence[Any], new: Sequence[Folder]) -> None:
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
    Folder.objects.bulk_create(appeared, batch_size=BATCH_SIZE)


def _update_in_place(rows: Sequence[Folder]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE archive_folder f
               SET file_count = n.file_count, size = n.size, child_count = n.child_count
              FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
                AS n(id, file_count, size, child_count)
             WHERE f.id = n.id
            """,
            [
                [row.pk for row in rows],
                [row.file_count for row in rows],
                [row.size for row in rows],
                [row.child_count for row in rows],
            ],
        )
