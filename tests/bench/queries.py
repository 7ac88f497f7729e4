"""`python -m tests.bench.queries URL...`: how many queries each GET makes, as JSON. Runs beside an archive."""

import json
import sys
from collections.abc import Callable
from typing import Any

import django
from django.db import connection
from django.test import Client


class Counter:
    """Counts queries while it wraps their execution."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.count += 1
        return execute(*arguments)


def count_queries(url: str) -> int:
    """The number of queries that a GET of somebody not logged in makes."""
    counter = Counter()
    with connection.execute_wrapper(counter):
        response = Client(headers={"host": "127.0.0.1"}).get(url)
    if response.status_code != 200:
        raise RuntimeError(f"GET {url}: {response.status_code}")
    return counter.count


if __name__ == "__main__":
    django.setup()
    print(json.dumps({url: count_queries(url) for url in sys.argv[1:]}))
