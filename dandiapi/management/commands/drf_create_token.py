"""Make a token, in the words of Django REST framework's command: the tests of the dandi client read them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.accounts.queries import find_users
from archive.accounts.services import create_token, fill_name_from_email

NAME = "made on the command line"


class Command(BaseCommand):
    """A command that prints a new API token of a user, as DANDI's tests read it (docs/dialects/dandi.md#commands)."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the user."""
        parser.add_argument("username", help="the user's name, which is their e-mail address")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token, and print it."""
        users = find_users([options["username"]])
        if not users:
            raise CommandError(f"Cannot create the Token: user {options['username']} does not exist")
        fill_name_from_email(user=users[0])
        _, secret = create_token(user=users[0], name=NAME)
        self.stdout.write(f"Generated token {secret} for user {options['username']}")
