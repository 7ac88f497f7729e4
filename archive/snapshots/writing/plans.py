"""Planning commits: which changes make one, whose it is and what it says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils import timezone

from archive.assets.models import Asset
from archive.blobs.models import Blob
from archive.blobs.work import CHECKSUM_JOB
from archive.datasets.models import Dataset, Version
from archive.snapshots.keeping.git import Beat
from archive.snapshots.models import ARCHIVE_EMAIL, ARCHIVE_NAME, Commit, Repository
from archive.snapshots.queries import RELEVANT
from archive.snapshots.writing.delta import Point
from archive.snapshots.writing.writer import Plan
from archive.timeline.models import Change, Job

CHUNK = 5000
# If more assets than these lack a checksum, something is out of order, and the history waits instead.
MAX_LEFT_OUT = 100
PATHS_SHOWN = 3
LATE_MESSAGE = "Add files whose checksums were late"

Kind = Change.Kind


@dataclass(frozen=True)
class Horizon:
    """The point up to which a history can be written now, without which assets, and what is waited for."""

    reach: int
    left_out: frozenset[int] = frozenset()
    reason: str = ""


def look_ahead(repository: Repository, target: int) -> Horizon:
    """Return how far towards `target` the repository can go.

    A file is there once its SHA-256 is known. Until then the history stops before the change that brings it; unless
    nobody computes it any more, or the file has gone meanwhile: then it is left out.
    """
    # A subquery of the few blobs without a checksum: with a join, Postgres would read every blob of the archive.
    unknown = Asset.objects.filter(
        dataset=repository.dataset_id, introduced__lte=target, blob__in=Blob.objects.filter(sha256=None)
    ).lasting_beyond(repository.at)
    rows = list(unknown.order_by("introduced", "path").values("pk", "path", "introduced", "retired", "blob_id")[:CHUNK])
    wanted = [row for row in rows if row["retired"] is None or row["retired"] > target]
    computed = _being_computed([str(row["blob_id"]) for row in wanted])
    awaited = [row for row in wanted if str(row["blob_id"]) in computed]
    given_up = [row for row in wanted if str(row["blob_id"]) not in computed]
    if len(given_up) > MAX_LEFT_OUT or len(rows) == CHUNK:
        awaited = wanted or rows
    left_out = frozenset(row["pk"] for row in rows) - {row["pk"] for row in awaited}
    if awaited:
        reach = max(repository.at, awaited[0]["introduced"] - 1)
        names = _named([row["path"] for row in awaited])
        return Horizon(reach, left_out, f"{names} waited for: the SHA-256 is being computed.")
    names = _named([row["path"] for row in given_up])
    return Horizon(target, left_out, f"{names} left out: the SHA-256 cannot be computed." if given_up else "")


def _being_computed(blob_ids: list[str]) -> set[str]:
    open_jobs = Job.objects.filter(kind=CHECKSUM_JOB, subject__in=blob_ids, ended=None)
    return set(open_jobs.values_list("subject", flat=True))


def _named(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:PATHS_SHOWN])
    more = len(paths) - PATHS_SHOWN
    names = f"{shown} and {more} more" if more > 0 else shown
    return f"{names} {'is' if len(paths) == 1 else 'are'}"


@dataclass
class _Group:
    """Consecutive changes that become one commit."""

    first: Change
    newest: Change = field(init=False)
    author: Change | None = None
    count: int = 0
    sums: dict[str, int] = field(default_factory=lambda: {"add": 0, "change": 0, "remove": 0})

    def __post_init__(self) -> None:
        self.take(self.first)

    def takes(self, change: Change) -> bool:
        """Return whether the change is of the same author. What the archive does by itself is taken by any group."""
        return change.user_id is None or self.author is None or change.user_id == self.author.user_id

    def take(self, change: Change) -> None:
        self.newest = change
        self.count += 1
        if change.user_id is not None:
            self.author = change
        for verb, number in _effects(change):
            self.sums[verb] += number

    def message(self, dataset: Dataset) -> str:
        """Return the commit's message: what was done, in a line, and which changes that were."""
        numbers = f"{self.first.number}" if self.count == 1 else f"{self.first.number}-{self.newest.number}"
        return f"{self._subject()}\n\nDataset: {dataset.identifier}\nChanges: {numbers}\n"

    def _subject(self) -> str:
        if self.first.kind == Kind.RELEASE:
            return "Release the dataset"
        done = [(verb, number) for verb, number in self.sums.items() if number]
        path = self.first.details.get("path")
        if self.count == 1 and path:
            return f"{done[0][0].capitalize()} {path}"
        return f"{', '.join(f'{verb} {number}' for verb, number in done)} file(s)".capitalize()


