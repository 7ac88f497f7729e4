"""A complete archive in a folder of its own, started the way a person starts it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psutil

from embedded.account import known_account
from embedded.home import PROJECT, Home
from embedded.processes import is_running
from embedded.services import answers

READY_SECONDS = 180.0
STOP_SECONDS = 60.0
# Whatever names a service or a folder must not reach the archive under test: it would not start its own.
INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR", "TZ")

T = TypeVar("T")


class RunningArchive:
    """One archive: web, worker, beat and their services."""

    def __init__(self, folder: Path, port: int) -> None:
        self.home = Home(folder)
        self.port = port
        self.log = folder.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        return f"{self.url}/api"

    @property
    def token(self) -> str:
        """The API token of the account that a new archive is given."""
        account = known_account(self.home)
        assert account, self.last_words()
        return account["token"]

    # --- Life -------------------------------------------------------------------------------------------------------

    def launch(self) -> "subprocess.Popen[bytes]":
        """Starts it, without the sample data of a first start, and does not wait for it."""
        with self.home.held("A test", self.url) as mine:
            if mine:
                self.home.remember(samples_loaded=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "embedded", "--kept", "run"],
                cwd=PROJECT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._process

    def start(self) -> None:
        """Starts it and waits until it answers.

        Raises RuntimeError with its last words when it does not.
        """
        self.launch()
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        """Waits until it is ready to be used.

        Raises RuntimeError with its last words when it does not become so.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not self.answers():
            if self._started().poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The archive does not answer:\n{self.last_words()}")
            time.sleep(0.1)

    def environment(self) -> dict[str, str]:
        """What the archive is told by its surroundings."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return inherited | {"ARCHIVE_HOME": str(self.home.folder), "PORT": str(self.port)}

    def interrupt(self) -> int:
        """Does what Ctrl-C does, and waits for the end; returns the exit code."""
        process = self._started()
        process.send_signal(signal.SIGINT)
        return process.wait(STOP_SECONDS)

    def kill_everything(self) -> None:
        """Ends all of it at once, as when the power goes."""
        pids = [record["pid"] for record in self.home.processes()]
        self._started().kill()
        os.kill(self.home.occupant()["pid"], signal.SIGKILL)
        for pid in pids:
            _signal_group(pid, signal.SIGKILL)
        self._started().wait()

    def answers(self) -> bool:
        """Whether it is ready to be used."""
        return self.home.environment() is not None and answers(f"{self.api_url}/info/")

    def last_words(self) -> str:
        """The end of what it said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def _started(self) -> "subprocess.Popen[bytes]":
        assert self._process
        return self._process

    # --- Its processes ------------------------------------------------------------------------------------------------

    def pid(self, name: str) -> int:
        """The process number of `web`, `worker`, `beat`, `postgres`, `valkey` or `store`.

        Raises LookupError when it is not running.
        """
        for record in self.home.processes():
            if record["name"] == name and is_running(record["pid"]):
                return record["pid"]
        raise LookupError(f"{name} is not running")

    def kill(self, name: str) -> int:
        """`kill -9` for a process and its children, as soon as it runs; returns its number."""
        pid = wait_for(lambda: self.pid(name), seconds=30)
        _signal_group(pid, signal.SIGKILL)
        return pid

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Keeps a process dead for the length of a `with`: nobody is there to start it again."""
        self._wait_until_prepared()
        supervisor = self.home.occupant()["pid"]
        os.kill(supervisor, signal.SIGSTOP)
        try:
            self.kill(name)
            yield
        finally:
            os.kill(supervisor, signal.SIGCONT)

    def _wait_until_prepared(self) -> None:
        """Waits until a store that was started again knows who may do what: it would be ended if telling it failed."""
        supervisor = psutil.Process(self.home.occupant()["pid"])

        def prepared() -> bool:
            if any("prepare_bucket" in _words_of(child) for child in supervisor.children(recursive=True)):
                raise LookupError("The bucket is being prepared.")
            return True

        wait_for(prepared, seconds=30)

    @contextmanager
    def without_web(self) -> Iterator[None]:
        """Keeps `web` dead for the length of a `with`; it answers again after that, whatever has happened meanwhile."""
        try:
            with self.without("web"):
                yield
        finally:
            self.wait_until_it_answers()

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Keeps a process from doing anything for the length of a `with`: it is there, and does not answer."""
        self._wait_until_prepared()
        pid = self.pid(name)
        _signal_group(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal_group(pid, signal.SIGCONT)

    def manage(self, *arguments: str) -> str:
        """Runs a management command beside it; returns what it printed."""
        command = [sys.executable, "-m", "embedded", "exec", "--", sys.executable, *arguments]
        finished = subprocess.run(
            command, cwd=PROJECT, env=self.environment(), capture_output=True, text=True, check=False
        )
        if finished.returncode != 0:
            raise RuntimeError(f"{arguments} failed:\n{finished.stdout}{finished.stderr}")
        return finished.stdout


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _words_of(process: psutil.Process) -> list[str]:
    """The command line of a process; none if it has just ended."""
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def wait_for(find: Callable[[], T], seconds: float) -> T:
    """What `find` returns as soon as it raises no LookupError any more."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return find()
        except LookupError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _signal_group(pid: int, number: signal.Signals) -> None:
    # Some end by themselves when another of them does.
    with suppress(ProcessLookupError):
        os.killpg(pid, number)
