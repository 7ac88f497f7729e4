"""How Postgres would run what is asked of it."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


def plans_of(ask: Callable[[], Any], table: str) -> dict[str, str]:
    """Each page of a table's rows that `ask` reads -> how Postgres would find it now."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    pages = [query["sql"] for query in captured if table in query["sql"] and "LIMIT" in query["sql"]]
    return {sql: _plan(sql) for sql in pages}


def count_rows(*tables: str) -> None:
    """Has Postgres know the tables as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())
