"""Make the bucket ready."""

from typing import Any

from django.core.management.base import BaseCommand

from archive.storage.services import prepare_bucket


class Command(BaseCommand):
    """Makes the bucket if it is not there, and sets its policy and CORS rules. Harmless to repeat."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        prepare_bucket()
