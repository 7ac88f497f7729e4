"""Hold the sums of folders against the files in them."""

from archive.accounts.policy import SYSTEM
from archive.assets.services import recount_folders
from archive.datasets.models import Dataset
from dandiapi.management.recounting import RecountCommand


class Command(RecountCommand):
    """A command that counts the files in the folders of drafts, and corrects the sums that are wrong."""

    help = __doc__
    verdict = "{count} folders {were} wrong."

    def faults(self, dataset: Dataset, *, dry_run: bool) -> list[str]:
        """Count, correct, and return a sentence about each folder that is wrong."""
        folders = recount_folders(actor=SYSTEM, dataset=dataset, dry_run=dry_run)
        return [f"{dataset.identifier}/{path} is wrong." for path in folders]
