"""Replaces itself by a command that is told to stop when its starter dies, however it dies.

Called as `python -I -S leash.py STARTER_PID SIGNAL COMMAND...`. A script of its own because the kernel's leash has to
be put on after the fork, where running Python in a process with threads can hang. Where the kernel has no leash (it is
Linux's), this process stays beside the command and looks for itself.
"""

import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
LOOK_SECONDS = 0.2


def main(starter: int, stop_signal: int, command: list[str]) -> int:
    """Become `command`, or stay with it and return its exit code.

    Returns 1 at once when the process `starter` is already gone.
    """
    # A shell's background job ignores Ctrl-C, and ignoring is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform != "linux":
        return stay_beside(starter, stop_signal, command)
    put_on(stop_signal)
    if os.getppid() == starter:
        os.execvp(command[0], command)
    return 1


def put_on(stop_signal: int) -> None:
    """Have the kernel send this process `stop_signal` when the one that started it dies."""
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop_signal)


def stay_beside(starter: int, stop_signal: int, command: list[str]) -> int:
    """Run `command`, pass signals on to it, and stop it when the process `starter` dies; return its exit code."""
    process = subprocess.Popen(command)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: process.send_signal(received))
    told = False
    while process.poll() is None:
        if not told and os.getppid() != starter:
            process.send_signal(stop_signal)
            told = True
        time.sleep(LOOK_SECONDS)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
