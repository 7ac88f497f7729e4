"""The tests' databases: how each test process gets one, and what becomes of it between two tests that commit."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.sql import SQL, Identifier

# What the migrations have written; no test adds to it.
MIGRATED = {"django_migrations", "django_content_type", "auth_permission"}

# Held, by its number, by the test process that makes the template.
TEMPLATE_LOCK = 1


def template() -> str:
    """Return the name of a database that has been migrated, which is copied in a tenth of the time that takes.

    The first test process to ask makes it; it lasts as long as the services of the tests do.
    """
    creation = connection.creation
    name = f"{connection.settings_dict['NAME']}_migrated"
    with creation._nodb_cursor() as cursor:
        # On a busy machine the first process takes longer to migrate than statements are given to wait for a lock.
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if not cursor.rowcount:
            _make_migrated(name)
    return name


def _make_migrated(name: str) -> None:
    own, test = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    of_tests, test["NAME"] = test["NAME"], name
    connection.creation.create_test_db(verbosity=0, serialize=False)
    # Nobody may be connected to what is copied.
    connection.close()
    connection.close_pool()
    test["NAME"] = of_tests
    settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = own


def tables() -> list[str]:
    """Return the names of the tables that tests write to."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted({*names} - MIGRATED)


def delete_rows() -> None:
    """Delete all that tests have committed.

    As Django's own flush does, but that truncates fifty tables of which most are empty, and makes the content types and
    permissions anew, which takes ten times as long.
    """
    with _unguarded() as cursor:
        cursor.execute(SQL("; ").join(SQL("DELETE FROM {}").format(Identifier(table)) for table in tables()))


def copy_rows() -> dict[str, bytes]:
    """Return all rows, by their tables, for `paste_rows`."""
    copied = {}
    with connection.cursor() as cursor:
        for table in tables():
            with cursor.copy(SQL("COPY {} TO STDOUT").format(Identifier(table))) as rows:
                copied[table] = b"".join(rows)
    return {table: rows for table, rows in copied.items() if rows}


def paste_rows(copied: Mapping[str, bytes]) -> None:
    """Insert rows that have been copied: into a database without any, they make it what it was."""
    with _unguarded() as cursor:
        for table, rows in copied.items():
            with cursor.copy(SQL("COPY {} FROM STDIN").format(Identifier(table))) as file:
                file.write(rows)


@contextmanager
def _unguarded() -> Iterator[CursorWrapper]:
    """A cursor that neither what the archive never deletes nor the order of foreign keys is in the way of."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
