"""Waits for an archive to have finished what it does in the background."""

import os
import time
from pathlib import Path

from tests.journeys.running import RunningArchive

QUIET_SHARE = 0.1
QUIET_SECONDS = 2.0
LONGEST_SECONDS = 180.0
TICKS = os.sysconf("SC_CLK_TCK")


def wait_until_quiet(archive: RunningArchive) -> None:
    """Waits until all its processes together use less than a tenth of one processor.

    Raises TimeoutError when that takes too long.
    """
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        before = _seconds_used(archive)
        time.sleep(QUIET_SECONDS)
        if _seconds_used(archive) - before < QUIET_SHARE * QUIET_SECONDS:
            return
    raise TimeoutError("The archive does not come to rest.")


def _seconds_used(archive: RunningArchive) -> float:
    sessions = {str(record["pid"]) for record in archive.home.processes()}
    statuses = [_status(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    # After the name in parentheses: state, parent, group, session; user and system time are the 12th and 13th.
    return sum(int(status[11]) + int(status[12]) for status in statuses if status and status[3] in sessions) / TICKS


def _status(process: Path) -> list[str]:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
