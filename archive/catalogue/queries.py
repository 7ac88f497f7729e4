"""Finding datasets for lists, and what is shown of each: as many queries for a hundred as for one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import OrderBy

from archive.accounts.models import Grant, User
from archive.accounts.policy import (
    ANONYMOUS,
    RELEASED,
    Action,
    Actor,
    edited,
    knowing,
    may,
    require,
    visible_versions,
    with_listable_members,
)
from archive.assets.models import Asset, Folder
from archive.assets.queries import assets_of, find_asset_at, find_folder
from archive.catalogue.files import Entry, in_order, pending_blob
from archive.datasets.models import Dataset, Star, Version
from archive.datasets.queries import Found, blinded_for, completed_versions, page_of, readable_among, visible_datasets
from archive.errors import InvalidError, NotFoundError
from archive.git_annex.keys import parse_annex_key
from archive.identifiers.names import label_sort_key
from archive.snapshots.models import Commit, Repository
from archive.snapshots.queries import Content, find_content
from archive.timeline.models import Change

# --- Lists ------------------------------------------------------------------------------------------------------------


class SortBy(StrEnum):
    """The keys by which datasets are sorted."""

    CREATED = "created"
    NAME = "name"
    OWNER = "owner"
    STARS = "stars"
    OPENED = "opened"


@dataclass(frozen=True)
class Listing:
    """A list of datasets: which are in it, and in what order; the names in `descending` are sorted the other way."""

    is_open: bool = False
    is_shared: bool = False
    is_invalid: bool = False
    is_starred: bool = False
    is_mine: bool = False
    order: Sequence[SortBy] = (SortBy.CREATED,)
    descending: Collection[SortBy] = ()


def page_of_datasets(actor: Actor, wanted: Listing, *, offset: int, limit: int) -> Found:
    """Return a page of the datasets that the actor may read and the listing has, and how many these are."""
    datasets = _ordered(_listed(actor, wanted), wanted)
    return page_of(datasets, offset, limit)


def _listed(actor: Actor, wanted: Listing) -> QuerySet[Dataset]:
    datasets = visible_datasets(actor)
    if wanted.is_open:
        datasets = datasets.filter(access__in=RELEASED)
    if wanted.is_mine:
        datasets = datasets.filter(_with_a_role(actor))
    if wanted.is_shared:
        datasets = datasets.filter(_with_a_role(actor)).exclude(Exists(_first_owner().filter(user=actor.user)))
    if wanted.is_starred:
        datasets = datasets.filter(stars__user=actor.user) if actor.user else datasets.none()
    if wanted.is_invalid:
        drafts = Version.objects.filter(version=Version.DRAFT, status=Version.Status.INVALID)
        datasets = datasets.filter(edited(actor), Exists(drafts.filter(dataset=OuterRef("pk"))))
    return datasets


def _with_a_role(actor: Actor) -> Q:
    if actor.user is None:
        return Q(pk__in=[])
    return Q(pk__in=Grant.objects.filter(user=actor.user).values("dataset_id"))


def _first_owner() -> QuerySet[Grant]:
    """Return the grants of owners who came before all other owners of a dataset: its creators."""
    earlier = Grant.objects.filter(dataset=OuterRef("dataset"), role=Grant.Role.OWNER, pk__lt=OuterRef("pk"))
    return Grant.objects.filter(~Exists(earlier), dataset=OuterRef("pk"), role=Grant.Role.OWNER)


def _ordered(datasets: QuerySet[Dataset], wanted: Listing) -> QuerySet[Dataset]:
    names = Version.objects.filter(dataset=OuterRef("pk"), version=Version.DRAFT).values("name")[:1]
    owners = Grant.objects.filter(dataset=OuterRef("pk"), role=Grant.Role.OWNER).order_by("pk")
    keys: dict[SortBy, Any] = {
        SortBy.CREATED: F("created"),
        SortBy.NAME: Subquery(names),
        SortBy.OWNER: Subquery(owners.values("user__last_name")[:1]),
        SortBy.STARS: F("star_count"),
        SortBy.OPENED: Subquery(_openings().filter(dataset_id=OuterRef("pk")).values("recorded")[:1]),
    }
    orders = [OrderBy(keys[each], descending=each in wanted.descending, nulls_last=True) for each in wanted.order]
    return datasets.order_by(*orders, "number")


# --- What is shown of each --------------------------------------------------------------------------------------------


def drafts_of_datasets(actor: Actor, datasets: Collection[Dataset]) -> dict[Dataset, Version]:
    """Return the draft of each of the datasets that the actor may read, as they may see it."""
    readable = _by_number(actor, datasets)
    drafts = Version.objects.filter(dataset__in=readable, version=Version.DRAFT)
    return {version.dataset: version for version in _seen(actor, drafts, readable)}


def versions_of_datasets(actor: Actor, datasets: Collection[Dataset]) -> dict[Dataset, list[Version]]:
    """Return the versions of the datasets that the actor may read, as they may see them, without their metadata.

    Versions whose labels are semantic come in their order, behind all others.
    """
    readable = _by_number(actor, datasets)
    rows = completed_versions().filter(visible_versions(actor), dataset__in=readable, at__isnull=False)
    found: dict[Dataset, list[Version]] = {dataset: [] for dataset in readable.values()}
    for version in _seen(actor, rows.defer("metadata", "problems"), readable):
        found[version.dataset].append(version)
    return {dataset: sorted(versions, key=_place) for dataset, versions in found.items()}


def _place(version: Version) -> tuple[object, ...]:
    return label_sort_key(version.label, version.ordinal or 0)


def _by_number(actor: Actor, datasets: Collection[Dataset]) -> dict[int, Dataset]:
    return {dataset.number: dataset for dataset in readable_among(actor, [*datasets])}


def _seen(actor: Actor, versions: Iterable[Version], datasets: Mapping[int, Dataset]) -> list[Version]:
    seen = []
    for version in versions:
        version.dataset = dataset = datasets[version.dataset_id]
        seen += blinded_for(actor, dataset, [version])
    return seen


def open_versions() -> Iterator[Version]:
    """Yield all versions that everybody may read, in the order of their datasets, without their metadata."""
    rows = completed_versions().filter(visible_versions(ANONYMOUS), dataset__access__in=RELEASED, at__isnull=False)
    fields = ("dataset_id", "version", "label", "created")
    return rows.only(*fields).order_by("dataset_id", "pk").iterator(chunk_size=2000)


def openings_of_datasets(actor: Actor, datasets: Collection[Dataset]) -> dict[Dataset, datetime]:
    """Return since when each of the datasets that the actor may read is open to everybody, if it is."""
    opened = {number: each for number, each in _by_number(actor, datasets).items() if each.is_released}
    releases = dict(_openings().filter(dataset_id__in=opened).values_list("dataset_id", "recorded"))
    return {dataset: releases.get(number, dataset.created) for number, dataset in opened.items()}


def _openings() -> QuerySet[Change]:
    return Change.objects.filter(kind=Change.Kind.RELEASE)


def heads_of_datasets(actor: Actor, datasets: Collection[Dataset]) -> dict[Dataset, str]:
    """Return the commit that the repository of each dataset is at, for who may read its commits, if it has any."""
    readable = _known(actor, datasets)
    # After a release, until a new history has begun, the repository is as it was before.
    is_current = Q(released=F("dataset__released")) | Q(released=None, dataset__released=None)
    rows = Repository.objects.filter(is_current, dataset__in=readable).exclude(main="")
    return {readable[number]: head for number, head in rows.values_list("pk", "main")}


def _known(actor: Actor, datasets: Iterable[Dataset]) -> dict[int, Dataset]:
    """Return those of the datasets, by number, whose people the actor may know; Postgres is asked of closed ones."""
    by_number = {dataset.number: dataset for dataset in datasets}
    closed = [number for number, dataset in by_number.items() if not may(ANONYMOUS, Action.KNOW_PEOPLE, dataset)]
    found = Dataset.objects.filter(knowing(actor), pk__in=closed).values_list("pk", flat=True) if closed else ()
    known = {*found}
    return {number: each for number, each in by_number.items() if number in known or number not in closed}


def hashes_of_versions(actor: Actor, versions: Collection[Version]) -> dict[Version, str]:
    """Return the commit that shows each of the versions, for who may read the commits, but for those not shown yet."""
    datasets = _known(actor, {version.dataset for version in versions})
    known = {version.pk: version for version in versions if version.dataset_id in datasets}
    shows = Commit.objects.filter(repository=OuterRef("dataset"), at__lte=OuterRef("at")).order_by("-at", "-pk")
    rows = Version.objects.filter(pk__in=known, at__lte=F("dataset__repository__at"))
    found = rows.annotate(commit=Subquery(shows.values("sha")[:1])).values_list("pk", "commit")
    return {known[pk]: sha for pk, sha in found if sha}


# --- People -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Membership:
    """A person's role in a dataset."""

    dataset: Dataset
    user: User
    role: Grant.Role


