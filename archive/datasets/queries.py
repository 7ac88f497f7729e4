"""Finding datasets and versions that the actor may read.

A version is *completed* once it is no longer being made, *closed* if its owner keeps it from those who may read its
dataset, and *citable* if it is not closed and is what DANDI publishes.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple, cast
from uuid import UUID

import orjson
from django.core.cache import cache
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value, Window
from redis.exceptions import RedisError

from archive.accounts.models import User
from archive.accounts.policy import (
    ANONYMOUS,
    RELEASED,
    Action,
    Actor,
    blinded_dataset,
    edited,
    is_blinded,
    may,
    owned,
    require,
    visible,
    visible_versions,
)
from archive.datasets.models import Dataset, Star, Version
from archive.errors import InvalidError, NotFoundError, Reason
from archive.identifiers.names import VersionReference, dataset_number_in, version_reference
from archive.metadata.documents import strip_version_metadata, without_people
from archive.statements import Prepared
from archive.timeline.models import Change, Job
from archive.timeline.queries import ProjectionStatus, projection_statuses

EDITION_DIGITS = 20

TOTALS = "archive-totals"
TOTALS_SECONDS = 60


def find_dataset(actor: Actor, number: int, *, hidden: bool = True) -> Dataset:
    """Return the dataset, if the actor may read it; otherwise raise NotFoundError, whether there is one or not.

    With `hidden=False` a dataset that is not open raises UnauthenticatedError or ForbiddenError instead, for faces
    whose clients sign in when they are told so.
    """
    dataset = _dataset_by_number.first(number=number)
    if dataset is None:
        raise NotFoundError
    require(actor, Action.READ, dataset, hidden=hidden)
    return dataset


@Prepared
def _dataset_by_number(number: Any) -> QuerySet[Dataset]:
    return Dataset.objects.filter(number=number)


def find_named_dataset(actor: Actor, name: str) -> Dataset:
    """Return the dataset that has a name: `000123`, `ds000123` or a project name; fails as `find_dataset` does."""
    number = dataset_number_in(name)
    if number is None:
        number = Dataset.objects.filter(project_name=name).values_list("number", flat=True).first()
    if number is None:
        raise NotFoundError
    return find_dataset(actor, number)


def visible_datasets(actor: Actor) -> QuerySet[Dataset]:
    """Return the datasets that the actor may read."""
    return Dataset.objects.filter(visible(actor))


def owned_datasets(actor: Actor) -> QuerySet[Dataset]:
    """Return the datasets of which the actor is named an owner."""
    return Dataset.objects.filter(owned(actor))


class VersionOrder(StrEnum):
    """In which order versions are listed. By publication, the draft comes first: it is newer than all."""

    OLDEST_FIRST = "oldest first"
    NEWEST_FIRST = "newest first"
    BY_PUBLICATION = "by publication"


_VERSION_ORDERS = {
    VersionOrder.OLDEST_FIRST: ("created", "pk"),
    VersionOrder.NEWEST_FIRST: ("-created", "-pk"),
    VersionOrder.BY_PUBLICATION: ("-at",),
}


def page_of_versions(
    actor: Actor,
    dataset: Dataset,
    *,
    limit: int,
    offset: int = 0,
    order: VersionOrder = VersionOrder.OLDEST_FIRST,
) -> list[Version]:
    """Return the draft and the published versions of a dataset, as the actor may see them, without their metadata.

    Each knows whether the actor has starred its dataset (`is_starred`).
    """
    rows = _versions_of(actor, dataset).order_by(*_VERSION_ORDERS[order]).defer("metadata", "problems")
    own = Star.objects.filter(user=actor.user, dataset=dataset)
    fields = {"is_starred": Exists(own) if actor.user else Value(value=False)}
    rows = rows.annotate(**fields)
    versions = list(rows[offset : offset + limit])
    for version in versions:
        version.dataset = dataset
    return blinded_for(actor, dataset, versions)


def count_versions(actor: Actor, dataset: Dataset) -> int:
    """Return how many versions there are of a dataset, the draft among them."""
    return _versions_of(actor, dataset).count()


def _versions_of(actor: Actor, dataset: Dataset) -> QuerySet[Version]:
    require(actor, Action.READ, dataset, hidden=True)
    return completed_versions().filter(visible_versions(actor), dataset=dataset)


def completed_versions() -> QuerySet[Version]:
    """Return all versions, drafts among them, but for those that are still being made."""
    return Version.objects.exclude(at__isnull=False, status=Version.Status.PUBLISHING)


def unclosed_versions() -> QuerySet[Version]:
    """Return the versions that are not closed, drafts among them: every reader of their datasets may read them."""
    return completed_versions().filter(is_closed=False)


def valid_open_versions() -> QuerySet[Version]:
    """Return the versions that are what DANDI publishes, whatever the rules they were held to, and not closed."""
    return Version.objects.filter(at__isnull=False, status=Version.Status.VALID, is_closed=False)


def find_version(actor: Actor, number: int, version: str, *, hidden: bool = True) -> Version:
    """Return a version, with its dataset, by the dataset's number and any of its names, as the actor may see it.

    Fails as `find_dataset` does; NotFoundError if the dataset has no such version.
    """
    found = _named_version(number, version_reference(version))
    if found is None or not found.is_shown:
        find_dataset(actor, number, hidden=hidden)
        raise NotFoundError
    require(actor, Action.READ, found.dataset, hidden=hidden)
    if found.is_closed:
        require(actor, Action.READ_CLOSED, found.dataset, hidden=True)
    return blinded_for(actor, found.dataset, [found])[0]


def _named_version(number: int, reference: VersionReference) -> Version | None:
    if reference.name:
        return _version_by_name.first(number=number, name=reference.name)
    versions = Version.objects.select_related("dataset").filter(dataset_id=number)
    if reference.ordinal is None:
        return next(iter(versions.filter(label=reference.label)), None)
    either = versions.filter(Q(label=reference.label) | Q(ordinal=reference.ordinal))
    return next(iter(sorted(either, key=lambda version: version.label != reference.label)), None)


@Prepared
def _version_by_name(number: Any, name: Any) -> QuerySet[Version]:
    return Version.objects.select_related("dataset").filter(dataset_id=number, version=name)


def blinded_for(actor: Actor, dataset: Dataset, versions: list[Version]) -> list[Version]:
    """Return these versions, not to be saved: changed to tell nothing of their people, if the actor is blinded.

    What is wrong with the metadata is left out too, since complaints repeat what they are about.
    """
    if is_blinded(actor, dataset):
        for version in versions:
            version.is_blinded = True
            version.metadata = {} if "metadata" in version.get_deferred_fields() else without_people(version.metadata)
            version.problems = []
            version.contact_person = ""
    return versions


def require_not_releasing(dataset: Dataset) -> None:
    """Raise InvalidError while the dataset is being released: no change is taken (docs/dialects/dandi.md#embargo)."""
    if dataset.access == Dataset.Access.RELEASING:
        raise InvalidError(
            "Nothing of the dataset can be changed while it is being released.",
            reason=Reason.RELEASE_UNDER_WAY,
        )


def edition_of(version: Version) -> str:
    """Return a digest of what the owners wrote into the version, which only changes when they write something else.

    What the archive computes, and changes by itself, is not part of it.
    """
    written = {"name": version.name, "metadata": strip_version_metadata(version.metadata)}
    return sha256(orjson.dumps(written, option=orjson.OPT_SORT_KEYS)).hexdigest()[:EDITION_DIGITS]


def find_draft(dataset_id: int) -> Version | None:
    """Return the draft, its dataset with it; None if the dataset has been deleted."""
    return Version.objects.select_related("dataset").filter(dataset_id=dataset_id, version=Version.DRAFT).first()


def versions_for_doi(*, again: bool = False) -> QuerySet[Version]:
    """Return the citable versions whose DOI is to be registered, or `again` all, oldest first, without metadata."""
    published = valid_open_versions().filter(doi__isnull=False).defer("metadata", "problems")
    if not again:
        published = published.exclude(doi_state=Version.DoiState.REGISTERED)
    return published.order_by("created", "pk")


def withdrawals_of_versions(dataset: Dataset) -> QuerySet[Change]:
    """Return the changes that withdrew versions of a dataset; their details have the names that each had."""
    return Change.objects.filter(dataset_id=dataset.number, kind=Change.Kind.DELETE_VERSION)


@dataclass(frozen=True)
class Publication:
    """The publication of a version: its point, and what its assets say of it."""

    at: int
    published_by: dict[str, Any]


def publications(dataset_id: int) -> list[Publication]:
    """Return the publications of a dataset, oldest first: the versions that are what DANDI publishes."""
    return [Publication(row.at, row.published_by) for row in _published_versions_of.all(number=dataset_id)]


@Prepared
def _published_versions_of(number: Any) -> QuerySet[Any]:
    rows = valid_open_versions().filter(dataset_id=number).order_by("at").only("at")
    return rows.annotate(published_by=F("metadata__publishedBy"))


def has_star(actor: Actor, dataset: Dataset) -> bool:
    """Return whether the actor has starred the dataset."""
    return actor.user is not None and Star.objects.filter(user=actor.user, dataset=dataset).exists()


@dataclass(frozen=True)
class DatasetFilter:
    """A filter of datasets, and the order of the list (docs/dialects/dandi.md#lists-of-datasets)."""

    with_unpublished: bool = True
    with_empty: bool = True
    embargoed: bool = False
    mine: bool = False
    starred: bool = False
    ordering: str = ""


ORDERINGS = {
    "id": "number",
    "name": "versions__name",
    "modified": "versions__modified",
    "size": "versions__size",
    "stars": "star_count",
}
NEWEST_ORDERINGS = {"name", "modified", "size"}


def filtered_datasets(actor: Actor, wanted: DatasetFilter) -> QuerySet[Dataset]:
    """Return the datasets that the actor may read and the filter asks for, in its order."""
    datasets = _readable(actor, wanted)
    if wanted.starred:
        datasets = datasets.filter(stars__user=actor.user) if actor.user else datasets.none()
    if not wanted.with_unpublished:
        datasets = datasets.filter(Exists(valid_open_versions().filter(dataset=OuterRef("pk"))))
    name = wanted.ordering.removeprefix("-")
    if not wanted.with_empty or name in NEWEST_ORDERINGS:
        # In one call of `filter`, so that all conditions are about the same version.
        files = {} if wanted.with_empty else {"versions__file_count__gt": 0}
        datasets = datasets.filter(versions__in=_newest_versions(), **files)
    return datasets.order_by(_order(wanted, name), "number")


def _readable(actor: Actor, wanted: DatasetFilter) -> QuerySet[Dataset]:
    """Return the datasets that the actor may read, as far as they are asked for by owner and embargo."""
    if wanted.embargoed:
        return owned_datasets(actor) if wanted.mine else visible_datasets(actor)
    return (owned_datasets(actor) if wanted.mine else Dataset.objects).filter(access__in=RELEASED)


def _order(wanted: DatasetFilter, name: str) -> str:
    if name not in ORDERINGS:
        return "-stars__created" if wanted.starred else "created"
    return ("-" if wanted.ordering.startswith("-") else "") + ORDERINGS[name]


def _newest_versions() -> QuerySet[Version]:
    """Return the newest version of each dataset: found for all at once, which is cheaper than one by one."""
    newer = Q(created__gt=OuterRef("created")) | Q(created=OuterRef("created"), pk__gt=OuterRef("pk"))
    return unclosed_versions().filter(~Exists(unclosed_versions().filter(newer, dataset=OuterRef("dataset"))))


@dataclass(frozen=True)
class Found:
    """A page of the datasets that are found, and how many there are in all."""

    datasets: Sequence[Dataset]
    count: int


def page_of(found: QuerySet[Dataset], offset: int, limit: int) -> Found:
    """Return a page of datasets and their number, found in one query."""
    rows = list(found.annotate(found_count=Window(Count("pk")))[offset : offset + limit])
    if rows:
        return Found(rows, rows[0].found_count)
    return Found([], found.order_by().count() if offset else 0)


# Drafts, and those of `valid_open_versions`. In SQL, since every list needs it, and Django takes longer to compose it
# than Postgres to run it.
LATEST_VERSIONS = """
SELECT latest.*,
       EXISTS (SELECT FROM archive_star s WHERE s.dataset_id = latest.dataset_id AND s.user_id = %(user)s) AS is_starred
  FROM (
        SELECT DISTINCT ON (dataset_id, at IS NULL)
               id, dataset_id, version, label, at, name, contact_person, status, doi, doi_state, doi_reason,
               release_notes, file_count, size, created, modified
          FROM archive_version
         WHERE dataset_id = ANY(%(datasets)s) AND (at IS NULL OR status = %(valid)s AND NOT is_closed)
         ORDER BY dataset_id, at IS NULL, at DESC
       ) AS latest
"""


class Latest(NamedTuple):
    """The draft of a dataset, its newest published version, if there is one, and whether the asker has starred it."""

    draft: Version
    published: Version | None
    is_starred: bool


def latest_versions(actor: Actor, datasets: Sequence[Dataset]) -> dict[int, Latest]:
    """Return the draft and the newest published version of each dataset that the actor may read, by its number.

    They are as the actor may see them, and without their metadata.
    """
    by_number = {dataset.number: dataset for dataset in readable_among(actor, datasets)}
    found: dict[int, dict[bool, Version]] = defaultdict(dict)
    wanted = {"datasets": list(by_number), "valid": Version.Status.VALID, "user": actor.user_id}
    for version in Version.objects.raw(LATEST_VERSIONS, wanted):
        version.dataset = dataset = by_number[version.dataset_id]
        found[version.dataset_id][version.is_draft] = blinded_for(actor, dataset, [version])[0]
    return {number: Latest(pair[True], pair.get(False), pair[True].is_starred) for number, pair in found.items()}


def latest_of(actor: Actor, dataset: Dataset) -> Latest:
    """Return the same of one dataset; NotFoundError if the actor may not read it, or no longer."""
    latest = latest_versions(actor, [dataset]).get(dataset.number)
    if latest is None:
        raise NotFoundError
    return latest


def readable_among(actor: Actor, datasets: Sequence[Dataset]) -> list[Dataset]:
    """Return those of the datasets that the actor may read; asks Postgres only of those that not everybody may."""
    closed = [dataset.pk for dataset in datasets if not may(ANONYMOUS, Action.READ, dataset)]
    readable = set(visible_datasets(actor).filter(pk__in=closed).values_list("pk", flat=True)) if closed else set()
    return [dataset for dataset in datasets if dataset.pk in readable or dataset.pk not in closed]


def versions_seen_by(actor: Actor, versions: Collection[Version]) -> dict[int, Version]:
    """Return those versions whose datasets the actor may read, by their primary keys, as `blinded_for` has them."""
    readable = readable_among(actor, [version.dataset for version in versions])
    of_dataset = {each: [version for version in versions if version.dataset_id == each.pk] for each in readable}
    return {version.pk: version for each in readable for version in blinded_for(actor, each, of_dataset[each])}


class Totals(NamedTuple):
    """The numbers of datasets, published datasets, users and bytes that everybody may see."""

    datasets: int
    published: int
    users: int
    size: int


def archive_totals() -> Totals:
    """Return the totals of the archive; they are counted once a minute at most."""
    with suppress(RedisError):
        if known := cache.get(TOTALS):
            return cast(Totals, known)
    totals = _count_totals()
    with suppress(RedisError):
        cache.set(TOTALS, totals, TOTALS_SECONDS)
    return totals


def _count_totals() -> Totals:
    drafts = Version.objects.filter(dataset__access__in=RELEASED, at__isnull=True)
    published = valid_open_versions().filter(dataset__access__in=RELEASED).values("dataset").distinct()
    return Totals(
        datasets=drafts.count(),
        published=published.count(),
        users=User.objects.filter(status=User.Status.APPROVED, is_active=True).count(),
        size=drafts.aggregate(total=Sum("size"))["total"] or 0,
    )


# --- Work -------------------------------------------------------------------------------------------------------------


def visible_jobs(actor: Actor) -> QuerySet[Job]:
    """Return the jobs that the actor may follow, newest first: those of datasets they edit, and those they started.

    The latter not of a dataset that they may no longer read, or read blinded: logs may name people. Administrators see
    all.
    """
    jobs = Job.objects.order_by("-created", "pk")
    if actor.is_admin:
        return jobs
    if actor.user is None or actor.only_dataset is not None:
        return jobs.none()
    edited_numbers = Dataset.objects.filter(edited(actor)).values("pk")
    unreadable = Dataset.objects.filter(~visible(actor) | Q(pk=blinded_dataset(actor))).values("pk")
    started = Q(user_id=actor.user.pk) & (Q(dataset_id__isnull=True) | ~Q(dataset_id__in=unreadable))
    return jobs.filter(Q(dataset_id__in=edited_numbers) | started)


def find_job(actor: Actor, job_id: UUID) -> Job:
    """Return a job, if the actor may follow it; NotFoundError otherwise."""
    job = visible_jobs(actor).filter(pk=job_id).first()
    if job is None:
        raise NotFoundError
    return job


def projections_of(actor: Actor, dataset: Dataset) -> list[ProjectionStatus]:
    """Return how far each projection has followed the dataset, and why not further; for who may follow its work."""
    require(actor, Action.FOLLOW_WORK, dataset)
    return projection_statuses(dataset.number)
