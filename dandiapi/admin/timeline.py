"""The admin of the datasets' histories, projections and jobs."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from archive import models
from archive.timeline.models import Job, Projection
from archive.timeline.services import make_jobs_due, make_projections_due
from dandiapi.admin.base import ByDatasetAdmin, ids


@admin.register(models.Timeline)
class TimelineAdmin(ByDatasetAdmin):
    """The admin of the heads of the datasets' histories."""

    list_display = ["dataset_id", "number", "changed"]


@admin.register(models.Change)
class ChangeAdmin(ByDatasetAdmin):
    """The admin of changes: what was done, and by whom."""

    list_display = ["dataset_id", "number", "kind", "author_name", "author_email", "recorded"]
    list_filter = ["kind"]


@admin.register(Projection)
class ProjectionAdmin(ByDatasetAdmin):
    """The admin of projections: how far they have followed, and why not further."""

    list_display = ["name", "dataset_id", "state", "cursor", "attempts", "next_attempt", "advanced", "reason"]
    list_filter = ["state", "name"]
    actions = ["try_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may retry: whoever may see projections may, since it does no harm."""
        return self.has_view_permission(request)

    @admin.action(description="Try again now", permissions=["retry"])
    def try_again(self, request: HttpRequest, projections: QuerySet[Projection]) -> None:
        """Have the chosen projections tried again now."""
        count = make_projections_due(ids(projections))
        self.message_user(request, f"{count} projections will be tried in a moment.", messages.SUCCESS)


@admin.register(Job)
class JobAdmin(ByDatasetAdmin):
    """The admin of jobs."""

    list_display = ["kind", "subject", "dataset_id", "state", "step", "attempts", "created", "ended", "reason"]
    list_filter = ["state", "kind"]
    ordering = ["-created"]
    actions = ["try_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may retry: whoever may see jobs may, since it does no harm."""
        return self.has_view_permission(request)

    @admin.action(description="Try again now", permissions=["retry"])
    def try_again(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        """Have the chosen jobs tried again now. Jobs that have ended stay so."""
        count = make_jobs_due(ids(jobs))
        self.message_user(request, f"{count} jobs will be tried in a moment.", messages.SUCCESS)
