"""Finding embargoes that end soon, or have ended."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from archive.datasets.models import Dataset
from archive.embargo.models import EmbargoNotice

EMBARGO_LIMIT = 1000
# How long before an automatic release its owners must have been told.
EMBARGO_GRACE = timedelta(days=1)


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
