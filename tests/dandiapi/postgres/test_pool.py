"""The pool of connections to Postgres."""

from collections.abc import Iterator

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg_pool import ConnectionPool

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectionPool]:
    """A pool of the size and manner that the settings say, apart from that of the tests."""
    monkeypatch.setattr(DatabaseWrapper, "_connection_pools", {})
    with connection.pool as fresh:
        yield fresh


@pytest.fixture
def thread(pool: ConnectionPool) -> Iterator[BaseDatabaseWrapper]:
    """What a thread that has just begun uses to reach Postgres."""
    fresh = connections.create_connection("default")
    fresh.settings_dict = connection.settings_dict
    yield fresh
    fresh.close()


def test_pool_serves_at_once_when_all_its_connections_are_stale(
    pool: ConnectionPool, thread: BaseDatabaseWrapper
) -> None:
    pool.timeout = 4
    terminate(process_numbers(pool))
    # Found out one by one, with the pool's own pauses between them, four would take seven seconds.
    assert process_number(thread)


def test_pool_renews_all_its_connections_when_one_is_stale(pool: ConnectionPool, thread: BaseDatabaseWrapper) -> None:
    before = process_numbers(pool)
    terminate(before)
    process_number(thread)
    thread.close()
    assert process_numbers(pool).isdisjoint(before)


def test_pool_keeps_its_connections_when_they_work(pool: ConnectionPool, thread: BaseDatabaseWrapper) -> None:
    before = process_numbers(pool)
    process_number(thread)
    thread.close()
    assert process_numbers(pool) == before


def process_number(thread: BaseDatabaseWrapper) -> int:
    """Which process of Postgres serves the thread."""
    with thread.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        number: int = cursor.fetchone()[0]
    return number


def process_numbers(pool: ConnectionPool) -> set[int]:
    """Which processes of Postgres the connections are, when there are as many as there may be."""
    taken = [pool.getconn() for _ in range(pool.max_size)]
    for each in taken:
        pool.putconn(each)
    return {each.info.backend_pid for each in taken}


def terminate(process_numbers: set[int]) -> None:
    """Ends connections from Postgres's side."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(number, 5000) FROM unnest(%s) number", [list(process_numbers)])
        assert all(ended for (ended,) in cursor.fetchall())
