"""How many queries a page may ask."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext


@contextmanager
def at_most(limit: int) -> Iterator[None]:
    """Fail if more than `limit` queries are asked."""
    with CaptureQueriesContext(connection) as asked:
        yield
    assert len(asked) <= limit, "\n".join(query["sql"] for query in asked)
