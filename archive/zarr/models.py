"""ZarrArchive, ZarrRevision, ZarrEntry.

An entry is there from the revision that introduced it until the revision that retired it, as assets are from change to
change. So a revision is a number, and never changes; what it shows is found by one index.
"""

import uuid

from django.db import models
from django.db.models import F, Q

from archive.datasets.models import Dataset
from archive.paths import MAX_PATH_CHARACTERS
from archive.timeline.rows import RowsInTime

MAX_NAME = 512


def entry_prefix(zarr_id: uuid.UUID) -> str:
    """Return the prefix of the keys of an archive's objects."""
    return f"zarr/{zarr_id}/"


def entry_key(zarr_id: uuid.UUID, md5: str) -> str:
    """Return the key of content with that MD5, which all entries and revisions of an archive share.

    Nothing is ever overwritten: the URLs that put objects are bound to the MD5 that the key is made of.
    """
    return f"{entry_prefix(zarr_id)}{md5}"


class ZarrArchive(models.Model):
    """A Zarr archive of a dataset, as its owners work on it (docs/dialects/dandi.md#zarr-archives)."""

    class Status(models.TextChoices):
        PENDING = "Pending"
        UPLOADED = "Uploaded"
        INGESTING = "Ingesting"
        COMPLETE = "Complete"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="zarrs")
    name = models.CharField(max_length=MAX_NAME)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    checksum = models.CharField(max_length=80, null=True, blank=True)
    file_count = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    # The number of its newest revision; 0 while there is none.
    revision = models.BigIntegerField(default=0)
    # The first of the paths that were announced before the newest revision and never arrived.
    missing = models.JSONField(default=list)
    # The id of the last entry that anyone may read: ids grow with the revisions that introduce them.
    opened = models.BigIntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "name"], name="zarr_name_once_in_dataset"),
            models.CheckConstraint(
                condition=Q(status="Complete", checksum__isnull=False)
                | Q(status__in=["Pending", "Uploaded", "Ingesting"], checksum__isnull=True, file_count=0, size=0),
                name="zarr_checksum_when_complete",
            ),
            models.CheckConstraint(
                condition=Q(checksum__isnull=True) | Q(checksum__regex=r"^[0-9a-f]{32}-\d+--\d+$"),
                name="zarr_checksum_format",
            ),
            models.CheckConstraint(condition=Q(revision__gte=0, file_count__gte=0, size__gte=0), name="zarr_sane"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class ZarrRevision(models.Model):
    """A Zarr archive as one ingest found it. It has an id of its own, by which clients ask for entries."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    zarr = models.ForeignKey(ZarrArchive, models.CASCADE, related_name="revisions")
    number = models.BigIntegerField()
    # The number of the change from which on the draft shows it.
    at = models.BigIntegerField()
    checksum = models.CharField(max_length=80)
    file_count = models.BigIntegerField()
    size = models.BigIntegerField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["zarr", "number"], name="zarr_revision_once"),
            models.CheckConstraint(
                condition=Q(number__gt=0, file_count__gte=0, size__gte=0), name="zarr_revision_sane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.zarr_id}@{self.number}"


class ZarrEntry(models.Model):
    """A file in a Zarr archive, from one revision to another.

    One that has been announced and belongs to no revision yet is pending; its size is known once the store has it.
    """

    zarr = models.ForeignKey(ZarrArchive, models.CASCADE, related_name="entries", db_index=False)
    path = models.CharField(max_length=MAX_PATH_CHARACTERS, db_collation="C")
    md5 = models.CharField(max_length=32, db_collation="C")
    size = models.BigIntegerField(null=True)
    modified = models.DateTimeField()
    introduced = models.BigIntegerField(null=True)
    retired = models.BigIntegerField(null=True)

    objects = RowsInTime["ZarrEntry"].as_manager()

    class Meta:
        verbose_name_plural = "zarr entries"
        constraints = [
            models.UniqueConstraint(
                fields=["zarr", "path"],
                condition=Q(introduced__isnull=False, retired__isnull=True),
                name="zarr_entry_once",
            ),
            models.UniqueConstraint(
                fields=["zarr", "path"], condition=Q(introduced__isnull=True), name="zarr_entry_pending_once"
            ),
            models.CheckConstraint(condition=Q(md5__regex=r"^[0-9a-f]{32}$"), name="zarr_entry_md5_format"),
            models.CheckConstraint(
                condition=Q(introduced__isnull=True, retired__isnull=True)
                | Q(introduced__isnull=False, size__isnull=False),
                name="zarr_entry_arrived_when_introduced",
            ),
            models.CheckConstraint(
                condition=Q(retired__isnull=True) | Q(retired__gt=F("introduced")), name="zarr_entry_retired_later"
            ),
        ]
        indexes = [
            models.Index(fields=["zarr", "path", "introduced"], include=["retired"], name="zarr_entry_by_path"),
            models.Index(fields=["zarr", "id"], name="zarr_entry_by_age"),
            models.Index(
                fields=["zarr", "md5"],
                condition=Q(introduced__isnull=True, size__isnull=True),
                name="zarr_entry_awaited",
            ),
            models.Index(fields=["md5", "zarr"], condition=Q(introduced__isnull=False), name="zarr_entry_by_md5"),
        ]

    def __str__(self) -> str:
        return self.path
