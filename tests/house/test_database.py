"""What one test commits, no other finds."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from psycopg.sql import SQL, Identifier

from archive.publishing.services import publish
from archive.timeline.models import Change
from tests.database import copy_rows, delete_rows, paste_rows, tables
from tests.factories import make_asset, make_blob, make_dataset, owner_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def rows() -> dict[str, int]:
    """How many rows there are in each table that has any."""
    with connection.cursor() as cursor:
        counts = {}
        for table in tables():
            cursor.execute(SQL("SELECT count(*) FROM {}").format(Identifier(table)))
            counts[table] = cursor.fetchone()[0]
    return {table: count for table, count in counts.items() if count}


def what_migrations_made() -> set[tuple[str, str, str]]:
    return {*Permission.objects.values_list("content_type__app_label", "content_type__model", "codename")}


def test_nothing_is_left_of_a_test_that_commits_even_of_what_the_archive_never_deletes(writer: Worker) -> None:
    assert rows() == {}
    dataset = make_dataset()
    make_asset(dataset, blob=make_blob(dataset))
    writer.run()
    publish(actor=owner_of(dataset), dataset=dataset)
    writer.run()
    assert Change._meta.db_table in rows()
    delete_rows()
    assert rows() == {}


def test_rows_that_are_pasted_are_those_that_were_copied() -> None:
    make_asset(make_dataset())
    copied = copy_rows()
    delete_rows()
    paste_rows(copied)
    assert copy_rows() == copied
    assert Change._meta.db_table in copied


def test_what_migrations_made_is_as_a_flush_makes_it() -> None:
    types = ContentType.objects.count()
    before = what_migrations_made()
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
    assert what_migrations_made() == before
    assert ContentType.objects.count() == types
