"""The scheduled tasks about users."""

from celery import shared_task

from archive.accounts.queries import pending_users, reviewers
from archive.accounts.work import queue_mail

LISTED = 100


@shared_task(soft_time_limit=30, time_limit=60)
def remind_of_pending_users_task() -> None:
    """Tell the administrators who waits to be approved, if anybody does (docs/dialects/dandi.md#approval)."""
    waiting = pending_users()
    if count := waiting.count():
        queue_mail("pending_users", to=reviewers(), people=list(waiting[:LISTED]), count=count)
