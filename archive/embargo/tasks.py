"""The scheduled tasks of embargoes."""

from celery import shared_task

from archive.embargo import work


@shared_task(soft_time_limit=600, time_limit=660)
def watch_embargoes_task() -> None:
    """Tell owners of embargoes that end soon, and, if settings say so, release the datasets whose embargo is over."""
    work.watch_embargoes()
