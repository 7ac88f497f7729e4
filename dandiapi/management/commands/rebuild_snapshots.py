"""Write repositories again from the database, with the same commits."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.errors import ConflictError
from archive.snapshots.services import rebuild, repository_of
from dandiapi.management.progress import add_dataset_arguments, chosen_datasets, progress


class Command(BaseCommand):
    """A command that writes repositories again, as is needed when the store has lost some of them."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which datasets are meant."""
        add_dataset_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the repositories again."""
        datasets = chosen_datasets(options)
        count = datasets.count()
        if options["dry_run"]:
            self.stdout.write(f"Would write {count} repositories again.")
            return
        rebuilt = 0
        for dataset in progress(datasets.iterator(), total=count, unit="datasets"):
            try:
                rebuild(repository_of(dataset))
            except ConflictError as error:
                self.stderr.write(f"{dataset.identifier}: {error}")
            else:
                rebuilt += 1
        self.stdout.write(f"Wrote {rebuilt} of {count} repositories again.")
