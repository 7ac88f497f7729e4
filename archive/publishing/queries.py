"""Manifests, the state of drafts, and the differences between versions."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, F, Func, Sum
from django.db.models.functions import Coalesce
from redis.exceptions import RedisError

from archive.accounts.policy import Actor
from archive.assets.models import Asset
from archive.assets.queries import assets_of, contributions, unsettled_assets
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_version, has_star, require_not_releasing
from archive.differences import Difference, differences, size_in_words
from archive.errors import ArchiveError, ConflictError, InvalidError, LockedError, Reason
from archive.metadata.documents import strip_version_metadata, without_people
from archive.metadata.summary import Contributed, assets_summary
from archive.storage.queries import public_url
from archive.timeline.queries import position

PROBLEM_ASSETS = 50
COMPARISON_SECONDS = 24 * 3600
CHANGELOG_FILES = 10
CHANGELOG_CHARACTERS = 5000


MANIFESTS = ("dandiset.yaml", "dandiset.jsonld", "assets.yaml", "assets.jsonld", "collection.jsonld")


def manifest_key(version: Version, name: str) -> str:
    """Return the key of one manifest file of a version (docs/dialects/dandi.md#manifests)."""
    return f"dandisets/{version.dataset_id:06}/{version.version}/{name}"


def manifest_url(version: Version, name: str) -> str:
    """Return the address of one manifest file of a version."""
    return public_url(manifest_key(version, name))


def has_unsettled_assets(dataset: Dataset, status: Asset.Status) -> bool:
    """Return whether an asset of the draft has the status, which is pending or invalid."""
    return unsettled_assets(dataset.number).filter(status=status).values_list("pk").first() is not None


def draft_summary(draft: Version) -> dict[str, Any]:
    """Return the assetsSummary of a draft: that of its valid assets, as many as there are now."""
    files, size = _sums_of_unsettled(draft.dataset_id)
    sums = {"number_of_files": draft.file_count - files, "number_of_bytes": draft.size - size}
    return assets_summary(contributions(draft.dataset_id), **sums)


def _sums_of_unsettled(number: int) -> tuple[int, int]:
    """Return how many assets of a draft are not known to be valid, and their bytes."""
    unsettled = unsettled_assets(number)
    # By their index: Postgres takes what has just become valid for pending, and would read the table to sum up none.
    if not list(unsettled.values_list("pk")[:1]):
        return 0, 0
    sums = unsettled.aggregate(files=Count("pk"), bytes=Coalesce(Sum("size"), 0))
    return sums["files"], sums["bytes"]


def version_summary(version: Version) -> dict[str, Any]:
    """Return the assetsSummary of a version, of whose files some were still to be validated when it was asked for."""
    valid = assets_of(version).filter(status=Asset.Status.VALID)
    sums = valid.aggregate(files=Count("pk"), bytes=Coalesce(Sum("size"), 0))
    values: dict[str, dict[bytes, Any]] = {}
    for contribution in valid.order_by().values_list("contribution", flat=True).distinct():
        for part, contents in (contribution or {}).items():
            values.setdefault(part, {}).update((orjson.dumps(each), each) for each in contents)
    parts = {part: Contributed(len(found), list(found.values())) for part, found in values.items()}
    return assets_summary(parts, number_of_files=sums["files"], number_of_bytes=sums["bytes"])


@dataclass(frozen=True)
class VersionDetails:
    """A version, whether the asker has starred it, how many uploads are under way, what is wrong with its assets."""

    version: Version
    is_starred: bool
    active_uploads: int
    asset_problems: list[dict[str, str]]


class DraftState(StrEnum):
    """The state of a draft, its metadata and its files taken together."""

    PUBLISHING = "publishing"
    UNCHANGED = "unchanged"
    WAITING = "waiting"
    VALIDATING = "validating"
    INVALID = "invalid"
    VALID = "valid"


# The error that publishing a draft of each state raises.
_OBSTACLES: dict[DraftState, tuple[type[ArchiveError], Reason, str]] = {
    DraftState.PUBLISHING: (
        LockedError,
        Reason.BEING_PUBLISHED,
        "The draft is being published just now. That ends by itself.",
    ),
    DraftState.UNCHANGED: (
        InvalidError,
        Reason.UNCHANGED,
        "There have been no changes to the draft since its last version was published.",
    ),
    DraftState.WAITING: (
        ConflictError,
        Reason.NOT_VALIDATED,
        "The draft or some of its files are still to be checked. That happens by itself: come back in a moment.",
    ),
    DraftState.VALIDATING: (
        ConflictError,
        Reason.BEING_VALIDATED,
        "The draft is being checked just now. Come back in a moment.",
    ),
    DraftState.INVALID: (
        InvalidError,
        Reason.NOT_VALID,
        "The draft or some of its files have problems. They are listed on the draft's page, to be solved first.",
    ),
}


def draft_state(draft: Version) -> DraftState:
    """Return the state of a draft, which comes with its dataset, on which all that is said of its validity is based."""
    status, dataset = Version.Status, draft.dataset
    if dataset.versions.filter(status=status.PUBLISHING).exists():
        return DraftState.PUBLISHING
    if draft.status == status.PUBLISHED:
        return DraftState.UNCHANGED
    if draft.status == status.PENDING or has_unsettled_assets(dataset, Asset.Status.PENDING):
        return DraftState.WAITING
    if draft.status == status.VALIDATING:
        return DraftState.VALIDATING
    if draft.status != status.VALID or has_unsettled_assets(dataset, Asset.Status.INVALID):
        return DraftState.INVALID
    return DraftState.VALID


def obstacle_to_publishing(draft: Version, state: DraftState) -> ArchiveError | None:
    """Return the reason why a draft of that state, its dataset with it, cannot be published; None if it can."""
    if draft.dataset.access != Dataset.Access.OPEN:
        message = "The dataset is not open. It can be published once it has been released to everybody."
        return InvalidError(message, reason=Reason.NOT_RELEASED)
    if state not in _OBSTACLES:
        return None
    kind, reason, message = _OBSTACLES[state]
    return kind(message, reason=reason)


def require_publishable(draft: Version) -> None:
    """Raise unless the draft, its dataset with it, can be published as it is now.

    LockedError while it is being published, ConflictError while it is not validated yet, InvalidError when it is not
    valid, is not open, or has not changed since the last version.
    """
    if obstacle := obstacle_to_publishing(draft, draft_state(draft)):
        raise obstacle


def require_idle(draft: Version) -> None:
    """Raise LockedError while a version of the draft is being made, and InvalidError while its dataset is released."""
    require_not_releasing(draft.dataset)
    if draft.dataset.versions.filter(status=Version.Status.PUBLISHING).exists():
        kind, reason, message = _OBSTACLES[DraftState.PUBLISHING]
        raise kind(message, reason=reason)


def find_version_details(actor: Actor, number: int, version: str, *, hidden: bool = True) -> VersionDetails:
    """Return a version and all about it; fails as `find_version` does. Two queries, as long as nothing is wrong."""
    found = find_version(actor, number, version, hidden=hidden)
    if not found.is_draft:
        return VersionDetails(found, has_star(actor, found.dataset), 0, [])
    # Plain SQL, since waiting clients poll this: composing the query would take longer than running it.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM archive_upload WHERE dataset_id = %(number)s),
                   -- In the order of `unsettled_assets`, for its reason: an EXISTS has none.
                   (SELECT id FROM archive_asset
                     WHERE dataset_id = %(number)s AND retired IS NULL AND status <> 'Valid'
                     ORDER BY status, modified, id LIMIT 1),
                   EXISTS (SELECT FROM archive_star WHERE dataset_id = %(number)s AND user_id = %(user)s)
            """,
            {"number": number, "user": actor.user_id},
        )
        uploads, unsettled, is_starred = cursor.fetchone()
    return VersionDetails(found, is_starred, uploads, asset_problems(found) if unsettled else [])


def asset_problems(version: Version) -> list[dict[str, str]]:
    """Return the problems of a draft's assets, with those still to be validated; none of a published version.

    Of at most PROBLEM_ASSETS assets each: those pending, and those invalid that have the most errors
    (docs/dialects/dandi.md#validation). Nothing for a blinded reviewer: messages repeat the values they are about.
    """
    if not version.is_draft or version.is_blinded:
        return []
    pending = unsettled_assets(version.dataset_id).filter(status=Asset.Status.PENDING)
    waiting = "asset is currently being validated, please wait."
    return [
        *(
            {"field": "", "message": waiting, "path": path}
            for path in pending.values_list("path", flat=True)[:PROBLEM_ASSETS]
        ),
        *_problems_of_invalid_assets(version),
    ]


def _problems_of_invalid_assets(draft: Version) -> list[dict[str, str]]:
    invalid = (
        unsettled_assets(draft.dataset_id)
        .filter(status=Asset.Status.INVALID)
        .order_by(Func(F("problems"), function="jsonb_array_length").desc(), "id")
        .values_list("path", "problems")[:PROBLEM_ASSETS]
    )
    return [{**problem, "path": path} for path, problems in invalid for problem in problems]


def problems_of_draft(draft: Version) -> list[dict[str, str]]:
    """Return the known problems of a draft and its files, whatever is still to be validated.

    Problems of metadata that have changed since are left out; files are as many as in `asset_problems`.
    """
    own = draft.problems if draft.status == Version.Status.INVALID else []
    return [*own, *([] if draft.is_blinded else _problems_of_invalid_assets(draft))]


# --- Differences of versions ------------------------------------------------------------------------------------------


class FileOperation(StrEnum):
    """The kind of change to a file from one version to another. Moved: the same bytes, under another path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


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


@dataclass(frozen=True)
class FileSums:
    """The number of files that have changed in one way, and their bytes before and after; 0 where there were none."""

    count: int = 0
    size_before: int = 0
    size_after: int = 0


@dataclass(frozen=True)
class FileChange:
    """A change to one file. `path` is where the file is now or, if it was removed, was."""

    path: str
    operation: FileOperation
    path_before: str | None
    asset_before: UUID | None
    asset_after: UUID | None
    size_before: int | None
    size_after: int | None
    has_other_bytes: bool
    metadata: list[Difference]


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
