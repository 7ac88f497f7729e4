"""Hold the counts behind the summaries of drafts against the files that they count."""

from archive.accounts.policy import SYSTEM
from archive.assets.services import recount_summary
from archive.datasets.models import Dataset
from dandiapi.management.recounting import RecountCommand


class Command(RecountCommand):
    """A command that counts what the files of drafts contribute to their summaries, and corrects what is wrong."""

    help = __doc__
    verdict = "{count} values {were} counted wrong."

    def faults(self, dataset: Dataset, *, dry_run: bool) -> list[str]:
        """Count, correct, and return a sentence about each value that is wrong."""
        values = recount_summary(actor=SYSTEM, dataset=dataset, dry_run=dry_run)
        return [f"{value} is counted wrong." for value in values]
