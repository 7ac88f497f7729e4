"""Waiting for a version that workers are making."""

import time
from datetime import timedelta

from django.db import connection

from archive.datasets.models import Version
from archive.datasets.queries import completed_versions
from archive.errors import InvalidError, LockedError
from archive.snapshots.models import Repository
from archive.snapshots.queries import commits_of_versions
from archive.timeline.models import Job

PATIENCE = timedelta(seconds=60)
PAUSE = timedelta(seconds=0.25)


def wait_for_version(job: Job) -> Version:
    """Return the version that a job makes, once it can be read, listed and cloned.

    Raises InvalidError if it cannot be made, and LockedError if it is not there after a while; it is made all the same.
    """
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while (version := _made_by(job)) is None:
        if time.monotonic() > deadline:
            raise LockedError("The version is still being made, which goes on: look for it in a while.")
        pause()
    return version


def pause() -> None:
    """Wait a moment, without a connection to the database, which others need meanwhile."""
    if not connection.in_atomic_block:
        connection.close()
    time.sleep(PAUSE.total_seconds())


def _made_by(job: Job) -> Version | None:
    now = Job.objects.get(pk=job.pk)
    if now.state in Job.UNDONE:
        raise InvalidError(f"The version could not be made: {now.reason}")
    version = completed_versions().select_related("dataset").filter(pk=job.subject).first()
    repository = Repository.objects.filter(pk=job.dataset_id).first()
    if version is None or repository is None or not commits_of_versions(repository, [version.pk]):
        return None
    return version
