"""The floor: what a Django view with one SELECT costs on this machine, beside the archive that is measured.

It has the server, processes, database and pool of the archive, and nothing else. What the archive's answers are held
against moves with the machine as they do.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from embedded.home import PROJECT
from embedded.services import answers
from tests.journeys.running import RunningArchive, free_port, wait_for

READY_SECONDS = 60.0


@contextmanager
def served_floor(archive: RunningArchive, number: int) -> Iterator[tuple[str, str]]:
    """Serves the floor for the length of a `with`: its URL, and the path that shows the dataset of that number."""
    port = free_port()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "embedded", "--kept", "exec", "--", sys.executable),
            *("-m", "gunicorn", "--config", "python:dandiapi.server.options", "--bind", f"127.0.0.1:{port}"),
            *("--workers", "2", "--log-level", "warning", "dandiapi.wsgi:application"),
        ],
        cwd=PROJECT,
        env=archive.environment() | {"DJANGO_SETTINGS_MODULE": "tests.bench.floor.settings"},
        start_new_session=True,
    )
    url, target = f"http://127.0.0.1:{port}", f"/{number}/"
    try:
        wait_for(lambda: _is_ready(url + target), seconds=READY_SECONDS)
        yield url, target
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _is_ready(address: str) -> bool:
    if not answers(address):
        raise LookupError(f"{address} does not answer yet.")
    return True
