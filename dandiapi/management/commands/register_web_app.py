"""Register a web app."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from oauth2_provider.models import Application

from dandiapi.oauth import WEB_APP_CLIENT_ID, WEB_APP_NAME


class Command(BaseCommand):
    """A command that lets people sign in to a web app of another origin. Repeated, it adds addresses."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the app, and its addresses."""
        parser.add_argument(
            "--redirect-uri",
            nargs="+",
            required=True,
            help="where people come back to: each origin of the app and a slash, such as https://app.example.org/",
        )
        parser.add_argument("--client-id", default=WEB_APP_CLIENT_ID, help="the identifier that is built into the app")
        parser.add_argument("--name", default=WEB_APP_NAME)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Register the app."""
        Application.objects.get_or_create(
            client_id=options["client_id"],
            defaults={
                "name": options["name"],
                "client_type": Application.CLIENT_PUBLIC,
                "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
                "client_secret": "",
                "hash_client_secret": False,
                "skip_authorization": True,
            },
        )
        app = Application.objects.select_for_update().get(client_id=options["client_id"])
        known = app.redirect_uris.split()
        app.redirect_uris = " ".join(dict.fromkeys([*known, *options["redirect_uri"]]))
        try:
            app.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        app.save()
        if options["verbosity"]:
            self.stdout.write(f"{app.name} ({app.client_id}) may send people back to {app.redirect_uris}")
