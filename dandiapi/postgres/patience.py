"""How long a statement may take: what a request asks of Postgres, by what kind of request it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

_seconds: ContextVar[int | None] = ContextVar("statement_seconds", default=None)


@contextmanager
def statements_within(seconds: int) -> Iterator[None]:
    """Have Postgres give up each statement after so long, on the connections that this thread takes from now on."""
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def statement_seconds() -> int:
    """How long a statement of this thread may take."""
    return _seconds.get() or settings.DATABASE_STATEMENT_SECONDS
