"""Work done beside the test, over database connections of its own."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection

T = TypeVar("T")


@contextmanager
def threads(number: int = 1) -> Iterator[Callable[..., "Future[Any]"]]:
    """What starts a function, with arguments, in one of so many threads; at the end, all are waited for."""
    with ThreadPoolExecutor(number) as executor:
        yield lambda function, *arguments, **options: executor.submit(_disconnecting, function, *arguments, **options)


def _disconnecting(function: Callable[..., T], *arguments: Any, **options: Any) -> T:
    try:
        return function(*arguments, **options)
    finally:
        # A thread's connection is nobody else's, so nobody else would close it.
        connection.close()
