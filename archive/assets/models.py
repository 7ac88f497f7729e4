"""Asset and Folder: rows in time.

A row is there from the change that introduced it until the change that retired it. The draft is what is not retired;
a published version is what was there at its point (docs/architecture.md#versions). Nothing is ever rewritten that a
published version shows.
"""

import uuid
from datetime import datetime
from typing import NamedTuple, Self, cast

from django.db import models
from django.db.models import F, Q

from archive.accounts.policy import Actor, visible_rows
from archive.blobs.models import Blob
from archive.datasets.models import Dataset
from archive.paths import MAX_PATH_CHARACTERS
from archive.timeline.rows import RowsInTime
from archive.zarr.models import ZarrArchive, ZarrRevision


class Folded(models.Func):
    """A path without its case, in byte order. By the collation of the column itself, only English has capitals."""

    template = '(UPPER((%(expressions)s) COLLATE "default") COLLATE "C")'
    output_field = models.CharField()


class AssetQuerySet(RowsInTime["Asset"]):
    """Assets in time."""

    def visible_to(self, actor: Actor) -> Self:
        """Return the assets that the actor may read, those of the past included.

        What was removed before a release that started anew stays closed.
        """
        return self.filter(visible_rows(actor))


class Asset(models.Model):
    """A file of a dataset, from one change to another: a path, the bytes, and metadata as its owner gave it.

    The bytes are a blob, or a revision of a Zarr archive.
    """

    class Status(models.TextChoices):
        PENDING = "Pending"
        VALID = "Valid"
        INVALID = "Invalid"

    asset_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="assets")
    path = models.CharField(max_length=MAX_PATH_CHARACTERS, db_collation="C")
    folder = models.CharField(max_length=MAX_PATH_CHARACTERS, db_collation="C", blank=True)
    blob = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="assets")
    zarr = models.ForeignKey(ZarrArchive, models.RESTRICT, null=True, related_name="assets")
    # The revision that it shows, for ever; an ingest gives the draft's assets the next one. None before the first.
    zarr_revision = models.ForeignKey(ZarrRevision, models.RESTRICT, null=True, related_name="assets")
    size = models.BigIntegerField()
    metadata = models.JSONField()
    introduced = models.BigIntegerField()
    retired = models.BigIntegerField(null=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    problems = models.JSONField(default=list)
    # What this asset adds to the summary of its version (archive.metadata); known once it is valid.
    contribution = models.JSONField(null=True)
    created = models.DateTimeField()
    modified = models.DateTimeField()

    objects = AssetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "path"], condition=Q(retired__isnull=True), name="asset_path_once_in_draft"
            ),
            models.CheckConstraint(
                condition=Q(retired__isnull=True) | Q(retired__gt=F("introduced")), name="asset_retired_later"
            ),
            models.CheckConstraint(condition=Q(status__in=["Pending", "Valid", "Invalid"]), name="asset_status_known"),
            models.CheckConstraint(condition=Q(metadata__has_key="schemaVersion"), name="asset_has_schema_version"),
            models.CheckConstraint(
                condition=Q(blob__isnull=False, zarr__isnull=True, zarr_revision__isnull=True)
                | Q(blob__isnull=True, zarr__isnull=False),
                name="asset_is_blob_or_zarr",
            ),
        ]
        indexes = [
            models.Index(
                fields=["dataset", "path", "introduced"], include=["retired", "id", "size"], name="asset_by_path"
            ),
            models.Index(
                fields=["dataset", "folder", "path", "introduced"], include=["retired"], name="asset_in_folder"
            ),
            models.Index(fields=["dataset", "introduced", "path"], include=["retired"], name="asset_by_introduction"),
            models.Index(fields=["dataset", "retired"], condition=Q(retired__isnull=False), name="asset_by_retirement"),
            # A path prefix in any case (docs/dialects/dandi.md#lists-of-assets).
            models.Index(F("dataset"), Folded("path"), name="asset_by_folded_path"),
            models.Index(
                fields=["dataset", "status", "modified", "id"],
                condition=Q(retired__isnull=True) & ~Q(status="Valid"),
                name="asset_unsettled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id:06}/{self.path}"

    @property
    def content_id(self) -> uuid.UUID:
        """Return the id of its blob or Zarr revision, or of its Zarr archive before there is a revision."""
        # A constraint ensures that one of them is set.
        return cast("uuid.UUID", self.blob_id or self.zarr_revision_id or self.zarr_id)

    @property
    def checksum(self) -> str | None:
        """Return the dandi-etag of the blob, or the checksum of the Zarr revision; None before the first one."""
        if self.blob:
            return self.blob.etag
        return self.zarr_revision.checksum if self.zarr_revision else None


class BriefAsset(NamedTuple):
    """An asset as lists have it, without its metadata."""

    asset_id: uuid.UUID
    blob_id: uuid.UUID | None
    zarr_id: uuid.UUID | None
    zarr_revision_id: uuid.UUID | None
    path: str
    size: int
    created: datetime
    modified: datetime
    introduced: int
    retired: int | None

    @property
    def content_id(self) -> uuid.UUID:
        """Return the id that the asset itself has under this name."""
        return cast("uuid.UUID", self.blob_id or self.zarr_revision_id or self.zarr_id)


class SummaryValue(models.Model):
    """A value in a draft's summary, with the number of assets that contribute it, which may have dropped to 0.

    Postgres keeps count: triggers add up what each statement changes, so that a summary needs no look at the assets.
    """

    # The unique constraint has its index.
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="summary_values", db_index=False)
    # The name that the value's list has in `Asset.contribution`.
    part = models.CharField(max_length=32)
    # The SHA-256 of the value, which may be longer than an index takes.
    digest = models.BinaryField()
    value = models.JSONField()
    asset_count = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "part", "digest"], name="summary_value_counted_once")]

    def __str__(self) -> str:
        return f"{self.dataset_id:06} {self.part}: {self.value}"


