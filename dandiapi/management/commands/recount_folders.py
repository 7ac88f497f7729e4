"""Hold the sums of folders against the files in them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.accounts.policy import SYSTEM
from archive.assets.services import recount_folders
from dandiapi.management.progress import add_dataset_arguments, chosen_datasets, progress


class Command(BaseCommand):
    """A command that counts the files in the folders of drafts, and corrects the sums that are wrong."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which datasets are meant."""
        add_dataset_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, and correct."""
        datasets = chosen_datasets(options)
        wrong = 0
        for dataset in progress(datasets.iterator(), total=datasets.count(), unit="datasets"):
            folders = recount_folders(actor=SYSTEM, dataset=dataset, dry_run=options["dry_run"])
            wrong += len(folders)
            for path in folders:
                self.stdout.write(f"{dataset.identifier}/{path} is wrong.")
        self.stdout.write(f"{wrong} folders {'are' if options['dry_run'] else 'were'} wrong.")
