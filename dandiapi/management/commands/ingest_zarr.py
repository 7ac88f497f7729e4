"""Ingest Zarr archives that have been uploaded and never finalized, or whose ingest has failed."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from archive.accounts.policy import SYSTEM
from archive.errors import ArchiveError
from archive.zarr.queries import unfinalized_zarrs
from archive.zarr.services import finalize


class Command(BaseCommand):
    """A command that finalizes archives, so that a worker ingests them, and names those it could not."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which archives are meant."""
        parser.add_argument("zarr_ids", nargs="*", type=UUID, metavar="ZARR_ID")
        parser.add_argument("--all", action="store_true", help="all archives that are pending")
        parser.add_argument("--dry-run", action="store_true", help="only say which")

    def handle(self, *args: Any, **options: Any) -> None:
        """Finalize the archives."""
        if options["all"] == bool(options["zarr_ids"]):
            raise CommandError("Name the archives, or say --all.")
        zarr_ids = options["zarr_ids"] or list(unfinalized_zarrs().values_list("id", flat=True))
        if options["dry_run"]:
            self.stdout.write("\n".join(map(str, zarr_ids)))
            return
        failures = 0
        for zarr_id in tqdm(zarr_ids, unit="archive", file=self.stderr):
            failures += not self._finalize(zarr_id)
        self.stdout.write(f"{len(zarr_ids) - failures} of {len(zarr_ids)} archives will be ingested.")
        if failures:
            raise CommandError(f"{failures} archives will not.")

    def _finalize(self, zarr_id: UUID) -> bool:
        try:
            finalize(actor=SYSTEM, zarr_id=zarr_id)
        except ArchiveError as error:
            self.stderr.write(f"{zarr_id}: {error}")
            return False
        return True
