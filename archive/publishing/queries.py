"""Manifests, and the state of drafts; the differences between versions, which `comparing` finds."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from django.db import connection
from django.db.models import Count, F, Func, Sum
from django.db.models.functions import Coalesce

from archive.accounts.policy import Actor
from archive.assets.models import Asset
from archive.assets.queries import assets_not_valid, assets_of, contributions
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_version, has_star, require_not_releasing
from archive.errors import ArchiveError, ConflictError, InvalidError, LockedError, Reason
from archive.metadata.summary import Contributed, assets_summary
from archive.publishing.comparing import (
    Comparison,
    compare_versions,
    drafted_changelog,
    metadata_differences,
    page_of_changes,
    sums_of_changes,
)
from archive.storage.queries import public_url

# What is passed on of another module of this room.
__all__ = [
    "Comparison",
    "compare_versions",
    "drafted_changelog",
    "metadata_differences",
    "page_of_changes",
    "sums_of_changes",
]

PROBLEM_ASSETS = 50


MANIFESTS = ("dandiset.yaml", "dandiset.jsonld", "assets.yaml", "assets.jsonld", "collection.jsonld")


def manifest_key(version: Version, name: str) -> str:
    """Return the key of one manifest file of a version (docs/dialects/dandi.md#manifests)."""
    return f"dandisets/{version.dataset_id:06}/{version.version}/{name}"


def manifest_url(version: Version, name: str) -> str:
    """Return the address of one manifest file of a version."""
    return public_url(manifest_key(version, name))


def has_unsettled_assets(dataset: Dataset, status: Asset.Status) -> bool:
    """Return whether an asset of the draft has the status, which is pending or invalid."""
    return assets_not_valid(dataset.number).filter(status=status).values_list("pk").first() is not None


def draft_summary(draft: Version) -> dict[str, Any]:
    """Return the assetsSummary of a draft: that of its valid assets, as many as there are now."""
    files, size = _sums_of_unsettled(draft.dataset_id)
    sums = {"number_of_files": draft.file_count - files, "number_of_bytes": draft.size - size}
    return assets_summary(contributions(draft.dataset_id), **sums)


def _sums_of_unsettled(number: int) -> tuple[int, int]:
    """Return how many assets of a draft are not known to be valid, and their bytes."""
    unsettled = assets_not_valid(number)
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
            SELECT (SELECT count(*) FROM archive_upload WHERE dataset_id = %(number)s)
                   + (SELECT count(*) FROM archive_reception WHERE dataset_id = %(number)s),
                   -- In the order of `assets_not_valid`, for its reason: an EXISTS has none.
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
    pending = assets_not_valid(version.dataset_id).filter(status=Asset.Status.PENDING)
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
        assets_not_valid(draft.dataset_id)
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
