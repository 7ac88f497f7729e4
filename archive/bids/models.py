"""FileText, Deprecation and Statement."""

from django.db import models

from archive.accounts.models import User
from archive.blobs.models import Blob
from archive.datasets.models import Dataset, Version

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
    modified = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"deprecation of {self.version_id}"


class Statement(models.Model):
    """The owners' statement about a dataset that none of its files makes: by names that faces give its parts."""

    dataset = models.OneToOneField(Dataset, models.CASCADE, primary_key=True, related_name="statement")
    values = models.JSONField(default=dict)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    modified = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"statement about {self.dataset_id:06}"
