"""Have DOIs registered."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.datasets.queries import versions_for_doi
from archive.datasets.services import queue_doi_registration
from archive.identifiers.names import registers_dois
from dandiapi.management.progress import add_dataset_arguments, chosen_datasets, progress


class Command(BaseCommand):
    """A command that has the workers register, at DataCite, the DOIs of versions that are not registered."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which datasets are meant, and whether registered DOIs are too."""
        add_dataset_arguments(parser)
        parser.add_argument("--again", action="store_true", help="those that are registered too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the jobs."""
        versions = versions_for_doi(again=options["again"]).filter(dataset__in=chosen_datasets(options))
        count = versions.count()
        if options["dry_run"]:
            for version in versions.iterator():
                self.stdout.write(f"{version.doi}\t{version.doi_state}\t{version.doi_reason}")
            self.stdout.write(f"Would register {count} DOIs.")
            return
        if not registers_dois():
            raise CommandError("This archive registers no DOIs: set DATACITE_URL, DATACITE_USER, DATACITE_PASSWORD.")
        for version in progress(versions.iterator(), total=count, unit="DOIs"):
            queue_doi_registration(version=version)
        self.stdout.write(f"Asked for {count} DOIs.")
