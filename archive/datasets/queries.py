"""Finding datasets and versions that the asker may read."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum

from archive.accounts.models import User
from archive.accounts.policy import Action, Actor, owned, require, visible
from archive.datasets.models import Dataset, Star, Version
from archive.errors import NotFoundError
from archive.timeline.models import Job
from archive.timeline.queries import ProjectionStatus, projection_statuses
from archive.validation.metadata import strip_version_metadata

EDITION_DIGITS = 20


def find_dataset(actor: Actor, number: int) -> Dataset:
    """The dataset, if the actor may read it.

    NotFoundError if there is none; UnauthenticatedError or ForbiddenError if it is embargoed to the actor, because
    DANDI's clients sign in when they are told so (contract 3.3).
    """
    dataset = Dataset.objects.filter(number=number).first()
    if dataset is None:
        raise NotFoundError("Not found.")
    require(actor, Action.READ, dataset)
    return dataset


def visible_datasets(actor: Actor) -> QuerySet[Dataset]:
    """The datasets that the actor may read."""
    return Dataset.objects.filter(visible(actor))


def owned_datasets(actor: Actor) -> QuerySet[Dataset]:
    """The datasets of which the actor is named an owner."""
    return Dataset.objects.filter(owned(actor.user)) if actor.user else Dataset.objects.none()


def versions_of(dataset: Dataset) -> QuerySet[Version]:
    """The draft and the published versions, oldest first. A version that is only being published is not among them."""
    return shown_versions().filter(dataset=dataset).order_by("created", "pk")


def shown_versions() -> QuerySet[Version]:
    """All versions there are to see: every draft, and what has been published in full."""
    return Version.objects.exclude(at__isnull=False, status=Version.Status.PUBLISHING)


def find_version(actor: Actor, number: int, version: str) -> Version:
    """One version by its dataset's number and its name, its dataset at hand, if the actor may read it.

    Fails as `find_dataset` does; NotFoundError if the dataset has no such version.
    """
    try:
        found = shown_versions().select_related("dataset").get(dataset_id=number, version=version)
    except Version.DoesNotExist:
        find_dataset(actor, number)
        raise NotFoundError("Not found.") from None
    require(actor, Action.READ, found.dataset)
    return found


def edition_of(version: Version) -> str:
    """A name for what the owners wrote into the version: the same as long as they have not written anything else.

    What the archive computes, and changes by itself, is not part of it.
    """
    written = {"name": version.name, "metadata": strip_version_metadata(version.metadata)}
    return sha256(orjson.dumps(written, option=orjson.OPT_SORT_KEYS)).hexdigest()[:EDITION_DIGITS]


def find_draft(dataset_id: int) -> Version | None:
    """The draft, its dataset with it; None if the dataset has been deleted."""
    return Version.objects.select_related("dataset").filter(dataset_id=dataset_id, version=Version.DRAFT).first()


@dataclass(frozen=True)
class Publication:
    """What the assets that a version was the first to show say about their publishing."""

    at: int
    published_by: dict[str, Any]


def publications(dataset_id: int) -> list[Publication]:
    """The publications of a dataset, oldest first."""
    versions = shown_versions().filter(dataset_id=dataset_id, at__isnull=False).order_by("at")
    rows = versions.values_list("at", "metadata__publishedBy")
    return [Publication(at, published_by) for at, published_by in rows if at is not None]


def has_star(actor: Actor, dataset: Dataset) -> bool:
    """Whether the actor has starred the dataset."""
    return actor.user is not None and Star.objects.filter(user=actor.user, dataset=dataset).exists()


@dataclass(frozen=True)
class DatasetFilter:
    """Which datasets are asked for (contract 1.4). Words of `search` must all occur in one version's metadata."""

    unpublished: bool = True
    empty: bool = True
    embargoed: bool = False
    mine: bool = False
    starred: bool = False
    search: str = ""
    ordering: str = ""


ORDERINGS = {
    "id": "number",
    "name": "newest_name",
    "modified": "newest_modified",
    "size": "newest_size",
    "stars": "star_count",
}


