"""The supervisor, with real processes: what it restarts, how it stops, what it prints."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedded import supervisor as supervisor_module
from embedded.home import PROJECT
from embedded.output import Output
from embedded.processes import Command, EmbeddedError, is_running
from embedded.supervisor import Supervisor
from tests.embedded.helpers import eventually, lines


def shell(name: str, script: str, grace_seconds: float = 5.0, stage: int = 1) -> Command:
    return Command(name, ["/bin/sh", "-c", script], dict(os.environ), grace_seconds=grace_seconds, stage=stage)


def supervise(stream: io.StringIO | None = None) -> Supervisor:
    return Supervisor(Output(stream or io.StringIO()), on_change=lambda records: None)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(supervisor_module, "TICK", 0.01)


@pytest.mark.usefixtures("impatient")
def test_a_dead_process_is_started_again(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    supervisor = supervise()
    supervisor.start(shell("child", f"echo $$ >> {starts}; [ $(wc -l < {starts}) -gt 1 ] && exec sleep 60"))
    supervisor.watch(until=lambda: len(lines(starts)) == 2)
    first, second = (int(pid) for pid in lines(starts))
    supervisor.stop()
    assert first != second
    assert not is_running(second)


@pytest.mark.usefixtures("impatient")
def test_a_process_that_keeps_dying_stops_the_watch_with_its_last_words() -> None:
    supervisor = supervise()
    supervisor.start(shell("child", "echo the reason; sleep 0.05; exit 3"))
    with pytest.raises(EmbeddedError, match=r"child died 6 times in a row(?s:.*)the reason"):
        supervisor.watch(until=lambda: False)
    supervisor.stop()


@pytest.mark.usefixtures("impatient")
def test_what_has_to_follow_a_restart_is_done_and_its_failure_counts_as_a_death(tmp_path: Path) -> None:
    calls: list[int] = []

    def fail_once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise EmbeddedError("not yet")

    supervisor = supervise()
    process = supervisor.start(shell("store", "exec sleep 60"))
    supervisor.after_restart("store", fail_once)
    os.kill(process.pid or 0, signal.SIGKILL)
    supervisor.watch(until=lambda: len(calls) == 2)
    supervisor.stop()
    assert process.deaths == 2


def test_what_others_need_is_stopped_after_them(tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    ready = tmp_path / "ready"
    supervisor = supervise()
    for stage, name in enumerate(("first", "second", "third")):
        script = f"trap 'echo {name} >> {ends}; exit 0' TERM; echo {name} >> {ready}; while :; do sleep 0.05; done"
        supervisor.start(shell(name, script, stage=stage))
    assert eventually(lambda: len(lines(ready)) == 3)
    supervisor.stop()
    assert lines(ends) == ["third", "second", "first"]


def test_processes_that_do_not_stop_are_waited_for_at_the_same_time(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    supervisor = supervise()
    for name in ("web", "live", "worker"):
        supervisor.start(shell(name, f"trap '' TERM; echo {name} >> {ready}; exec sleep 60", grace_seconds=1.0))
    assert eventually(lambda: len(lines(ready)) == 3)
    begun = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun < 2.0


def test_a_process_that_does_not_stop_is_killed_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    supervisor = supervise()
    supervisor.start(shell("stubborn", f"trap '' TERM; sleep 61 & echo $! $$ > {pids}; wait", grace_seconds=0.3))
    assert eventually(lambda: len(lines(pids)) == 2)
    supervisor.stop()
    assert eventually(lambda: not any(is_running(int(pid)) for pid in lines(pids)))


def test_every_line_has_the_prefix_of_its_process_and_no_colour_outside_a_terminal() -> None:
    stream = io.StringIO()
    supervisor = supervise(stream)
    assert supervisor.run(shell("web", "echo one; echo two >&2")) == 0
    assert supervisor.run(shell("worker", "printf three; exit 4")) == 4
    assert eventually(lambda: stream.getvalue().count("\n") == 3)
    assert stream.getvalue().splitlines() == ["web      | one", "web      | two", "worker   | three"]


@pytest.mark.parametrize(("no_colour", "prefix"), [("", "\033[36mweb      | \033[0m"), ("1", "web      | ")])
def test_a_terminal_gets_colours_unless_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch, no_colour: str, prefix: str
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("NO_COLOR", no_colour)
    terminal = Terminal()
    Output(terminal).write("web", "one")
    assert terminal.getvalue() == f"{prefix}one\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_the_processes_of_a_killed_supervisor_stop(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = (
        "import os, sys, time\n"
        "from tests.embedded.test_supervisor import shell, supervise\n"
        f"supervise().start(shell('child', 'echo $$ > {pid_file}; exec sleep 60'))\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT)
    assert eventually(lambda: len(lines(pid_file)) == 1)
    child = int(lines(pid_file)[0])
    assert is_running(child)
    parent.kill()
    parent.wait()
    assert eventually(lambda: not is_running(child))
