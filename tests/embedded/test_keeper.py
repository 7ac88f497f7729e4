"""That no process outlives the run it belongs to, however the run ends."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from embedded.home import PROJECT
from embedded.leash import stay_beside
from embedded.processes import is_running
from tests.embedded.helpers import eventually, lines

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to who asks for them")

# A run with a process in a session of its own, whose parent is gone.
RUN = """
    import os, subprocess, sys, time
    from pathlib import Path
    from embedded.keeper import keep
    keep()
    orphan = subprocess.Popen(["/bin/sh", "-c", "sleep 300 & echo $! > {folder}/orphan"], start_new_session=True)
    orphan.wait()
    Path("{folder}/run").write_text(str(os.getpid()))
    {then}
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """What a test has started, and what is killed after it."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


def script(folder: Path, then: str) -> Path:
    """A program that is such a run."""
    file = folder / "script.py"
    file.write_text(textwrap.dedent(RUN).format(folder=folder, then=then))
    return file


def numbers(folder: Path) -> tuple[int, int]:
    """The numbers of the run and of its orphan, which both are running."""
    found = number(folder, "run"), number(folder, "orphan")
    assert all(map(is_running, found))
    return found


def number(folder: Path, name: str) -> int:
    """The number that a process has left in a file."""
    assert eventually(lambda: len(lines(folder / name)) == 1)
    return int(lines(folder / name)[0])


@linux
def test_run_leaves_no_orphan_when_it_ends_in_order(tmp_path: Path) -> None:
    finished = subprocess.run([sys.executable, script(tmp_path, "sys.exit(7)")], check=False, timeout=30)
    assert finished.returncode == 7
    assert not is_running(number(tmp_path, "orphan"))


@linux
def test_run_leaves_no_orphan_when_it_is_killed(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> None:
    keeper = subprocess.Popen([sys.executable, script(tmp_path, "time.sleep(300)")])
    started.append(keeper)
    run, orphan = numbers(tmp_path)
    os.kill(run, signal.SIGKILL)
    assert keeper.wait(10) == 128 + signal.SIGKILL
    assert not is_running(orphan)


@linux
def test_run_is_ended_when_its_keeper_is_killed(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> None:
    keeper = subprocess.Popen([sys.executable, script(tmp_path, "time.sleep(300)")])
    started.append(keeper)
    run, orphan = numbers(tmp_path)
    keeper.kill()
    assert eventually(lambda: not is_running(run))
    os.kill(orphan, signal.SIGKILL)


@pytest.mark.parametrize("received", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_run_is_told_what_its_keeper_is_told(
    tmp_path: Path, started: list[subprocess.Popen[bytes]], received: signal.Signals
) -> None:
    command = [sys.executable, script(tmp_path, "time.sleep(300)")]
    # Under `nohup`, tests ignore SIGHUP, and so would what they start.
    keeper = subprocess.Popen(command, preexec_fn=partial(signal.signal, received, signal.SIG_DFL))  # noqa: PLW1509 - no threads
    started.append(keeper)
    run, orphan = numbers(tmp_path)
    keeper.send_signal(received)
    assert keeper.wait(10) in {128 + signal.SIGTERM, 1, 128 + signal.SIGINT}
    assert not any(map(is_running, (run, orphan)))


@pytest.mark.parametrize("received", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_run_ends_with_the_make_that_started_it(
    tmp_path: Path, started: list[subprocess.Popen[bytes]], received: signal.Signals
) -> None:
    make = shutil.which("make")
    assert make
    recipe = f"run:\n\t@exec {sys.executable} {script(tmp_path, 'time.sleep(300)')}\n"
    (tmp_path / "Makefile").write_text(recipe)
    process = subprocess.Popen([make, "-C", str(tmp_path), "run"], start_new_session=True)
    started.append(process)
    run, orphan = numbers(tmp_path)
    keeper = psutil.Process(run).ppid()
    process.send_signal(received)
    assert eventually(lambda: not any(map(is_running, (keeper, run, orphan))))


def test_leash_stays_beside_its_command_where_the_kernel_has_none(tmp_path: Path) -> None:
    begun = time.monotonic()
    nobody = 2**22 + 1
    code = stay_beside(nobody, signal.SIGTERM, ["/bin/sh", "-c", "exec sleep 60"])
    assert code == 128 + signal.SIGTERM
    assert time.monotonic() - begun < 5


def test_leash_returns_the_exit_code_of_its_command() -> None:
    assert stay_beside(os.getppid(), signal.SIGTERM, ["/bin/sh", "-c", "exit 3"]) == 3
