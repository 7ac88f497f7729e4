"""Where manifests lie; what keeps a draft from being published; which embargoes end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.models import Exists, F, Func, OuterRef, QuerySet
from django.utils import timezone

from archive.accounts.policy import Actor, is_blinded
from archive.assets.models import Asset
from archive.assets.queries import live_assets
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_version
from archive.errors import ConflictError, InvalidError, LockedError
from archive.publishing.models import EmbargoNotice
from archive.storage.queries import public_url

PROBLEM_ASSETS = 50
EMBARGO_LIMIT = 1000
# Nothing is released by the clock before its owners have known for so long that it will be.
EMBARGO_GRACE = timedelta(days=1)


def manifest_key(version: Version, name: str) -> str:
    """The key of one manifest file of a version (contract 2.8)."""
    return f"dandisets/{version.dataset_id:06}/{version.version}/{name}"


def manifest_url(version: Version, name: str) -> str:
    """Where that file is read."""
    return public_url(manifest_key(version, name))


def has_unsettled_assets(dataset: Dataset, status: Asset.Status) -> bool:
    """Whether an asset of the draft is pending, or is invalid."""
    return live_assets(dataset).filter(status=status).exists()


@dataclass(frozen=True)
class VersionDetails:
    """A version, how many uploads are under way for it, and what is wrong with its assets."""

    version: Version
    active_uploads: int
    asset_problems: list[dict[str, str]]


def require_publishable(draft: Version) -> None:
    """Raise unless the draft, its dataset with it, can be published as it is now.

    LockedError while it is being published, ConflictError while it is not validated yet, InvalidError when it is not
    valid, is not open, or has not changed since the last version.
    """
    status, dataset = Version.Status, draft.dataset
    if dataset.access != Dataset.Access.OPEN:
        raise InvalidError("Operation only allowed on OPEN dandisets")
    if dataset.versions.filter(status=status.PUBLISHING).exists():
        raise LockedError("Dandiset is currently being published")
    if draft.status == status.PUBLISHED:
        raise InvalidError("There have been no changes to the draft version since the last publish.")
    if draft.status == status.PENDING or has_unsettled_assets(dataset, Asset.Status.PENDING):
        raise ConflictError("Metadata validation is pending for this dandiset, please try again later.")
    if draft.status == status.VALIDATING:
        raise ConflictError("Dandiset is currently being validated")
    if draft.status != status.VALID or has_unsettled_assets(dataset, Asset.Status.INVALID):
        raise InvalidError("Dandiset metadata or asset metadata is not valid")


def find_version_details(actor: Actor, number: int, version: str) -> VersionDetails:
    """One version and all about it; fails as `find_version` does. Two queries, as long as nothing is wrong."""
    found = find_version(actor, number, version)
    if not found.is_draft:
        return VersionDetails(found, 0, [])
    # Plain SQL, because this is asked again and again by clients that wait: to compose it would cost more than to run.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM archive_upload WHERE dataset_id = %(number)s),
                   EXISTS (SELECT FROM archive_asset
                            WHERE dataset_id = %(number)s AND retired IS NULL AND status <> 'Valid')
            """,
            {"number": number},
        )
        uploads, is_unsettled = cursor.fetchone()
    return VersionDetails(found, uploads, asset_problems(actor, found) if is_unsettled else [])


def asset_problems(actor: Actor, version: Version) -> list[dict[str, str]]:
    """What is wrong, or not yet known to be right, with the assets of a draft; nothing is with a published version's.

    Of at most PROBLEM_ASSETS assets each: those pending, and those invalid that have the most errors (contract 2.6).
    A blinded reviewer is told nothing, since complaints repeat what they are about.
    """
    if not version.is_draft or is_blinded(actor, version.dataset):
        return []
    live = Asset.objects.filter(dataset_id=version.dataset_id, retired__isnull=True)
    pending = live.filter(status=Asset.Status.PENDING).order_by("id").values_list("path", flat=True)[:PROBLEM_ASSETS]
    invalid = (
        live.filter(status=Asset.Status.INVALID)
        .order_by(Func(F("problems"), function="jsonb_array_length").desc(), "id")
        .values_list("path", "problems")[:PROBLEM_ASSETS]
    )
    waiting = "asset is currently being validated, please wait."
    return [
        *({"field": "", "message": waiting, "path": path} for path in pending),
        *({**problem, "path": path} for path, problems in invalid for problem in problems),
    ]


def embargo_notices_due(notice_days: Sequence[int]) -> Iterator[tuple[Dataset, int]]:
    """Embargoed datasets with the notice, by its days before the end, that their owners should have had and have not.

    At most EMBARGO_LIMIT for each of the `notice_days`. Of several that are due, only the one nearest to the end is.
    """
    today = datetime.now(UTC).date()
    after = date.min
    for days in sorted(notice_days):
        until = today + timedelta(days=days)
        sent = EmbargoNotice.objects.filter(dataset=OuterRef("pk"), end=OuterRef("embargo_end"), days=days)
        ending = _embargoed().filter(~Exists(sent), embargo_end__gt=after, embargo_end__lte=until)
        yield from ((dataset, days) for dataset in ending.order_by("embargo_end", "pk")[:EMBARGO_LIMIT])
        after = until


def embargoes_over() -> list[int]:
    """The numbers of at most EMBARGO_LIMIT datasets whose embargo is over, as their owners have known for a while."""
    told = EmbargoNotice.objects.filter(
        dataset=OuterRef("pk"), end=OuterRef("embargo_end"), sent__lte=timezone.now() - EMBARGO_GRACE
    )
    over = _embargoed().filter(Exists(told), embargo_end__lt=datetime.now(UTC).date())
    return list(over.order_by("embargo_end", "pk").values_list("pk", flat=True)[:EMBARGO_LIMIT])


def _embargoed() -> QuerySet[Dataset]:
    return Dataset.objects.filter(access=Dataset.Access.EMBARGOED)
