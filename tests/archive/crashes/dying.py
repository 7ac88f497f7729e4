"""Work done by a process of its own that dies, as by `kill -9`, just before one of its external steps.

An external step is a call of the object store or of DataCite, or a commit: what stays when a process does not. To die
after one step is to die before the next, so dying before each, and after the last, is dying everywhere that matters.
"""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock
from typing import Any

import httpx
from django.core.files.storage import storages
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from archive.storage import queries as store

READS = ("SELECT", "SET", "SHOW", "SAVEPOINT", "RELEASE")
FAULTY = 3
# How long the work of a test takes at the very most.
PATIENCE_SECONDS = 90
ATTEMPTS = 3

Step = Callable[[str], None]


def die_at_step(number: int, work: Callable[[], None]) -> list[str]:
    """Does the work in a process that is killed before its step of that number, from 0, or when all is done.

    Returns the steps that were taken. Raises AssertionError if the work fails by itself. A process that was forked
    while another thread held a lock of some library waits for that for ever: it is killed, and another goes on.
    """
    for _ in range(ATTEMPTS):
        lines, ended_by = _ended(number, work)
        if ended_by != signal.SIGALRM:
            break
    assert ended_by == signal.SIGKILL, "\n".join(lines)
    return lines


def _ended(number: int, work: Callable[[], None]) -> tuple[list[str], int | None]:
    """Returns the steps that a process of its own took, or what went wrong, and the signal that ended it."""
    # Connections are not inherited: each process makes its own.
    connection.close()
    connection.close_pool()
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        _die(number, work, write_end)
    os.close(write_end)
    with os.fdopen(read_end) as told:
        lines = told.read().splitlines()
    _, status = os.waitpid(pid, 0)
    return lines, os.WTERMSIG(status) if os.WIFSIGNALED(status) else None


def _die(number: int, work: Callable[[], None], told: int) -> None:
    numbers, lock = count(), Lock()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(PATIENCE_SECONDS)

    def step(name: str) -> None:
        # Threads take steps too; none takes one while the process dies.
        with lock:
            if next(numbers) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(told, f"{name}\n".encode())

    try:
        # As workers do, it has one connection. A pool would have threads, and they would not outlive the fork.
        connection.settings_dict["OPTIONS"].pop("pool", None)
        with _watched(step):
            work()
        os.kill(os.getpid(), signal.SIGKILL)
    except BaseException:
        os.write(told, traceback.format_exc().encode())
    finally:
        os._exit(FAULTY)


@contextmanager
def _watched(step: Step) -> Iterator[None]:
    """Tells of each external step before it is taken. Nothing of it need be undone: the process ends."""
    storages._storages.clear()  # type: ignore[attr-defined]
    store.client.cache_clear()
    store.client().meta.events.register("before-send.s3", lambda event_name, **_: step(event_name))
    commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]
    BaseDatabaseWrapper._commit = _before(lambda: step("commit"), commit)  # type: ignore[attr-defined]
    ask = httpx.HTTPTransport.handle_request
    httpx.HTTPTransport.handle_request = _before(lambda: step("DataCite"), ask)  # type: ignore[method-assign]

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if connection.get_autocommit() and not sql.lstrip().upper().startswith(READS):
            step(f"commit of {' '.join(sql.split())[:60]}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield


def _before(tell: Callable[[], None], function: Any) -> Any:
    def told(*arguments: Any, **options: Any) -> Any:
        tell()
        return function(*arguments, **options)

    return told