def members_of_datasets(actor: Actor, datasets: Collection[Dataset]) -> dict[Dataset, list[Membership]]:
    """Return who has which role in the datasets, as far as the actor may know: readers know owners, owners all.

    A blinded reviewer knows nobody.
    """
    known = _known(actor, datasets)
    led = Dataset.objects.filter(with_listable_members(actor)).values("pk")
    found: dict[Dataset, list[Membership]] = defaultdict(list)
    grants = Grant.objects.filter(dataset__in=known).select_related("user").order_by("pk")
    for grant in grants.filter(Q(role=Grant.Role.OWNER) | Q(dataset__in=led) | Q(user=actor.user_id)):
        found[known[grant.dataset_id]].append(Membership(known[grant.dataset_id], grant.user, Grant.Role(grant.role)))
    return found


def starred_datasets(actor: Actor, datasets: Collection[Dataset]) -> dict[Dataset, bool]:
    """Return whether each of the datasets that the actor may read has a star of theirs."""
    readable = _by_number(actor, datasets)
    own = set(Star.objects.filter(dataset__in=readable, user=actor.user_id).values_list("dataset_id", flat=True))
    return {dataset: number in own for number, dataset in readable.items()}


# --- Files ------------------------------------------------------------------------------------------------------------

# The files and folders that are listed at once.
MAX_LISTED = 300_000
_FIELDS = ("path", "size", "blob_id", "blob__sha256", "blob__md5", "blob__is_open")


