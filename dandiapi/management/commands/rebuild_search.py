"""Make the search index anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.search.services import rebuild_index
from dandiapi.management.progress import add_dataset_arguments, chosen_datasets, progress


class Command(BaseCommand):
    """A command that has the workers build the search index again, as is needed when its rules have changed."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which datasets are meant."""
        add_dataset_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Have the index built again."""
        datasets = chosen_datasets(options)
        count = datasets.count()
        if options["dry_run"]:
            self.stdout.write(f"Would index {count} datasets again.")
            return
        for dataset in progress(datasets.iterator(), total=count, unit="datasets"):
            rebuild_index(dataset=dataset)
        self.stdout.write(f"Asked for the index of {count} datasets.")
