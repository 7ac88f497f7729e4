"""Processes: started on a leash, recognised again after a crash, ended for certain."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

LEASH = Path(__file__).with_name("leash.py")
PROC = Path("/proc")


class EmbeddedError(Exception):
    """Something a person has to know or do; the message is one sentence, meant to be shown as it is."""


class ProcessRecord(TypedDict):
    """What tells a process from a later one that was given the same number."""

    name: str
    pid: int
    started: int
    boot: str


@dataclass(frozen=True)
class Command:
    """One program: what it is called here, how it is started, how it likes to be stopped."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0
    folder: Path | None = None


def leashed(arguments: list[str], stop_signal: signal.Signals) -> list[str]:
    """The command line that starts `arguments` so that they receive `stop_signal` when this process dies."""
    return [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(int(stop_signal)), *arguments]


def run_quietly(
    arguments: list[str], *, standard_input: str = "", environment: Mapping[str, str] | None = None
) -> None:
    """Runs a command to its end, in this process's environment unless another is given.

    Raises EmbeddedError with the command's last words when it fails.
    """
    finished = subprocess.run(
        leashed(arguments, signal.SIGKILL),
        input=standard_input,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if finished.returncode != 0:
        last_words = " ".join(finished.stdout.split("\n")[-5:]).strip()
        raise EmbeddedError(f"`{Path(arguments[0]).name}` failed with code {finished.returncode}: {last_words}")


def describe(name: str, pid: int) -> ProcessRecord | None:
    """The record of a running process; None when it is gone, or where the system has no /proc."""
    status = _status(pid)
    if status is None:
        return None
    return ProcessRecord(name=name, pid=pid, started=status.started, boot=_boot())


def end_leftovers(records: list[ProcessRecord], grace_seconds: float = 5.0) -> list[str]:
    """Ends what an archive that was killed left running: the recorded processes and the sessions they lead.

    Returns the names of those that had to be ended. A process that was given a recorded number later is left alone.
    """
    left = {record["pid"]: record["name"] for record in records if _session(record)}
    for pid in left:
        _signal_group(pid, signal.SIGTERM)
    _wait_until_gone(records, grace_seconds)
    for record in records:
        for pid in _session(record):
            _signal(pid, signal.SIGKILL)
    # Their ports and files are free only when they are really gone.
    _wait_until_gone(records, grace_seconds)
    return list(left.values())


def kill_group(pid: int) -> None:
    """Kills whatever is left of the process group that `pid` leads or led."""
    _signal_group(pid, signal.SIGKILL)


@dataclass(frozen=True)
class _Status:
    state: str
    session: int
    started: int


def _status(pid: int) -> _Status | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    return _Status(state=fields[0], session=int(fields[3]), started=int(fields[19]))


def _boot() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _session(record: ProcessRecord) -> list[int]:
    """The living processes of the session that the recorded process leads or led."""
    leader = _status(record["pid"])
    recycled = leader is not None and leader.started != record["started"]
    if recycled or record["boot"] != _boot() or not PROC.is_dir():
        return []
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _belongs(_status(pid), record)]


def _belongs(status: _Status | None, record: ProcessRecord) -> bool:
    if status is None or status.state == "Z":
        return False
    return status.session == record["pid"] and status.started >= record["started"]


def _wait_until_gone(records: list[ProcessRecord], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(_session(record) for record in records):
        time.sleep(0.05)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
