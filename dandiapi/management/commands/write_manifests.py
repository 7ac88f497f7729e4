"""Write manifests again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.datasets.queries import completed_versions
from archive.publishing.services import rewrite_manifests
from dandiapi.management.progress import add_dataset_arguments, chosen_datasets, progress


class Command(BaseCommand):
    """A command that has the workers write the manifests of drafts and versions again."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which datasets are meant, and whether their drafts are too."""
        add_dataset_arguments(parser)
        parser.add_argument("--published-only", action="store_true", help="leave those of drafts as they are")

    def handle(self, *args: Any, **options: Any) -> None:
        """Have the manifests written again."""
        versions = completed_versions().filter(dataset__in=chosen_datasets(options)).defer("metadata", "problems")
        if options["published_only"]:
            versions = versions.filter(at__isnull=False)
        count = versions.count()
        if options["dry_run"]:
            self.stdout.write(f"Would write the manifests of {count} versions.")
            return
        for version in progress(versions.order_by("pk").iterator(), total=count, unit="versions"):
            rewrite_manifests(version=version)
        self.stdout.write(f"Asked for the manifests of {count} versions.")
