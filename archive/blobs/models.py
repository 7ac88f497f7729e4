"""Upload and Blob."""

import uuid

from django.db import models
from django.db.models import Q

from archive.accounts.models import User
from archive.datasets.models import Dataset
from archive.digests import MAX_OBJECT_SIZE


def blob_key(blob_id: uuid.UUID) -> str:
    """Where a blob lies in the bucket. Made of nothing a user chose, and not to be guessed."""
    text = str(blob_id)
    return f"blobs/{text[:3]}/{text[3:6]}/{text}"


class Upload(models.Model):
    """Bytes on their way in. Becomes the Blob of the same id once the store has confirmed size and digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="uploads")
    user = models.ForeignKey(User, models.PROTECT, related_name="uploads")
    size = models.BigIntegerField()
    etag = models.CharField(max_length=40)
    multipart_id = models.CharField(max_length=1024)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size__range=(1, MAX_OBJECT_SIZE)), name="upload_size_possible"),
            models.CheckConstraint(condition=Q(etag__regex=r"^[0-9a-f]{32}-\d{1,5}$"), name="upload_etag_format"),
        ]

    def __str__(self) -> str:
        return f"{self.etag} ({self.size} bytes)"

    @property
    def key(self) -> str:
        return blob_key(self.id)


class Blob(models.Model):
    """An immutable object in the store whose size and dandi-etag have been verified; SHA-256 follows by a worker."""

    id = models.UUIDField(primary_key=True, editable=False)
    uploader = models.ForeignKey(User, models.PROTECT, related_name="blobs")
    size = models.BigIntegerField()
    etag = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64, null=True, blank=True)
    is_open = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size__range=(1, MAX_OBJECT_SIZE)), name="blob_size_possible"),
            models.CheckConstraint(condition=Q(etag__regex=r"^[0-9a-f]{32}-\d{1,5}$"), name="blob_etag_format"),
            models.CheckConstraint(
                condition=Q(sha256__isnull=True) | Q(sha256__regex=r"^[0-9a-f]{64}$"), name="blob_sha256_format"
            ),
        ]
        indexes = [
            # Not unique: what a caller may not read must not be told from what is not there (architecture 5).
            models.Index(fields=["etag"], name="blob_by_etag"),
            models.Index(fields=["sha256"], name="blob_by_sha256"),
        ]

    def __str__(self) -> str:
        return f"{self.etag} ({self.size} bytes)"

    @property
    def key(self) -> str:
        return blob_key(self.id)
