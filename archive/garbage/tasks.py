"""The nightly collection, if the settings ask for it."""

from celery import shared_task
from django.conf import settings

from archive.garbage.queries import Kind
from archive.garbage.work import collect, purge
from archive.uploads.services import end_stale_sessions

HOUR = 3600


@shared_task(soft_time_limit=6 * HOUR, time_limit=6 * HOUR + 60)
def collect_garbage_task() -> None:
    """Collect uploads and blobs, and purge. Assets are history, and are collected only by who asks for it.

    Sessions of uploads end in any case: they have no bytes of their own.
    """
    end_stale_sessions()
    if not settings.GARBAGE_COLLECTION:
        return
    for kind in (Kind.UPLOADS, Kind.RECEPTIONS, Kind.BLOBS):
        for _ in collect(kind):
            pass
    for _ in purge():
        pass
