"""UploadSession and UploadedFile."""

from django.db import models
from django.db.models import Q

from archive.accounts.models import User
from archive.blobs.models import Blob
from archive.datasets.models import Dataset


class UploadSession(models.Model):
    """An upload of many files to a dataset, by the name that its client gives to it.

    Somebody who goes on with it prepares it again, by the same name; one that is finished is begun anew by that.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="upload_sessions")
    user = models.ForeignKey(User, models.PROTECT, related_name="upload_sessions")
    name = models.CharField(max_length=100)
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True, db_index=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "user", "name"], condition=Q(finished=None), name="upload_session_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class UploadedFile(models.Model):
    """A file of an upload session: its content, or none while that comes and if the file is one that is skipped.

    Its size is unknown while content comes whose length was not announced.
    """

    session = models.ForeignKey(UploadSession, models.CASCADE, related_name="files")
    path = models.CharField(max_length=512)
    size = models.BigIntegerField(null=True)
    is_skipped = models.BooleanField(default=False)
    # Unused content is collected after a while: then it is missing.
    blob = models.ForeignKey(Blob, models.SET_NULL, null=True, related_name="uploaded_files")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "path"], name="uploaded_file_once")]

    def __str__(self) -> str:
        return self.path
