"""The admin of what is derived: the search index, garbage, repositories."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from archive import models
from dandiapi.admin.base import ByDatasetAdmin, ReadOnlyAdmin, is_about_one


@admin.register(models.Document)
class DocumentAdmin(ByDatasetAdmin):
    """The admin of the searchable content of versions."""

    list_display = ["version_id", "dataset_id", "is_newest", "is_newest_published", "modified", "published"]
    exclude = ["lexemes"]
    raw_id_fields = ["version", "dataset"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows; those of the list without the columns that may be large."""
        rows = super().get_queryset(request).defer("lexemes")
        return rows if is_about_one(request) else rows.defer("text", "species", "approach", "technique")


@admin.register(models.Facts)
class FactsAdmin(ByDatasetAdmin):
    """The admin of the facts that files of a dataset share."""

    list_display = ["dataset_id", "file_type", "file_count"]


@admin.register(models.IndexedAsset)
class IndexedAssetAdmin(ByDatasetAdmin):
    """The admin of files in the search index."""

    dataset_column = "facts__dataset_id"
    list_display = ["asset_id", "facts_id", "size"]
    raw_id_fields = ["asset", "facts"]


@admin.register(models.BidsVerdict)
class BidsVerdictAdmin(ReadOnlyAdmin):
    """The admin of what the BIDS validator says of trees."""

    list_display = ["tree", "state", "errors", "warnings", "validator", "reason", "created"]
    list_filter = ["state"]
    search_fields = ["tree"]
    # Of a large dataset these are megabytes.
    exclude = ["issues", "code_messages", "summary"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the verdicts without what may be long."""
        return super().get_queryset(request).defer(*self.exclude)


@admin.register(models.BidsTree)
class BidsTreeAdmin(ReadOnlyAdmin):
    """The admin of which tree a version has."""

    list_display = ["version_id", "verdict_id", "files_changed"]
    raw_id_fields = ["version", "verdict"]


@admin.register(models.ContentCheck)
class ContentCheckAdmin(ByDatasetAdmin):
    """The admin of checks of content."""

    dataset_column = "version__dataset_id"
    list_display = ["version_id", "remote", "count", "checked"]
    raw_id_fields = ["version"]


@admin.register(models.ReportedTask)
class ReportedTaskAdmin(ReadOnlyAdmin):
    """The admin of tasks that workers outside of this archive report."""

    list_display = ["id", "name", "worker", "started", "finished", "error"]
    search_fields = ["id", "name"]


@admin.register(models.FileText)
class FileTextAdmin(ReadOnlyAdmin):
    """The admin of the texts of small files."""

    list_display = ["blob_id"]
    raw_id_fields = ["blob"]


@admin.register(models.GarbageEvent)
class GarbageEventAdmin(ReadOnlyAdmin):
    """The admin of garbage that was collected, and has been given back or deleted since."""

    list_display = ["pk", "kind", "created", "row_count", "size", "undone", "purged"]
    list_filter = ["kind"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the events without the rows they hold, of which there may be many."""
        return super().get_queryset(request).defer("rows")

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Return the fields that are not shown: the rows."""
        return ["rows"]


@admin.register(models.Repository)
class RepositoryAdmin(ByDatasetAdmin):
    """The admin of the datasets' git-annex repositories."""

    list_display = ["dataset_id", "annex_uuid", "history", "at", "main", "checked", "fault"]
    search_fields = ("annex_uuid",)


@admin.register(models.Commit)
class CommitAdmin(ByDatasetAdmin):
    """The admin of the commits of the repositories' branch `main`."""

    dataset_column = "repository_id"
    list_display = ["sha", "repository_id", "at", "author_name", "recorded", "is_pushed"]
    search_fields = ("sha",)
    raw_id_fields = ["repository"]


@admin.register(models.AnnexPush)
class AnnexPushAdmin(ByDatasetAdmin):
    """The admin of the commits that were pushed as `git-annex`."""

    dataset_column = "repository_id"
    list_display = ["sha", "repository_id", "author_name", "recorded"]
    search_fields = ("sha",)
    raw_id_fields = ["repository", "follows"]


@admin.register(models.Bundle)
class BundleAdmin(ByDatasetAdmin):
    """The admin of the bundles that hold the objects of repositories."""

    dataset_column = "repository_id"
    list_display = ["key", "repository_id", "at", "size", "created"]
    raw_id_fields = ["repository"]
