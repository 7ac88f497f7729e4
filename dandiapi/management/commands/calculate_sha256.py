"""Have checksums computed."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.blobs.queries import blobs_without_sha256
from archive.blobs.services import request_checksum
from dandiapi.management.progress import progress


class Command(BaseCommand):
    """A command that has the workers compute the SHA-256 of each blob that has none."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which blobs are meant."""
        parser.add_argument("--blob-id", type=UUID, help="of this blob alone")
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the jobs."""
        blobs = blobs_without_sha256()
        if options["blob_id"]:
            blobs = blobs.filter(pk=options["blob_id"])
            if not blobs:
                raise CommandError("There is no such blob without a SHA-256.")
        count = blobs.count()
        if options["dry_run"]:
            self.stdout.write(f"{count} blobs have no SHA-256.")
            return
        for blob in progress(blobs.iterator(), total=count, unit="blobs"):
            request_checksum(blob=blob)
        self.stdout.write(f"Asked for the SHA-256 of {count} blobs.")