def _effects(change: Change) -> list[tuple[str, int]]:
    if change.kind == Kind.CHANGE_ASSETS:
        return [("add", change.details.get("added", 0)), ("remove", change.details.get("removed", 0))]
    verbs = {Kind.ADD_ASSET: "add", Kind.REMOVE_ASSET: "remove"}
    return [(verbs.get(Kind(change.kind), "change"), 1)]


def first_plan(repository: Repository) -> Plan:
    """Return the commit that a repository begins with, before there is any asset."""
    dataset = repository.dataset
    created = Change.objects.filter(dataset_id=dataset.number, number=repository.at).first()
    recorded = created.recorded if created else timezone.now()
    message = f"Begin the dataset\n\nDataset: {dataset.identifier}\n"
    return Plan(None, Point(repository.at), *_author(dataset, created), recorded, message)


def plans(repository: Repository, horizon: Horizon, beat: Beat) -> Iterator[Plan]:
    """Yield the commits that bring the repository as far as can be seen, oldest first."""
    dataset = repository.dataset
    newest = Commit.objects.filter(repository=repository).order_by("pk").last()
    since = Point(newest.at, frozenset(newest.left_out)) if newest else None
    recorded = newest.recorded if newest else None
    is_late = newest is not None and not frozenset(newest.left_out) <= horizon.left_out
    if newest is None and repository.begins_before_assets:
        first = first_plan(repository)
        yield first
        since, recorded = first.until, first.recorded
    for group in _groups(repository, horizon.reach, beat):
        until = Point(group.newest.number, horizon.left_out)
        # Clocks may go back; what git-annex is told must not.
        recorded = max(filter(None, [recorded, group.newest.recorded]))
        yield Plan(since, until, *_author(dataset, group.author), recorded, group.message(dataset))
        since, is_late = until, False
    if is_late:
        yield Plan(
            since, Point(horizon.reach, horizon.left_out), ARCHIVE_NAME, ARCHIVE_EMAIL, timezone.now(), LATE_MESSAGE
        )


def _author(dataset: Dataset, change: Change | None) -> tuple[str, str]:
    """Return the author of a change as everybody may know it: owners of a closed dataset are not named."""
    if change is None:
        return ARCHIVE_NAME, ARCHIVE_EMAIL
    if not dataset.is_released:
        return "An owner", "owner@users.noreply.invalid"
    return change.author_name, f"user-{change.user_id}@users.noreply.invalid"


def _groups(repository: Repository, reach: int, beat: Beat) -> Iterator[_Group]:
    """Yield the changes that may change the tree, in groups, each of one author, and ending at each version."""
    points = _boundaries(repository, reach)
    kinds = [*RELEVANT, Kind.RELEASE] if not repository.main else RELEVANT
    changes = Change.objects.filter(
        dataset_id=repository.dataset_id, number__gt=repository.at, number__lte=reach, kind__in=kinds
    )
    group: _Group | None = None
    for change in _pages(changes.order_by("number"), beat):
        while points and points[0] < change.number:
            points.pop(0)
            if group:
                yield group
            group = None
        if group and group.takes(change):
            group.take(change)
            continue
        if group:
            yield group
        group = _Group(change)
    if group:
        yield group


def _pages(changes: "QuerySet[Change]", beat: Beat) -> Iterator[Change]:
    page = list(changes[:CHUNK])
    while page:
        beat()
        yield from page
        page = list(changes.filter(number__gt=page[-1].number)[:CHUNK]) if len(page) == CHUNK else []


def _boundaries(repository: Repository, reach: int) -> list[int]:
    """Return the points that a commit must show: those of versions, and that of a release."""
    points = version_points(repository.dataset_id, after=repository.at, until=reach - 1)
    return sorted([*points, repository.released] if repository.released else points)


def version_points(dataset_id: int, *, after: int = 0, until: int) -> list[int]:
    """Return the points of a dataset's versions after one change and until another, in order."""
    versions = Version.objects.filter(dataset=dataset_id, at__gt=after, at__lte=until)
    return sorted(at for at in versions.values_list("at", flat=True) if at is not None)
