"""Markdown for docs/performance.md."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from embedded.home import PROJECT


@dataclass(frozen=True)
class Table:
    """A table, and a line above it."""

    title: str
    columns: list[str]
    rows: list[list[str]]

    def __str__(self) -> str:
        rule = ["---"] + ["---:"] * (len(self.columns) - 1)
        lines = [f"| {' | '.join(cells)} |" for cells in (self.columns, rule, *self.rows)]
        return "\n".join([f"### {self.title}", "", *lines, ""])


def milliseconds(value: float) -> str:
    """A duration in milliseconds, with as many digits as mean something."""
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def heading() -> str:
    """When, where and what was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d} at commit {_commit()} on {_processor()}, {os.cpu_count()} processors, "
        f"{memory:.0f} GiB of memory, {platform.system()} {platform.release()}, Python {platform.python_version()}; "
        "server, services and load generator all on this machine.\n"
    )


def _commit() -> str:
    described = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(described, cwd=PROJECT, capture_output=True, text=True, check=False).stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
