"""The tests' database between two tests that commit."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.sql import SQL, Identifier

# What the migrations have written; no test adds to it.
MIGRATED = {"django_migrations", "django_content_type", "auth_permission"}


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
