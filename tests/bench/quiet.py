"""Waits for an archive to have finished what it does in the background."""

import time

from tests.bench.processors import seconds_used
from tests.journeys.running import RunningArchive

QUIET_SHARE = 0.1
QUIET_SECONDS = 2.0
LONGEST_SECONDS = 180.0


def wait_until_quiet(archive: RunningArchive) -> None:
    """Waits until all its processes together use less than a tenth of one processor.

    Raises TimeoutError when that takes too long.
    """
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        before = seconds_used(archive)
        time.sleep(QUIET_SECONDS)
        if (seconds_used(archive) - before).total() < QUIET_SHARE * QUIET_SECONDS:
            return
    raise TimeoutError("The archive does not come to rest.")
