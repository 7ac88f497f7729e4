"""ReportedTask."""

from django.db import models

MAX_NAME = 200


class ReportedTask(models.Model):
    """A task of a worker outside of this archive, as that has reported it."""

    id = models.CharField(primary_key=True, max_length=MAX_NAME)
    name = models.CharField(max_length=MAX_NAME, blank=True)
    worker = models.CharField(max_length=MAX_NAME, blank=True)
    args = models.JSONField(null=True)
    kwargs = models.JSONField(null=True)
    error = models.TextField(blank=True)
    # In milliseconds.
    execution_time = models.BigIntegerField(null=True)
    queued = models.DateTimeField(null=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    reported = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.name or 'task'} {self.id}"
