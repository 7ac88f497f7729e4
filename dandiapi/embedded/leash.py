"""Replaces itself by a command that is told to stop when its starter dies, however it dies.

Called as `python -I -S leash.py STARTER_PID SIGNAL COMMAND...`. A script of its own because the kernel's leash has to
be put on after the fork, where running Python in a process with threads can hang.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(starter: int, stop_signal: int, command: list[str]) -> None:
    """Becomes `command`; exits at once when the process `starter` is already gone."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop_signal)
    if os.getppid() != starter:
        sys.exit(1)
    # A shell's background job ignores Ctrl-C, and ignoring is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
