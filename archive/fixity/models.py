"""ContentCheck."""

from django.db import models

from archive.datasets.models import Version

MAX_REMOTE = 100


class ContentCheck(models.Model):
    """The last check of a version's content in one place: which of its files that place lacks, or has damaged."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="content_checks")
    # The name of the place, as git-annex knows it; empty for the store of this archive.
    remote = models.CharField(max_length=MAX_REMOTE, blank=True)
    # A draft had the files that were looked at when this change was its files' last.
    files_changed = models.BigIntegerField()
    # How many files are missing or damaged, and the first of them, as `services.Failure` has them.
    count = models.PositiveIntegerField()
    failures = models.JSONField(default=list)
    checked = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "remote"], name="content_check_once_in_a_place")]

    def __str__(self) -> str:
        return f"{self.version} in {self.remote or 'the store'}: {self.count} failures"
