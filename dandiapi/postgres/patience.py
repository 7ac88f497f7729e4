"""The statement timeout of the current thread, which depends on the kind of request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

_seconds: ContextVar[int | None] = ContextVar("statement_seconds", default=None)


@contextmanager
def statements_within(seconds: int) -> Iterator[None]:
    """Set the statement timeout of the connections that this thread takes within the block."""
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def statement_seconds() -> int:
    """Return the statement timeout of this thread."""
    return _seconds.get() or settings.DATABASE_STATEMENT_SECONDS
