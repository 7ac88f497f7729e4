"""Hold the counts behind the summaries of drafts against the files that they count."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.accounts.policy import SYSTEM
from archive.assets.services import recount_summary
from dandiapi.management.progress import add_dataset_arguments, chosen_datasets, progress


class Command(BaseCommand):
    """A command that counts what the files of drafts contribute to their summaries, and corrects what is wrong."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which datasets are meant."""
        add_dataset_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, and correct."""
        datasets = chosen_datasets(options)
        wrong = 0
        for dataset in progress(datasets.iterator(), total=datasets.count(), unit="datasets"):
            values = recount_summary(actor=SYSTEM, dataset=dataset, dry_run=options["dry_run"])
            wrong += len(values)
            for value in values:
                self.stdout.write(f"{value} is counted wrong.")
        self.stdout.write(f"{wrong} values {'are' if options['dry_run'] else 'were'} counted wrong.")
