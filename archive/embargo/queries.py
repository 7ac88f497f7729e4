"""Finding embargoes that end soon, or have ended, and what a release would open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from archive.accounts.policy import Action, Actor, require
from archive.assets.models import Asset
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import unclosed_versions
from archive.embargo.models import EmbargoNotice
from archive.snapshots.models import AnnexPush, Commit
from archive.timeline.rows import live

EMBARGO_LIMIT = 1000
# How long before an automatic release its owners must have been told.
EMBARGO_GRACE = timedelta(days=1)


# So many of each are told beforehand.
PATHS_TOLD = 1000
NAMES_TOLD = 100


@dataclass(frozen=True)
class Opening:
    """The content that a release opens beside the draft, if it keeps the history: versions, by their tags, and more.

    That is the paths of files that have been removed or replaced, and people whom pushed commits name: as many as are
    told of, in order.
    """

    versions: list[str]
    removed_paths: list[str]
    people: list[str]

    @property
    def keeps_history(self) -> bool:
        """Return whether the history is kept, unless it is said that it is not to be."""
        return bool(self.versions)


def opened_by_release(actor: Actor, dataset: Dataset) -> Opening:
    """Return what the release of a dataset would open beside its draft, for those who may release it."""
    require(actor, Action.RELEASE, dataset)
    versions = versions_opened_by_release(dataset).order_by("at").only("version", "label")
    removed = Asset.objects.filter(~live(), dataset=dataset).order_by("path").distinct("path")
    commits = Commit.objects.filter(repository=dataset.number, is_pushed=True).values_list("author_name")
    annexed = AnnexPush.objects.filter(repository=dataset.number).values_list("author_name")
    return Opening(
        [version.tag for version in versions],
        list(removed.values_list("path", flat=True)[:PATHS_TOLD]),
        sorted(name for (name,) in commits.union(annexed)[:NAMES_TOLD]),
    )


def versions_opened_by_release(dataset: Dataset) -> QuerySet[Version]:
    """Return the versions that are open once their dataset is: those that are made by now, and not closed."""
    return unclosed_versions().filter(dataset=dataset, at__isnull=False)


def notices_due(notice_days: Sequence[int]) -> Iterator[tuple[Dataset, int]]:
    """Yield embargoed datasets and the notices that are due to their owners, by days before the end.

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
    """Return the numbers of at most EMBARGO_LIMIT datasets whose embargo is over, and whose owners were told."""
    told = EmbargoNotice.objects.filter(
        dataset=OuterRef("pk"), end=OuterRef("embargo_end"), sent__lte=timezone.now() - EMBARGO_GRACE
    )
    over = _embargoed().filter(Exists(told), embargo_end__lt=datetime.now(UTC).date())
    return list(over.order_by("embargo_end", "pk").values_list("pk", flat=True)[:EMBARGO_LIMIT])


def _embargoed() -> QuerySet[Dataset]:
    return Dataset.objects.filter(access=Dataset.Access.EMBARGOED)
