"""Validate again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.publishing.services import revalidate
from dandiapi.management.progress import add_dataset_arguments, chosen_datasets, progress


class Command(BaseCommand):
    """A command that has the workers validate drafts and their assets again, since an upgrade may change the rules."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which datasets are meant, and whether their assets are too."""
        add_dataset_arguments(parser)
        parser.add_argument("--versions-only", action="store_true", help="leave the assets as they are")

    def handle(self, *args: Any, **options: Any) -> None:
        """Have the drafts validated again."""
        datasets = chosen_datasets(options)
        count = datasets.count()
        if options["dry_run"]:
            self.stdout.write(f"Would validate {count} drafts again.")
            return
        for dataset in progress(datasets.iterator(), total=count, unit="drafts"):
            revalidate(dataset=dataset, assets=not options["versions_only"])
        self.stdout.write(f"Asked for the validation of {count} drafts.")
