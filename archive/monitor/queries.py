"""The report of what needs attention, for staff."""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.accounts.policy import Action, Actor, require
from archive.assets.models import Asset
from archive.blobs.models import Upload
from archive.datasets.models import Version
from archive.datasets.queries import versions_for_doi
from archive.fixity.models import ContentCheck
from archive.garbage.queries import GarbageTotals, Kind, garbage_totals
from archive.monitor.models import ReportedTask
from archive.storage import queries as store
from archive.timeline.models import Job, Projection

SHOWN = 10


@dataclass(frozen=True)
class UploadUnderWay:
    """An upload: what was announced, and what the store has; None as long as it has nothing whole."""

    announced: Upload
    stored: store.StoredObject | None


@dataclass(frozen=True)
class OperationsReport:
    """At most SHOWN of each kind of thing that is not as it should be, and how much garbage there is."""

    garbage: Sequence[GarbageTotals]
    failing_projections: Sequence[Projection]
    failed_jobs: Sequence[Job]
    versions_without_doi: Sequence[Version]
    invalid_assets: Sequence[Asset]
    uploads: Sequence[UploadUnderWay]
    damaged: Sequence[ContentCheck]
    failed_tasks: Sequence[ReportedTask]


def operations_report(actor: Actor) -> OperationsReport:
    """Return what needs attention now, without files that `actor` may not read."""
    require(actor, Action.OVERSEE)
    invalid = Asset.objects.visible_to(actor).live().filter(status=Asset.Status.INVALID).order_by("-pk")
    failed_dois = versions_for_doi().filter(doi_state__in=[Version.DoiState.PENDING, Version.DoiState.FAILED])
    failing = Projection.objects.filter(state=Projection.State.FAILING).order_by("-attempts")
    failed_jobs = Job.objects.filter(state=Job.State.FAILED).defer("log").order_by("-ended")
    damaged = ContentCheck.objects.filter(count__gt=0).select_related("version").order_by("-checked")
    return OperationsReport(
        garbage=[garbage_totals(kind) for kind in Kind.values],
        failing_projections=list(failing[:SHOWN]),
        failed_jobs=list(failed_jobs[:SHOWN]),
        versions_without_doi=list(failed_dois[:SHOWN]),
        invalid_assets=list(invalid.defer("metadata", "contribution")[:SHOWN]),
        uploads=[_under_way(upload) for upload in Upload.objects.order_by("created")[:SHOWN]],
        damaged=list(damaged.defer("failures")[:SHOWN]),
        failed_tasks=list(ReportedTask.objects.exclude(error="").order_by("-reported")[:SHOWN]),
    )


def _under_way(upload: Upload) -> UploadUnderWay:
    return UploadUnderWay(upload, store.find(upload.key))
