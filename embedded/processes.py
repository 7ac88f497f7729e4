"""Processes: started on a leash, recognised again after a crash, ended for certain."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import psutil

LEASH = Path(__file__).with_name("leash.py")
# The tolerance for start times of processes, since the system's clock may have been set meanwhile.
CLOCK_SECONDS = 5.0


class EmbeddedError(Exception):
    """An error that a person has to know of or act on; the message is one sentence, shown as it is."""


class ProcessRecord(TypedDict):
    """The identity of a process, which tells it from a later one that was given the same number."""

    name: str
    pid: int
    started: float


@dataclass(frozen=True)
class Command:
    """A program to run: its name here, how it is started, and how it is stopped."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0
    folder: Path | None = None
    # Processes of a later stage need those of earlier ones, and are stopped before them.
    stage: int = 1


def leashed(arguments: list[str], stop_signal: signal.Signals) -> list[str]:
    """Return the command line that starts `arguments` so that they get `stop_signal` when this process dies."""
    return [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(int(stop_signal)), *arguments]


def run_quietly(
    arguments: list[str], *, standard_input: str = "", environment: Mapping[str, str] | None = None
) -> None:
    """Run a command to its end, in this process's environment unless another is given.

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
    """Return the record of a running process; None when it is gone."""
    try:
        return ProcessRecord(name=name, pid=pid, started=psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def is_recorded(record: ProcessRecord) -> bool:
    """Return whether the process that now has the recorded number is the one that was recorded."""
    now = describe(record["name"], record["pid"])
    return now is not None and abs(now["started"] - record["started"]) < CLOCK_SECONDS


def is_running(pid: int) -> bool:
    """Return whether there is such a process, and it is no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end_leftovers(records: list[ProcessRecord], grace_seconds: float = 5.0) -> list[str]:
    """End what an archive that was killed left running: the recorded processes and the sessions they lead.

    Returns the names of those that had to be ended. A process that was given a recorded number later is left alone.
    """
    sessions = {record["pid"]: _session(record) for record in records}
    end_processes([process for session in sessions.values() for process in session], grace_seconds)
    return [record["name"] for record in records if sessions[record["pid"]]]


def end_processes(processes: Iterable[psutil.Process], grace_seconds: float) -> None:
    """Ask processes to stop, kill those that have not after `grace_seconds`, and return when all are gone.

    Their ports and files are free only then.
    """
    processes = list(processes)
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
    for process in _running_after(processes, grace_seconds):
        with suppress(psutil.Error):
            process.kill()
    _running_after(processes, grace_seconds)


def _running_after(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait `seconds` for processes to end; return those that have not."""
    deadline = time.monotonic() + seconds
    while (running := [process for process in processes if is_running(process.pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return running


def kill_group(pid: int) -> None:
    """Kill whatever is left of the process group that `pid` leads or led."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _session(record: ProcessRecord) -> list[psutil.Process]:
    """Return the living processes of the session that the recorded process leads or led."""
    recycled = psutil.pid_exists(record["pid"]) and not is_recorded(record)
    if recycled or record["started"] < psutil.boot_time() - CLOCK_SECONDS:
        return []
    return [process for process in psutil.process_iter() if _belongs(process, record)]


def _belongs(process: psutil.Process, record: ProcessRecord) -> bool:
    try:
        in_session = os.getsid(process.pid) == record["pid"]
        return in_session and process.create_time() > record["started"] - CLOCK_SECONDS and is_running(process.pid)
    except (OSError, psutil.Error):
        return False
