"""Make the search index anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.search.services import rebuild_index
from dandiapi.management.progress import add_dataset_arguments, chosen_datasets, progress


class Command(BaseCommand):
    """Has the workers make anew what searches read, as is needed when what is searched for has changed."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Which."""
        add_dataset_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        datasets = chosen_datasets(options)
        count = datasets.count()
        if options["dry_run"]:
            self.stdout.write(f"Would index {count} datasets again.")
            return
        for dataset in progress(datasets.iterator(), total=count, unit="datasets"):
            rebuild_index(dataset=dataset)
        self.stdout.write(f"Asked for the index of {count} datasets.")
