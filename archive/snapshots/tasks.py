"""The periodic tasks of repositories."""

from celery import shared_task

from archive.snapshots import work
from archive.snapshots.keeping.bundles import sweep_bundles
from archive.snapshots.keeping.exports import sweep_exports

HOUR = 3600


@shared_task(soft_time_limit=300, time_limit=360)
def check_repositories_task() -> None:
    """Start jobs that check some repositories."""
    work.check_some()


@shared_task(soft_time_limit=6 * HOUR, time_limit=6 * HOUR + 60)
def sweep_store_task() -> None:
    """Delete what the store has of repositories and no row tells of: bundles, and what was laid out for everybody."""
    sweep_exports()
    sweep_bundles()
