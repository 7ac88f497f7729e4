"""Make a dataset to try things with."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.accounts.policy import SYSTEM, Actor
from archive.accounts.services import ensure_user
from archive.datasets.services import create_dataset, set_owners
from dandiapi.management.progress import progress


class Command(BaseCommand):
    """A command that makes an empty, valid dataset, and prints its identifier (docs/dialects/dandi.md#commands)."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the dataset's owner and name."""
        parser.add_argument("--name", default="Development dandiset")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="made, and approved, if there is none")
        parser.add_argument("--num-extra-owners", type=int, default=0, metavar="N")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be made")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the dataset, and print its identifier."""
        extra = [f"extra-owner-{number}@example.org" for number in range(1, options["num_extra_owners"] + 1)]
        if options["dry_run"]:
            self.stdout.write(f"Would make a dataset of {', '.join([options['owner'], *extra])}.")
            return
        owner = ensure_user(email=options["owner"])
        metadata = {"description": "To try things with.", "license": ["spdx:CC0-1.0"]}
        dataset = create_dataset(actor=Actor(user=owner), name=options["name"], metadata=metadata)
        owners = [owner, *(ensure_user(email=email) for email in progress(extra, total=len(extra), unit="owners"))]
        set_owners(actor=SYSTEM, dataset=dataset, usernames=[person.username for person in owners])
        self.stdout.write(dataset.identifier)
