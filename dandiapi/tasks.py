"""The scheduled tasks of the faces."""

from celery import shared_task
from oauth2_provider.models import clear_expired


@shared_task(soft_time_limit=3600, time_limit=3660)
def forget_expired_grants_task() -> None:
    """Delete the codes and tokens of web apps that nobody can use any more."""
    clear_expired()
