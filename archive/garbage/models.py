"""GarbageEvent: rows that were collected, as they were, so that they can be given back."""

from django.db import models
from django.db.models import Q


class GarbageEvent(models.Model):
    """A collection of garbage: some rows of one kind, collected together.

    Until it is being purged it can be undone. What the rows stand for in the store is deleted by the purge, which says
    first that it has begun: after that, nothing can be given back.
    """

    class Kind(models.TextChoices):
        ASSETS = "assets"
        BLOBS = "blobs"
        UPLOADS = "uploads"
        RECEPTIONS = "receptions"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    created = models.DateTimeField(auto_now_add=True)
    row_count = models.IntegerField()
    size = models.BigIntegerField()
    rows = models.JSONField()
    undone = models.DateTimeField(null=True)
    purge_begun = models.DateTimeField(null=True)
    purged = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(undone__isnull=True) | Q(purge_begun__isnull=True), name="garbage_undone_or_purged"
            ),
            models.CheckConstraint(
                condition=Q(purged__isnull=True) | Q(purge_begun__isnull=False), name="garbage_purge_begins"
            ),
        ]
        indexes = [models.Index(fields=["created"], condition=Q(undone=None, purged=None), name="garbage_to_be_purged")]

    def __str__(self) -> str:
        return f"{self.row_count} {self.kind}"
