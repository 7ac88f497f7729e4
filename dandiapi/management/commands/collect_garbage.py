"""Collect garbage."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from archive.errors import ArchiveError
from archive.garbage import queries, services
from archive.garbage.queries import Kind
from dandiapi.management.progress import progress

EVENTS_SHOWN = 50


class Command(BaseCommand):
    """A command that collects garbage, and deletes from the store what was collected over 30 days ago.

    Until then it can be given back. Without a kind, nothing is collected.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what is collected, and how old it has to be."""
        parser.add_argument("--assets", action="store_true", help="assets that left a draft and that no version shows")
        parser.add_argument("--blobs", action="store_true", help="blobs that no asset uses")
        parser.add_argument("--uploads", action="store_true", help="uploads that were never finished")
        parser.add_argument("--receptions", action="store_true", help="content that nobody went on sending")
        parser.add_argument("--older-than", type=int, default=queries.AGE.days, metavar="DAYS", help="default: 7")
        parser.add_argument("--dry-run", action="store_true", help="only say how much there is")
        parser.add_argument("--list", action="store_true", help="list what was collected")
        parser.add_argument("--undo", type=int, metavar="ID", help="give back what was collected by that event")

    def handle(self, *args: Any, **options: Any) -> None:
        """Collect, list or give back, as asked."""
        try:
            self._handle(options)
        except ArchiveError as error:
            raise CommandError(error.message) from error

    def _handle(self, options: dict[str, Any]) -> None:
        if options["undo"] is not None:
            event = services.undo_collection(event_id=options["undo"])
            self.stdout.write(f"Gave back {event}.")
        elif options["list"]:
            self._list()
        else:
            # Assets come first: what they used may be garbage without them.
            for kind in [kind for kind in Kind.values if options[kind]]:
                self._collect(kind, timedelta(days=options["older_than"]), dry_run=options["dry_run"])
            self._purge(dry_run=options["dry_run"])

    def _collect(self, kind: str, older_than: timedelta, *, dry_run: bool) -> None:
        totals = queries.garbage_totals(kind, older_than)
        if dry_run:
            self.stdout.write(f"Would collect {totals.count} {kind} of {totals.size} bytes.")
            return
        for event in progress(services.collect_garbage(kind=kind, older_than=older_than), unit="batches"):
            self.stdout.write(f"Collected {event} of {event.size} bytes; --undo {event.pk} gives them back.")

    def _purge(self, *, dry_run: bool) -> None:
        due = queries.events_to_purge().count()
        if dry_run:
            self.stdout.write(f"Would purge {due} events.")
            return
        for event in progress(services.purge_garbage(), total=due, unit="events"):
            self.stdout.write(f"Purged {event}.")

    def _list(self) -> None:
        for event in queries.events()[:EVENTS_SHOWN]:
            state = "undone" if event.undone else "purged" if event.purged else "kept"
            self.stdout.write(f"{event.pk}\t{event.created:%Y-%m-%d %H:%M}\t{event}\t{event.size} bytes\t{state}")