def entries_in(
    actor: Actor, version: Version, folder: str, *, is_whole: bool = False, at_most: int = MAX_LISTED
) -> list[Entry]:
    """Return the files and folders directly in a folder of a version; with `is_whole`, all files below it instead.

    Zarr archives, which are many files in one, are left out. NotFoundError if the actor may not read the version, or
    there is no such folder; InvalidError if there are more than `at_most`.
    """
    _require_readable(actor, version)
    if folder and find_folder(version, folder) is None:
        raise NotFoundError("There is no such folder.")
    files = assets_of(version).filter(blob__isnull=False).values_list(*_FIELDS)
    if is_whole:
        return in_order(_entries(files.filter(path__startswith=f"{folder}/") if folder else files, at_most))
    listed = _entries(files.filter(folder=folder), at_most)
    return in_order([*listed, *_entries(_folders_in(version, folder), at_most - len(listed))])


def _require_readable(actor: Actor, version: Version) -> None:
    require(actor, Action.READ, version.dataset, hidden=True)
    if version.is_closed:
        require(actor, Action.READ_CLOSED, version.dataset, hidden=True)


def _entries(rows: QuerySet[Any, Any], at_most: int) -> list[Entry]:
    found = list(rows[: at_most + 1])
    if len(found) > at_most:
        raise InvalidError(f"At most {at_most} files are listed at once: ask for one folder after the other.")
    return [Entry(*row) for row in found]


def _folders_in(version: Version, folder: str) -> QuerySet[Any, Any]:
    rows = Folder.objects.filter(dataset_id=version.dataset_id, folder=folder).exclude(path="")
    shown = rows.live() if version.at is None else rows.at(version.at)
    return shown.values_list("path")


def find_file(actor: Actor, version: Version, path: str) -> Content:
    """Return the content of the file at a path of a version; NotFoundError if the actor finds none there."""
    _require_readable(actor, version)
    asset = find_asset_at(version, path)
    if asset is None or asset.blob is None:
        raise NotFoundError("There is no such file.")
    return Content(asset.blob.key, asset.blob.size, asset.blob)


def find_keyed_content(actor: Actor, dataset: Dataset, key: str) -> Content:
    """Return the content that lists of a dataset's files call by that key; NotFoundError if the actor finds none."""
    blob_id = pending_blob(key)
    if blob_id is None:
        found = find_content(actor, dataset, parse_annex_key(key))
    else:
        asset = Asset.objects.visible_to(actor).filter(dataset=dataset, blob=blob_id).select_related("blob").first()
        found = Content(asset.blob.key, asset.blob.size, asset.blob) if asset and asset.blob else None
    if found is None:
        raise NotFoundError("There is no such content.")
    return found
