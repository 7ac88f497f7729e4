"""How much processor time an archive has used, by process; other work on the machine does not blur that."""

import os
from collections import Counter
from pathlib import Path

from tests.journeys.running import RunningArchive

TICKS = os.sysconf("SC_CLK_TCK")


def seconds_used(archive: RunningArchive) -> Counter[str]:
    """Seconds of processor time so far, under the name of each of the archive's processes, their children included."""
    names = {str(record["pid"]): str(record["name"]) for record in archive.home.processes()}
    used: Counter[str] = Counter()
    for entry in Path("/proc").iterdir():
        status = _status(entry) if entry.name.isdigit() else []
        # Most children are of the session that their parent leads; those of Postgres lead one each.
        leader = next((pid for pid in status[1:4:2] if pid in names), None)
        if leader:
            # User and system time, its own and of the children that have ended.
            used[names[leader]] += sum(map(int, status[11:15])) / TICKS
    return used


def _status(process: Path) -> list[str]:
    """What follows the process's name in parentheses: state, parent, group, session, ..."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
