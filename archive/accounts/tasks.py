"""The scheduled tasks about users."""

from celery import shared_task

from archive.accounts.queries import addresses_for_signup_mail, pending_users
from archive.accounts.work import queue_mail

LISTED = 100


@shared_task(soft_time_limit=30, time_limit=60)
def remind_of_pending_users_task() -> None:
    """Tell the administrators who waits to be approved, if anybody does (docs/dialects/dandi.md#approval)."""
    waiting = pending_users()
    if count := waiting.count():
        queue_mail("pending_users", to=addresses_for_signup_mail(), people=list(waiting[:LISTED]), count=count)
