"""Migrate metadata."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.accounts.policy import SYSTEM
from archive.datasets.services import migrate_draft
from archive.errors import ArchiveError
from dandiapi.management.progress import add_dataset_arguments, chosen_datasets, progress


class Command(BaseCommand):
    """A command that brings the metadata of drafts to the current schema, as changes in their histories."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which datasets are meant."""
        add_dataset_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate the drafts."""
        datasets = chosen_datasets(options)
        count = 0
        for dataset in progress(datasets.iterator(), total=datasets.count(), unit="drafts"):
            try:
                count += migrate_draft(actor=SYSTEM, dataset=dataset, dry_run=options["dry_run"])
            except ArchiveError as error:
                self.stderr.write(f"{dataset.identifier}: {error}")
        self.stdout.write(f"{'Would migrate' if options['dry_run'] else 'Migrated'} {count} drafts.")
