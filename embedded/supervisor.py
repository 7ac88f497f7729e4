"""A foreground supervisor: starts processes, restarts those that die, stops all of them in reverse order."""

import signal
import subprocess
import time
from collections.abc import Callable
from types import FrameType

from .output import Output
from .processes import Command, EmbeddedError, ProcessRecord, describe, kill_group, leashed

MAXIMUM_DEATHS = 5
# A process that ran for this long has started well, and its next death is its first.
HEALTHY_SECONDS = 60.0
LONGEST_PAUSE = 8.0
TICK = 0.1


class Process:
    """A running command, started again as often as is asked for."""

    def __init__(self, command: Command, output: Output) -> None:
        self.command = command
        self.deaths = 0
        self.restart_at: float | None = None
        self.started_at = 0.0
        self._output = output
        self._popen: subprocess.Popen[str] | None = None

    @property
    def name(self) -> str:
        return self.command.name

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    def start(self) -> None:
        """Start the command in a session of its own, where the terminal's Ctrl-C does not reach it."""
        self.restart_at = None
        self.started_at = time.monotonic()
        self._popen = subprocess.Popen(
            leashed(self.command.arguments, self.command.stop_signal),
            env=self.command.environment,
            cwd=self.command.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        assert self._popen.stdout
        self._output.follow(self.name, self._popen.stdout)

    def exit_code(self) -> int | None:
        """Return the exit code; None while the process runs."""
        return self._popen.poll() if self._popen else None

    def ask_to_stop(self) -> None:
        """Send the signal by which the process stops in order."""
        if self._popen is not None and self._popen.poll() is None:
            self._popen.send_signal(self.command.stop_signal)

    def stop(self) -> None:
        """Ask the process to stop, wait for it, and kill what is then left of it."""
        self.ask_to_stop()
        self.finish(time.monotonic() + self.command.grace_seconds)

    def finish(self, deadline: float) -> None:
        """Wait until `deadline` for a process that was asked to stop, and kill what is then left of it."""
        if self._popen is None:
            return
        try:
            self._popen.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._output.write(self.name, f"did not stop in {self.command.grace_seconds:.0f} s; killed")
        self.sweep()

    def sweep(self) -> None:
        """Kill the process and the children it left behind."""
        if self._popen is None:
            return
        kill_group(self._popen.pid)
        self._popen.wait()


class Supervisor:
    """A supervisor that keeps processes running until it is told to stop.

    `on_change` is given the records of the running processes whenever one starts or ends.
    """

    def __init__(self, output: Output, on_change: Callable[[list[ProcessRecord]], None]) -> None:
        self._output = output
        self._on_change = on_change
        self._processes: list[Process] = []
        self._after_restart: dict[str, Callable[[], None]] = {}

    def start(self, command: Command) -> Process:
        """Start a command, and from then on keep it running."""
        process = Process(command, self._output)
        self._processes.append(process)
        process.start()
        self._record()
        return process

    def after_restart(self, name: str, action: Callable[[], None]) -> None:
        """Have `action` done each time the process of that name had to be started again.

        If it raises EmbeddedError, the process counts as having died once more.
        """
        self._after_restart[name] = action

    def run(self, command: Command) -> int:
        """Run a command to its end while looking after the others; return its exit code."""
        process = Process(command, self._output)
        process.start()
        try:
            self.watch(until=lambda: process.exit_code() is not None)
        finally:
            process.stop()
        return process.exit_code() or 0

    def wait_until(self, is_ready: Callable[[], bool], process: Process, seconds: float) -> None:
        """Wait for a process to be of use.

        Raises EmbeddedError when it ends first, or is not ready in `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not is_ready():
            if process.exit_code() is not None:
                raise EmbeddedError(f"{process.name} ended while starting:\n{self._output.last_words(process.name)}")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{process.name} was not ready after {seconds:.0f} seconds.")
            time.sleep(TICK / 2)

    def watch(self, until: Callable[[], bool]) -> None:
        """Restart whatever dies until `until` says so.

        Raises EmbeddedError when a process dies too often.
        """
        while not until():
            for process in self._processes:
                self._tend(process)
            time.sleep(TICK)

    def stop(self) -> None:
        """Stop everything, stage after stage, the last one first; processes of one stage stop at the same time."""
        stages = sorted({process.command.stage for process in self._processes}, reverse=True)
        for stage in stages:
            self._stop_stage([process for process in self._processes if process.command.stage == stage])
        self._processes.clear()
        self._record()

    def _stop_stage(self, processes: list[Process]) -> None:
        asked = time.monotonic()
        for process in processes:
            process.ask_to_stop()
        for process in processes:
            process.finish(asked + process.command.grace_seconds)

    def _tend(self, process: Process) -> None:
        if process.exit_code() is None:
            return
        if process.restart_at is None:
            self._note_death(process)
            return
        if time.monotonic() < process.restart_at:
            return
        process.start()
        self._record()
        try:
            self._after_restart.get(process.name, _nothing)()
        except EmbeddedError as error:
            self._output.write(process.name, str(error))
            process.stop()

    def _note_death(self, process: Process) -> None:
        process.sweep()
        now = time.monotonic()
        started_well = now - process.started_at > HEALTHY_SECONDS
        process.deaths = 1 if started_well else process.deaths + 1
        if process.deaths > MAXIMUM_DEATHS:
            raise EmbeddedError(
                f"{process.name} died {process.deaths} times in a row soon after its start, so everything was stopped; "
                f"its last words:\n{self._output.last_words(process.name)}"
            )
        pause = min(LONGEST_PAUSE, 0.5 * 2 ** (process.deaths - 1))
        process.restart_at = now + pause
        self._output.write(process.name, f"ended with code {process.exit_code()}; starting it again in {pause:g} s")

    def _record(self) -> None:
        alive = [(process.name, process.pid) for process in self._processes if process.exit_code() is None]
        records = [describe(name, pid) for name, pid in alive if pid is not None]
        self._on_change([record for record in records if record is not None])


def _nothing() -> None:
    """Do nothing, which is what most restarts call for."""


def interrupt_on_signals() -> None:
    """Turn Ctrl-C, SIGTERM and a closed terminal into one KeyboardInterrupt; later ones are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What the caller had ignored (`nohup`) stays ignored, except Ctrl-C in a background job.
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(received: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt(signal.Signals(received).name)


def exit_code_of_shell(code: int) -> int:
    """Return a process's end as a shell tells it: 128 + the signal for one that was killed."""
    return 128 - code if code < 0 else code