def filtered_datasets(actor: Actor, wanted: DatasetFilter) -> QuerySet[Dataset]:
    """The datasets that the actor may read and the filter asks for, in its order."""
    datasets = owned_datasets(actor) if wanted.mine else visible_datasets(actor)
    if not wanted.embargoed:
        datasets = datasets.filter(access=Dataset.Access.OPEN)
    if wanted.starred:
        datasets = datasets.filter(stars__user=actor.user) if actor.user else datasets.none()
    published = shown_versions().filter(dataset=OuterRef("pk"), at__isnull=False)
    if not wanted.unpublished:
        datasets = datasets.filter(Exists(published))
    newest = shown_versions().filter(dataset=OuterRef("pk")).order_by("-created", "-pk")
    if not wanted.empty:
        datasets = datasets.annotate(files=Subquery(newest.values("file_count")[:1])).filter(files__gt=0)
    for word in wanted.search.split():
        found = shown_versions().filter(dataset=OuterRef("pk"), metadata__icontains=word)
        datasets = datasets.filter(Exists(found))
    return _ordered(datasets, wanted, newest)


def _ordered(datasets: QuerySet[Dataset], wanted: DatasetFilter, newest: QuerySet[Version]) -> QuerySet[Dataset]:
    name = wanted.ordering.removeprefix("-")
    if name not in ORDERINGS:
        return datasets.order_by("-stars__created" if wanted.starred else "created", "number")
    field = ORDERINGS[name]
    if field.startswith("newest_"):
        column = field.removeprefix("newest_")
        datasets = datasets.annotate(**{field: Subquery(newest.values(column)[:1])})
    sign = "-" if wanted.ordering.startswith("-") else ""
    return datasets.order_by(f"{sign}{field}", "number")


def latest_versions(datasets: Sequence[Dataset]) -> dict[int, tuple[Version, Version | None]]:
    """The draft and the newest published version of each dataset, by number. Their metadata is left out."""
    newer = shown_versions().filter(dataset=OuterRef("dataset"), at__gt=OuterRef("at"))
    newest = shown_versions().filter(Q(at__isnull=True) | ~Exists(newer), dataset__in=datasets)
    found: dict[int, dict[bool, Version]] = defaultdict(dict)
    for version in newest.defer("metadata", "problems"):
        found[version.dataset_id][version.is_draft] = version
    return {number: (pair[True], pair.get(False)) for number, pair in found.items()}


def starred_by(actor: Actor, datasets: Sequence[Dataset]) -> set[int]:
    """The numbers of those of the datasets that the actor has starred."""
    if actor.user is None:
        return set()
    numbers = [dataset.number for dataset in datasets]
    return set(Star.objects.filter(user=actor.user, dataset__in=numbers).values_list("dataset_id", flat=True))


def archive_totals() -> dict[str, int]:
    """How many datasets, published datasets, users and bytes there are in the open."""
    drafts = Version.objects.filter(at__isnull=True, dataset__access=Dataset.Access.OPEN)
    published = shown_versions().filter(at__isnull=False).values("dataset").distinct()
    return {
        "dandiset_count": drafts.count(),
        "published_dandiset_count": published.count(),
        "user_count": User.objects.filter(status=User.Status.APPROVED, is_active=True).count(),
        "size": drafts.aggregate(total=Sum("size"))["total"] or 0,
    }


# --- Work -------------------------------------------------------------------------------------------------------------


def visible_jobs(actor: Actor) -> QuerySet[Job]:
    """The jobs that the actor may follow, newest first: of datasets they own, and those they started themselves.

    The latter not of a dataset that they may no longer read. Administrators see all.
    """
    jobs = Job.objects.order_by("-created", "pk")
    if actor.is_admin:
        return jobs
    if actor.user is None:
        return jobs.none()
    owned_numbers = Dataset.objects.filter(owned(actor.user)).values("pk")
    unreadable = Dataset.objects.exclude(visible(actor)).values("pk")
    started = Q(user_id=actor.user.pk) & (Q(dataset_id__isnull=True) | ~Q(dataset_id__in=unreadable))
    return jobs.filter(Q(dataset_id__in=owned_numbers) | started)


def find_job(actor: Actor, job_id: UUID) -> Job:
    """A job, if the actor may follow it; NotFoundError otherwise."""
    job = visible_jobs(actor).filter(pk=job_id).first()
    if job is None:
        raise NotFoundError("Not found.")
    return job


def projections_of(actor: Actor, dataset: Dataset) -> list[ProjectionStatus]:
    """How far everything derived has followed the dataset, and why not further; for its owners."""
    require(actor, Action.FOLLOW_WORK, dataset)
    return projection_statuses(dataset.number)
