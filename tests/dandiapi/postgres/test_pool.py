"""The pool of connections to Postgres."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import Connection
from psycopg_pool import ConnectionPool

from archive.errors import BusyError
from dandiapi.errors import as_domain_error
from dandiapi.postgres.patience import statements_within

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


@pytest.mark.usefixtures("pool")
def test_statements_are_given_up_after_as_long_as_is_wanted(thread: BaseDatabaseWrapper) -> None:
    assert given_up_after(thread) == "1min"
    with statements_within(10):
        assert given_up_after(thread) == "10s"
    assert given_up_after(thread) == "1min"


def test_connection_serves_the_next_thread_when_it_was_given_back_within_a_transaction(
    pool: ConnectionPool, thread: BaseDatabaseWrapper
) -> None:
    for _ in range(pool.max_size):
        process_number(thread)
        thread.set_autocommit(False)
        thread.close()
    assert given_up_after(thread) == "1min"


@pytest.mark.usefixtures("pool")
def test_statements_are_given_up_without_a_message_more(
    thread: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    execute = Connection.execute

    def recorded(self: Connection[Any], query: Any, *args: Any, **options: Any) -> Any:
        sent.append(query)
        return execute(self, query, *args, **options)

    monkeypatch.setattr(Connection, "execute", recorded)
    given_up_after(thread)
    # What it says is what finds out whether the connection works.
    assert sent == ["SET statement_timeout = 60000"]


def test_statement_that_is_given_up_is_told_as_such() -> None:
    with pytest.raises(OperationalError) as slow, transaction.atomic():
        sleep(5)
    told = as_domain_error(slow.value)
    assert isinstance(told, BusyError)
    assert (told.retry_after, "took too long" in told.message) == (60, True)


def sleep(seconds: float) -> None:
    """Have Postgres sleep for so long, and give up before."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 10")
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def given_up_after(thread: BaseDatabaseWrapper) -> str:
    """After how long Postgres gives up what the thread asks next."""
    with thread.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        said: str = cursor.fetchone()[0]
    thread.close()
    return said


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
