"""Datasets, and the files in them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from archive import models
from archive.zarr.services import finalize
from dandiapi.admin.base import ByDatasetAdmin, ReadOnlyAdmin, is_about_one, is_administrator
from dandiapi.credentials import actor_by_session


@admin.register(models.Dataset)
class DatasetAdmin(ByDatasetAdmin):
    """The admin of datasets."""

    dataset_column = "pk"
    list_display = ["identifier", "access", "embargo_end", "star_count", "created", "modified"]
    list_filter = ["access"]


@admin.register(models.Version)
class VersionAdmin(ByDatasetAdmin):
    """The admin of drafts and published versions."""

    list_display = ["__str__", "name", "status", "file_count", "size", "created", "modified"]
    list_filter = ["status"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows; those of the list without the columns that may be large."""
        rows = super().get_queryset(request)
        return rows if is_about_one(request) else rows.defer("metadata", "problems")


@admin.register(models.ReviewerLink)
class ReviewerLinkAdmin(ByDatasetAdmin):
    """The admin of reviewer links, without the digests that recognise them."""

    list_display = ["label", "hint", "dataset", "creator", "created", "expires", "last_used", "revoked"]
    list_select_related = ["dataset", "creator"]
    exclude = ["digest"]


@admin.register(models.EmbargoNotice)
class EmbargoNoticeAdmin(ByDatasetAdmin):
    """The admin of the notices to owners about the end of embargoes."""

    list_display = ["dataset", "end", "days", "sent"]
    list_select_related = ["dataset"]


@admin.register(models.Star)
class StarAdmin(ByDatasetAdmin):
    """The admin of stars."""

    list_display = ["dataset", "user", "created"]
    list_select_related = ["dataset", "user"]


@admin.register(models.Sequence)
class SequenceAdmin(ReadOnlyAdmin):
    """The admin of the sequences that numbers are taken from."""

    list_display = ["name", "last"]


@admin.register(models.Asset)
class AssetAdmin(ByDatasetAdmin):
    """The admin of files, in drafts and published versions."""

    list_display = ["__str__", "size", "status", "introduced", "retired", "created"]
    list_filter = ["status"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows; those of the list without the columns that may be large."""
        rows = super().get_queryset(request)
        return rows if is_about_one(request) else rows.defer("metadata", "problems", "contribution")


@admin.register(models.Batch)
class BatchAdmin(ByDatasetAdmin):
    """The admin of batches of files, by the keys of their senders."""

    list_display = ["__str__", "change", "created"]


@admin.register(models.Deprecation)
class DeprecationAdmin(ReadOnlyAdmin):
    """The admin of versions that are not to be used any more."""

    list_display = ["version_id", "reason", "user_id", "modified"]
    raw_id_fields = ["version", "user"]


@admin.register(models.Statement)
class StatementAdmin(ByDatasetAdmin):
    """The admin of what owners state of datasets beside their files."""

    list_display = ["dataset", "user_id", "modified"]
    raw_id_fields = ["dataset", "user"]


@admin.register(models.SummaryValue)
class SummaryValueAdmin(ByDatasetAdmin):
    """The admin of the values in the summaries of drafts, and how many files contribute them."""

    list_display = ["dataset", "part", "value", "asset_count"]
    list_filter = ["part"]


@admin.register(models.Folder)
class FolderAdmin(ByDatasetAdmin):
    """The admin of folders and their sums."""

    list_display = ["__str__", "file_count", "size", "child_count", "introduced", "retired"]


@admin.register(models.Blob)
class BlobAdmin(ReadOnlyAdmin):
    """The admin of blobs."""

    list_display = ["id", "size", "etag", "sha256", "md5", "uploader", "is_open", "created"]
    list_filter = ["is_open"]
    list_select_related = ["uploader"]
    search_fields = ["etag__exact", "sha256__exact", "md5__exact"]


@admin.register(models.Upload)
class UploadAdmin(ByDatasetAdmin):
    """The admin of uploads that are under way."""

    list_display = ["id", "dataset", "user", "size", "created"]
    list_select_related = ["dataset", "user"]


@admin.register(models.Reception)
class ReceptionAdmin(ByDatasetAdmin):
    """The admin of content that is being received by its key."""

    list_display = ["id", "dataset", "user", "size", "held_until", "created", "modified"]
    list_select_related = ["dataset", "user"]


@admin.register(models.UploadSession)
class UploadSessionAdmin(ByDatasetAdmin):
    """The admin of uploads of many files."""

    list_display = ["name", "dataset", "user", "created", "modified", "finished"]
    list_select_related = ["dataset", "user"]


@admin.register(models.UploadedFile)
class UploadedFileAdmin(ReadOnlyAdmin):
    """The admin of files of such uploads."""

    list_display = ["path", "session", "size", "is_skipped"]
    list_select_related = ["session"]


@admin.register(models.ZarrArchive)
class ZarrAdmin(ByDatasetAdmin):
    """The admin of Zarr archives."""

    list_display = ["id", "dataset", "name", "status", "revision", "file_count", "size", "created"]
    list_filter = ["status"]
    list_select_related = ["dataset"]
    ordering = ["-created"]
    actions = ["ingest"]

    def has_ingest_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may ingest: administrators may do what owners may."""
        return is_administrator(request)

    @admin.action(description="Ingest", permissions=["ingest"])
    def ingest(self, request: HttpRequest, zarrs: QuerySet[models.ZarrArchive]) -> None:
        """Finalize the pending ones among the chosen archives, so that a worker ingests what has arrived."""
        pending = list(zarrs.filter(status=models.ZarrArchive.Status.PENDING))
        for zarr in pending:
            finalize(actor=actor_by_session(request), zarr_id=zarr.pk)
        self.message_user(request, f"{len(pending)} archives will be ingested.", messages.SUCCESS)


@admin.register(models.ZarrRevision)
class ZarrRevisionAdmin(ByDatasetAdmin):
    """The admin of the revisions of Zarr archives."""

    dataset_column = "zarr__dataset_id"
    list_display = ["id", "zarr", "number", "checksum", "file_count", "size", "created"]
    list_select_related = ["zarr"]


@admin.register(models.ZarrEntry)
class ZarrEntryAdmin(ByDatasetAdmin):
    """The admin of the files of Zarr archives."""

    dataset_column = "zarr__dataset_id"
    list_display = ["path", "zarr", "md5", "size", "introduced", "retired"]
    list_select_related = ["zarr"]
