"""Make a token for a program outside of this archive: a worker that reports, or an indexer that reads everything."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.accounts.policy import Actor
from archive.accounts.queries import find_users
from archive.datasets.queries import find_named_dataset
from archive.errors import ArchiveError, NotFoundError
from dandiapi.graphql.tokens import new_indexer_token, new_worker_token


class Command(BaseCommand):
    """A command that prints a token of an administrator for one purpose, and nothing else."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare whose token it is, and what it is for."""
        parser.add_argument("email", help="the e-mail address of an administrator, in whose name the program acts")
        purpose = parser.add_mutually_exclusive_group()
        purpose.add_argument("--dataset", help="the one dataset that the worker reports about; without it, all")
        purpose.add_argument(
            "--indexer", action="store_true", help="a token that reads everything, and reports nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token, and print it."""
        found = find_users([options["email"]])
        if not found:
            raise CommandError(f"There is no account {options['email']}.")
        actor = Actor(user=found[0])
        try:
            self.stdout.write(_new_token(actor, is_indexer=options["indexer"], dataset=options["dataset"]))
        except NotFoundError:
            raise CommandError(f"There is no dataset {options['dataset']}.") from None
        except ArchiveError as error:
            raise CommandError(str(error)) from error


def _new_token(actor: Actor, *, is_indexer: bool, dataset: str | None) -> str:
    if is_indexer:
        return new_indexer_token(actor)
    return new_worker_token(actor, find_named_dataset(actor, dataset) if dataset else None)