class Batch(models.Model):
    """A batch of files that was taken by a key of its sender's: sent again, it is not taken again."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="batches")
    key = models.CharField(max_length=100)
    # Of what was sent, by which another batch with the same key is told.
    digest = models.CharField(max_length=64)
    # The number of the change that it was.
    change = models.BigIntegerField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.UniqueConstraint(fields=["dataset", "key"], name="batch_once_per_key"),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="batch_digest_is_sha256"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id:06}#{self.change} {self.key}"


class Folder(models.Model):
    """A folder of a dataset, from one change to another, with the sums over everything below it.

    Kept up to date by each change of assets, in the same transaction. A row that a published version shows is retired
    and replaced; one that no version shows is updated in place, so history costs only what versions need.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="folders")
    path = models.CharField(max_length=MAX_PATH_CHARACTERS, db_collation="C", blank=True)
    # None for the root, which is in no folder.
    folder = models.CharField(max_length=MAX_PATH_CHARACTERS, db_collation="C", null=True)
    file_count = models.BigIntegerField()
    size = models.BigIntegerField()
    child_count = models.BigIntegerField()
    introduced = models.BigIntegerField()
    retired = models.BigIntegerField(null=True)

    objects = RowsInTime["Folder"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "path"], condition=Q(retired__isnull=True), name="folder_path_once_in_draft"
            ),
            models.CheckConstraint(
                condition=Q(retired__isnull=True) | Q(retired__gt=F("introduced")), name="folder_retired_later"
            ),
            models.CheckConstraint(
                condition=Q(file_count__gt=0, child_count__gt=0, size__gte=0), name="folder_is_not_empty"
            ),
        ]
        indexes = [
            models.Index(
                fields=["dataset", "folder", "path", "introduced"], include=["retired"], name="folder_in_folder"
            ),
            models.Index(fields=["dataset", "path", "introduced"], include=["retired"], name="folder_by_path"),
            models.Index(F("dataset"), Folded("path"), condition=Q(retired__isnull=True), name="folder_by_folded_path"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id:06}/{self.path}"
