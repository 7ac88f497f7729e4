"""Reading the timeline: how far a dataset has come, and what has work to do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.timeline.models import Change, Job, Projection, Timeline

SWEEP_LIMIT = 1000
# Where news of jobs and timelines is published in Valkey.
NEWS_CHANNEL = "archive:news"


def position(dataset_id: int) -> int:
    """Return the number of the dataset's newest change; 0 before the first."""
    return Timeline.objects.filter(dataset_id=dataset_id).values_list("number", flat=True).first() or 0


def changed(dataset_id: int) -> datetime:
    """Return when the dataset was last changed; a moment long ago if never."""
    moment = Timeline.objects.filter(dataset_id=dataset_id).values_list("changed", flat=True).first()
    return moment or datetime.min.replace(tzinfo=UTC)


def changes(dataset_id: int) -> QuerySet[Change]:
    """Return the changes of a dataset, oldest first."""
    return Change.objects.filter(dataset_id=dataset_id).order_by("number")


def names_behind(dataset_id: int, names: Sequence[str]) -> list[str]:
    """Return the names of those projections that lie behind the dataset and wait for no other attempt."""
    rows = Projection.objects.filter(dataset_id=dataset_id, name__in=names, next_attempt=None)
    cursors = dict(rows.values_list("name", "cursor"))
    number = position(dataset_id)
    return [name for name in names if cursors.get(name, 0) < number]


def projections_behind(names: Sequence[str], *, now: datetime | None = None) -> list[tuple[int, str]]:
    """Return at most SWEEP_LIMIT (dataset, projection) pairs that lie behind, nobody works on, and may be tried now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.dataset_id, n.name
              FROM archive_timeline t
             CROSS JOIN unnest(%s::text[]) AS n(name)
              LEFT JOIN archive_projection p ON p.dataset_id = t.dataset_id AND p.name = n.name
             WHERE COALESCE(p.cursor, 0) < t.number
               AND (p.leased_until IS NULL OR p.leased_until < %s)
               AND (p.next_attempt IS NULL OR p.next_attempt <= %s)
             ORDER BY p.next_attempt NULLS FIRST
             LIMIT %s
            """,
            [list(names), now or timezone.now(), now or timezone.now(), SWEEP_LIMIT],
        )
        return [(dataset_id, name) for dataset_id, name in cursor.fetchall()]


def free(now: datetime) -> Q:
    """Return the condition that nobody is at work on a projection or a job."""
    return Q(leased_until__isnull=True) | Q(leased_until__lt=now)


def jobs_due(*, patience: timedelta = timedelta(0)) -> QuerySet[Job]:
    """Return the open jobs that nobody works on and that have been due for at least `patience`."""
    now = timezone.now()
    return Job.objects.filter(free(now), ended__isnull=True, next_attempt__lte=now - patience).order_by("next_attempt")


def kinds_due(*, patience: timedelta) -> list[str]:
    """Return the kinds of jobs of which some have been due for at least `patience`."""
    return list(jobs_due(patience=patience).order_by().values_list("kind", flat=True).distinct())


def find_open_job(kind: str, subject: str) -> Job:
    """Return the job of that kind about that subject that has not ended; Job.DoesNotExist if there is none."""
    return Job.objects.get(kind=kind, subject=subject, ended=None)


def jobs_overdue() -> Iterable[Job]:
    """Return at most SWEEP_LIMIT open jobs that are past their deadline."""
    return Job.objects.filter(ended__isnull=True, deadline__lt=timezone.now())[:SWEEP_LIMIT]


@dataclass(frozen=True)
class ProjectionStatus:
    """The state of a projection of a dataset, and the number of the change it has to come to."""

    row: Projection
    target: int

    @property
    def is_current(self) -> bool:
        return self.row.cursor >= self.target

    @property
    def is_at_work(self) -> bool:
        return self.row.leased_until is not None and self.row.leased_until > timezone.now()


def projection_statuses(dataset_id: int) -> list[ProjectionStatus]:
    """Return the state of each projection of the dataset that has ever begun, in order of their names."""
    target = position(dataset_id)
    return [ProjectionStatus(row, target) for row in Projection.objects.filter(dataset_id=dataset_id).order_by("name")]
