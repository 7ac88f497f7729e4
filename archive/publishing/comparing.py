"""The differences between two versions of a dataset, read from the rows that came or went between their points."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.core.cache import cache
from django.db import connection
from redis.exceptions import RedisError

from archive.accounts.policy import Actor
from archive.assets.models import Asset
from archive.datasets.models import Version
from archive.datasets.queries import find_version
from archive.differences import Difference, differences, size_in_words
from archive.metadata.documents import strip_version_metadata, without_people
from archive.publishing.changes import FileChange, FileOperation, FileSums
from archive.timeline.queries import position

COMPARISON_SECONDS = 24 * 3600
CHANGELOG_FILES = 10
CHANGELOG_CHARACTERS = 5000


@dataclass(frozen=True)
class Comparison:
    """Two versions of one dataset, as they are at two points of its timeline. What they differ in never changes."""

    before: Version
    after: Version
    start: int
    end: int
    is_blinded: bool

    @property
    def dataset_id(self) -> int:
        return self.before.dataset_id


def compare_versions(actor: Actor, number: int, before: str, after: str, *, hidden: bool = True) -> Comparison:
    """Return two versions of a dataset, by their names, to be compared; fails as `find_version` does."""
    versions = find_version(actor, number, before, hidden=hidden), find_version(actor, number, after, hidden=hidden)
    start, end = (position(number) if version.at is None else version.at for version in versions)
    return Comparison(*versions, start, end, versions[0].is_blinded)


def metadata_differences(comparison: Comparison) -> list[Difference]:
    """Return what the owners have changed in the dataset's own metadata."""
    return differences(_edited(comparison.before), _edited(comparison.after))


def _edited(version: Version) -> dict[str, Any]:
    return {"name": version.name, **strip_version_metadata(version.metadata)}


def sums_of_changes(comparison: Comparison) -> dict[FileOperation, FileSums]:
    """Return how many files were added, removed, changed and moved, with their sizes."""
    known = _remembered(comparison, "sums", lambda: _counted(comparison))
    return {operation: FileSums(*known.get(operation, ())) for operation in FileOperation}


def _counted(comparison: Comparison) -> dict[str, list[int]]:
    sums = "operation, count(*), COALESCE(sum(size_before), 0)::bigint, COALESCE(sum(size_after), 0)::bigint"
    rows = _select(comparison, f"SELECT {sums} FROM entries GROUP BY operation")  # noqa: S608 - constants only
    return {operation: sums for operation, *sums in rows}


T = TypeVar("T")


def _remembered(comparison: Comparison, what: str, compute: Callable[[], T]) -> T:
    """Return what `compute` returns for two points: computed once, and then taken from the cache while it is there.

    What a blinded reviewer is told is known apart from what others are.
    """
    sight = "blinded" if comparison.is_blinded else "all"
    name = f"comparison:{comparison.dataset_id}:{comparison.start}:{comparison.end}:{sight}:{what}"
    with suppress(RedisError):
        if (known := cache.get(name)) is not None:
            return cast("T", known)
    found = compute()
    with suppress(RedisError):
        cache.set(name, found, COMPARISON_SECONDS)
    return found


def page_of_changes(
    comparison: Comparison, *, limit: int, after: str = "", operations: Collection[FileOperation] = tuple(FileOperation)
) -> list[FileChange]:
    """Return at most `limit` changes to files, in the order of their paths, from behind the path `after`."""
    rows = _select(
        comparison,
        "SELECT * FROM entries WHERE operation = ANY(%(wanted)s) ORDER BY path LIMIT %(limit)s",
        after=after,
        wanted=[str(operation) for operation in operations],
        limit=limit,
    )
    assets = Asset.objects.only("asset_id", "metadata").in_bulk([pk for row in rows for pk in row[3:5] if pk])
    if comparison.is_blinded:
        for asset in assets.values():
            asset.metadata = without_people(asset.metadata)
    return [_file_change(row, assets) for row in rows]


def _file_change(row: tuple[Any, ...], assets: Mapping[int, Asset]) -> FileChange:
    path, operation, path_before, gone, come, size_before, size_after, has_other_bytes = row
    before, after = assets.get(gone), assets.get(come)
    return FileChange(
        path=path,
        operation=FileOperation(operation),
        path_before=path_before,
        asset_before=before.asset_id if before else None,
        asset_after=after.asset_id if after else None,
        size_before=size_before,
        size_after=size_after,
        has_other_bytes=has_other_bytes,
        metadata=differences(before.metadata, after.metadata) if before and after else [],
    )


