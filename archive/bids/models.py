"""FileText and Deprecation."""

from django.db import models

from archive.accounts.models import User
from archive.blobs.models import Blob
from archive.datasets.models import Version

MAX_REASON = 1000


class FileText(models.Model):
    """The text of a small file, kept so that a list of datasets need not ask the store for each; it never changes."""

    blob = models.OneToOneField(Blob, models.CASCADE, primary_key=True, related_name="text")
    text = models.TextField()

    def __str__(self) -> str:
        return f"text of {self.blob_id}"


class Deprecation(models.Model):
    """A person's word that a version is not to be used any more, and why."""

    version = models.OneToOneField(Version, models.CASCADE, primary_key=True, related_name="deprecation")
    reason = models.CharField(max_length=MAX_REASON)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"deprecation of {self.version_id}"
