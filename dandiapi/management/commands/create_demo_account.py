"""Make an account for a first look."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from archive.accounts.services import create_token, ensure_user


class Command(BaseCommand):
    """A command that makes an administrator with that password, and prints a token of theirs and nothing else."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the address and the password."""
        parser.add_argument("email")
        parser.add_argument("password")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the account, and print its token."""
        user = ensure_user(
            email=options["email"],
            password=options["password"],
            first_name="Demo",
            last_name="Administrator",
            is_admin=True,
        )
        _, secret = create_token(user=user, name="demo")
        self.stdout.write(secret)