def _select(comparison: Comparison, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
    low, high = sorted((comparison.start, comparison.end))
    points: dict[str, Any] = {"dataset": comparison.dataset_id, "low": low, "high": high, "after": ""}
    with connection.cursor() as cursor:
        cursor.execute(f"{_entries_sql(comparison)} {sql}", {**points, **parameters})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _entries_sql(comparison: Comparison) -> str:
    """Return the `WITH` clause of all changes to files, which reads only rows that came or went between the points.

    Of files with the same bytes, the first by path that went is taken for the first that came, and so on. Rows are
    paired by grouping, because joins of what has no statistics may be planned to take the square of the time; and put
    in order before metadata are compared, so that a page compares no more of them than it shows.
    """
    earlier = "introduced <= %(low)s AND retired > %(low)s AND retired <= %(high)s"
    later = "introduced > %(low)s AND introduced <= %(high)s AND (retired IS NULL OR retired > %(high)s)"
    gone, come = (earlier, later) if comparison.start <= comparison.end else (later, earlier)
    columns = "SELECT id, path, size, COALESCE(blob_id, zarr_revision_id, zarr_id) AS content"
    return f"""
        WITH sides AS (
            {columns}, true AS is_gone FROM archive_asset WHERE dataset_id = %(dataset)s AND {gone}
             UNION ALL
            {columns}, false FROM archive_asset WHERE dataset_id = %(dataset)s AND {come}
        ), paths AS MATERIALIZED (
            SELECT path, max(id) FILTER (WHERE is_gone) AS gone, max(id) FILTER (WHERE NOT is_gone) AS come,
                   max(size) FILTER (WHERE is_gone) AS size_before, max(size) FILTER (WHERE NOT is_gone) AS size_after,
                   (array_agg(content))[1] AS content, (array_agg(content))[1] <> (array_agg(content))[2] AS is_other
              FROM sides GROUP BY path
        ), lone AS (
            SELECT *, row_number() OVER (PARTITION BY content, gone IS NULL ORDER BY path) AS turn
              FROM paths WHERE gone IS NULL OR come IS NULL
        ), pairs AS (
            SELECT max(path) FILTER (WHERE gone IS NOT NULL) AS path_before,
                   max(path) FILTER (WHERE come IS NOT NULL) AS path_after,
                   max(gone) AS gone, max(come) AS come, max(size_before) AS size_before, max(size_after) AS size_after
              FROM lone GROUP BY content, turn
        ), candidates AS (
            SELECT path, 'changed' AS operation, path AS path_before, gone, come, size_before, size_after, is_other
              FROM paths WHERE gone IS NOT NULL AND come IS NOT NULL
             UNION ALL
            SELECT COALESCE(path_after, path_before),
                   CASE WHEN gone IS NULL THEN 'added' WHEN come IS NULL THEN 'removed' ELSE 'moved' END,
                   path_before, gone, come, size_before, size_after, gone IS NULL OR come IS NULL
              FROM pairs
        ), entries AS (
            SELECT * FROM (SELECT * FROM candidates WHERE path > %(after)s ORDER BY path OFFSET 0) AS ordered
             WHERE is_other OR operation <> 'changed'
                OR (SELECT metadata FROM archive_asset WHERE id = gone)
                <> (SELECT metadata FROM archive_asset WHERE id = come)
        )
    """  # noqa: S608 - built of constants only


def drafted_changelog(comparison: Comparison) -> str:
    """Return the differences as plain text, as a draft of release notes; empty if there are none."""
    return _remembered(comparison, "changelog", lambda: _changelog(comparison))


def _changelog(comparison: Comparison) -> str:
    numbered = "SELECT *, row_number() OVER (PARTITION BY operation ORDER BY path) AS place FROM entries"
    first = f"SELECT operation, path, path_before FROM ({numbered}) AS n WHERE place <= {CHANGELOG_FILES} ORDER BY path"  # noqa: S608 - constants
    lines: dict[str, list[str]] = defaultdict(list)
    for operation, path, path_before in _select(comparison, first):
        lines[operation].append(f"- {path_before} -> {path}" if operation == FileOperation.MOVED else f"- {path}")
    sums = sums_of_changes(comparison)
    paragraphs = [_paragraph(each, sums[each], lines[each]) for each in FileOperation if sums[each].count]
    if metadata := metadata_differences(comparison):
        fields = dict.fromkeys(f"- {each.operation} {each.path[0]}" for each in metadata)
        paragraphs.append("\n".join(["Metadata of the dataset:", *fields]))
    return "\n\n".join(paragraphs)[:CHANGELOG_CHARACTERS]


def _paragraph(operation: FileOperation, sums: FileSums, first: list[str]) -> str:
    files = "1 file" if sums.count == 1 else f"{sums.count:,} files"
    lines = [f"{operation.capitalize()} {files} ({size_in_words(sums.size_after or sums.size_before)}):", *first]
    if sums.count > len(first):
        lines.append(f"- and {sums.count - len(first):,} more")
    return "\n".join(lines)
