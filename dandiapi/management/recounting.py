"""What commands share that count anew what is kept of drafts."""

from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser

from archive.datasets.models import Dataset
from dandiapi.management.progress import add_dataset_arguments, chosen_datasets, progress


class RecountCommand(BaseCommand):
    """A command that holds what is kept of drafts against their files, and corrects what is wrong."""

    # Is told at the end, with `count`, and `were`, or "are" in a dry run.
    verdict: ClassVar[str]

    def faults(self, dataset: Dataset, *, dry_run: bool) -> list[str]:
        """Return a sentence about each thing that is wrong with a dataset, and correct it unless in a dry run."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which datasets are meant."""
        add_dataset_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, and correct."""
        datasets = chosen_datasets(options)
        wrong = 0
        for dataset in progress(datasets.iterator(), total=datasets.count(), unit="datasets"):
            for fault in self.faults(dataset, dry_run=options["dry_run"]):
                wrong += 1
                self.stdout.write(fault)
        self.stdout.write(self.verdict.format(count=wrong, were="are" if options["dry_run"] else "were"))
