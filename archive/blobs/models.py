"""Upload, Reception and Blob."""

import uuid

from django.db import models
from django.db.models import Q

from archive.accounts.models import User
from archive.datasets.models import Dataset
from archive.digests import MAX_OBJECT_SIZE, parts_of
from archive.git_annex.keys import AnnexKey


def blob_key(blob_id: uuid.UUID) -> str:
    """Return the key of a blob's object: made of nothing that a user chose, and not to be guessed."""
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
            models.CheckConstraint(condition=Q(size__range=(0, MAX_OBJECT_SIZE)), name="upload_size_possible"),
            models.CheckConstraint(condition=Q(etag__regex=r"^[0-9a-f]{32}-\d{1,5}$"), name="upload_etag_format"),
        ]

    def __str__(self) -> str:
        return f"{self.etag} ({self.size} bytes)"

    @property
    def key(self) -> str:
        return blob_key(self.id)


class Reception(models.Model):
    """An upload through this server (by git-annex, say): its bytes come in parts, and are handed on to the store.

    Once all parts are there, and have the digest that was announced, it becomes the Blob of the same id. A request that
    works on it holds it (`holder`, `held_until`); a hold that is not renewed expires.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="receptions")
    user = models.ForeignKey(User, models.PROTECT, related_name="receptions")
    hash_name = models.CharField(max_length=8)
    digest = models.CharField(max_length=64)
    size = models.BigIntegerField()
    multipart_id = models.CharField(max_length=1024)
    # The MD5s of the parts that the store has, in order.
    part_md5s = models.JSONField(default=list)
    holder = models.UUIDField(null=True, editable=False)
    held_until = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "user", "hash_name", "digest", "size"], name="reception_once"),
            models.CheckConstraint(condition=Q(size__range=(0, MAX_OBJECT_SIZE)), name="reception_size_possible"),
            models.CheckConstraint(
                condition=Q(hash_name="SHA256", digest__regex=r"^[0-9a-f]{64}$")
                | Q(hash_name="MD5", digest__regex=r"^[0-9a-f]{32}$"),
                name="reception_digest_format",
            ),
            models.CheckConstraint(
                condition=Q(holder__isnull=True, held_until__isnull=True)
                | Q(holder__isnull=False, held_until__isnull=False),
                name="reception_held_until",
            ),
        ]

    def __str__(self) -> str:
        return str(self.annex_key)

    @property
    def key(self) -> str:
        return blob_key(self.id)

    @property
    def annex_key(self) -> AnnexKey:
        """Return the key that the bytes were announced by."""
        return AnnexKey(self.hash_name, self.size, self.digest)

    @property
    def received(self) -> int:
        """Return how many of the bytes the store has."""
        return sum(part.size for part in parts_of(self.size)[: len(self.part_md5s)])


class Blob(models.Model):
    """An immutable object in the store whose size and dandi-etag have been verified; SHA-256 follows by a worker."""

    id = models.UUIDField(primary_key=True, editable=False)
    uploader = models.ForeignKey(User, models.PROTECT, related_name="blobs")
    size = models.BigIntegerField()
    etag = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64, null=True, blank=True)
    # Set where content was received by its key, with the dataset it was received for: only there its MD5 is trusted.
    md5 = models.CharField(max_length=32, null=True, blank=True)
    received_for = models.ForeignKey(
        Dataset, models.SET_NULL, null=True, blank=True, related_name="received_blobs", db_index=False
    )
    is_open = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size__range=(0, MAX_OBJECT_SIZE)), name="blob_size_possible"),
            models.CheckConstraint(condition=Q(etag__regex=r"^[0-9a-f]{32}-\d{1,5}$"), name="blob_etag_format"),
            models.CheckConstraint(
                condition=Q(sha256__isnull=True) | Q(sha256__regex=r"^[0-9a-f]{64}$"), name="blob_sha256_format"
            ),
            models.CheckConstraint(
                condition=Q(md5__isnull=True) | Q(md5__regex=r"^[0-9a-f]{32}$"), name="blob_md5_format"
            ),
        ]
        indexes = [
            # Not unique: what a caller may not read looks like what is not there (docs/architecture.md#bytes).
            models.Index(fields=["etag"], name="blob_by_etag"),
            models.Index(fields=["sha256"], name="blob_by_sha256"),
            models.Index(fields=["md5"], condition=Q(md5__isnull=False), name="blob_by_md5"),
            models.Index(fields=["received_for"], condition=Q(received_for__isnull=False), name="blob_by_dataset"),
        ]

    def __str__(self) -> str:
        return f"{self.etag} ({self.size} bytes)"

    @property
    def key(self) -> str:
        return blob_key(self.id)
