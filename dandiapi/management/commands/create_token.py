"""Make a token."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.accounts.services import create_token, ensure_user

NAME = "made on the command line"


class Command(BaseCommand):
    """A command that prints a new API token of a user and nothing else; the user is made, and approved, if needed."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the user."""
        parser.add_argument("email", help="the user's e-mail address")
        parser.add_argument("--admin", action="store_true", help="make the user an administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token, and print it."""
        user = ensure_user(email=options["email"], is_admin=options["admin"])
        _, secret = create_token(user=user, name=NAME)
        self.stdout.write(secret)
