"""Make the bucket ready."""

from typing import Any

from django.core.management.base import BaseCommand

from archive.storage.services import prepare_bucket


class Command(BaseCommand):
    """A command that makes the bucket if there is none, and sets its policy and CORS rules. It can be repeated."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare the bucket."""
        prepare_bucket()
