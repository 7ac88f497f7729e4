"""The backend; Django looks for it under this name."""

from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper as DjangoWrapper
from psycopg import Connection, OperationalError

from dandiapi.postgres.patience import statement_seconds


class DatabaseWrapper(DjangoWrapper):
    """The connection of one thread to Postgres."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """Return a connection, new or from the pool, that works, and has the statement timeout of this thread.

        When one is stale, Postgres was away, so the others are stale too, and the pool is emptied. Its own check finds
        them out one by one, and waits longer after each: seven seconds for four of them.

        Raises psycopg.OperationalError or psycopg_pool.PoolTimeout while Postgres is away.
        """
        connection: Connection[Any] = super().get_new_connection(conn_params)
        if self.pool and not _is_ready(connection):
            self.pool.drain()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
            _prepare(connection)
        return connection


def _is_ready(connection: Connection[Any]) -> bool:
    """Prepare the connection for this thread, and return whether it works: both in one message."""
    try:
        _prepare(connection)
    except OperationalError:
        return False
    return True


def _prepare(connection: Connection[Any]) -> None:
    if not connection.autocommit:
        # A connection that was given back within a transaction would begin another.
        connection.autocommit = True
    # In autocommit mode, the setting stays when a later transaction is rolled back.
    connection.execute(f"SET statement_timeout = {statement_seconds() * 1000:d}", prepare=False)
