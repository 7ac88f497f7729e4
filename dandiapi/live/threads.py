"""Threads for database queries, which would block the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.conf import settings
from django.db import connections

from dandiapi.postgres.patience import statements_within

T = TypeVar("T")

EXECUTOR = ThreadPoolExecutor(4, thread_name_prefix="live")


async def in_thread(function: Callable[[], T]) -> T:
    """Return what `function` returns or raises, in a thread; its connections go back to the pool."""
    return await asyncio.get_running_loop().run_in_executor(EXECUTOR, _disconnecting, function)


def _disconnecting(function: Callable[[], T]) -> T:
    try:
        with statements_within(settings.DATABASE_READ_SECONDS):
            return function()
    finally:
        connections.close_all()
