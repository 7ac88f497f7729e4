"""A process above all others of a run, which sees to it that none of them outlives the run, however that ends.

It does nothing but wait, so that little can happen to it. When the run ends, in order or killed, what it has left
behind is ended too: on Linux also what has lost its parent, for the keeper is given it. When the process that started
the keeper is gone, or a `make` that has been told to stop, the run is told to stop.
"""

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import psutil

from .leash import put_on
from .processes import end_processes
from .supervisor import exit_code_of_shell

PR_SET_CHILD_SUBREAPER = 36
LOOK_SECONDS = 0.1
# How long a run has: from Ctrl-C until it is told to stop, and from then until it is killed; how long what it left has.
INTERRUPTED_SECONDS = 12.0
STOPPING_SECONDS = 45.0
LEFT_BEHIND_SECONDS = 10.0


def keep() -> None:
    """Return in a new process, which does the work. This one keeps it, and exits as the new one does."""
    starter = os.getppid()
    keeper = os.getpid()
    _own_orphans()
    child = os.fork()
    if child:
        code = _Keeper(child, starter).wait()
        end_processes(psutil.Process().children(recursive=True), LEFT_BEHIND_SECONDS)
        os._exit(exit_code_of_shell(code))
    if sys.platform == "linux":
        put_on(signal.SIGTERM)
    if os.getppid() != keeper:
        sys.exit(1)


class _Keeper:
    """A keeper, which waits for one process and stops it in time."""

    def __init__(self, child: int, starter: int) -> None:
        self._child = child
        self._starter = starter
        self._stop_at = float("inf")
        self._kill_at = float("inf")
        signal.signal(signal.SIGINT, self._interrupt)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda _number, _frame: self._stop_within(0))

    def wait(self) -> int:
        """Wait for the process to end; return its exit code, negative for a signal."""
        while (code := self._reap()) is None:
            if os.getppid() != self._starter or _make_was_interrupted(self._starter):
                self._stop_within(0)
            self._act(time.monotonic())
            time.sleep(LOOK_SECONDS)
        return code

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        # A terminal's Ctrl-C has reached the process too, which takes two for one.
        os.kill(self._child, number)
        self._stop_within(INTERRUPTED_SECONDS)

    def _stop_within(self, seconds: float) -> None:
        self._stop_at = min(self._stop_at, time.monotonic() + seconds)

    def _act(self, now: float) -> None:
        if now >= self._kill_at:
            os.kill(self._child, signal.SIGKILL)
        elif now >= self._stop_at and self._kill_at == float("inf"):
            os.kill(self._child, signal.SIGTERM)
            self._kill_at = now + STOPPING_SECONDS

    def _reap(self) -> int | None:
        """Collect the processes that have ended; return the exit code of the kept process once it has."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return 0
            if pid == 0:
                return None
            if pid == self._child:
                return os.waitstatus_to_exitcode(status)


def _own_orphans() -> None:
    """Have the kernel give this process the descendants whose parents die. Other systems than Linux cannot."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def _make_was_interrupted(pid: int) -> bool:
    """Return whether `pid` is a make that was sent SIGINT alone, and waits for its recipe, which was not.

    While it waits it is in its signal handler, where the signal is blocked. Linux alone tells.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return "make" in fields["Name"] and bool(int(fields["SigBlk"], 16) & 1 << signal.SIGINT - 1)
