"""The backend; Django looks for it under this name."""

from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper as DjangoWrapper
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool


class DatabaseWrapper(DjangoWrapper):
    """One thread's way to Postgres."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """A connection, new or out of the pool, that works.

        When one is stale, Postgres was away, so the others are stale too, and the pool is emptied. Its own check finds
        them out one by one, and waits longer after each: seven seconds for four of them.

        Raises psycopg.OperationalError or psycopg_pool.PoolTimeout while Postgres is away.
        """
        connection: Connection[Any] = super().get_new_connection(conn_params)
        if self.pool and not _works(connection):
            self.pool.drain()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def _works(connection: Connection[Any]) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        return False
    return True
