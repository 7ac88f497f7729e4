"""ARCHIVE_HOME: the one folder in which an embedded archive keeps everything, and what it remembers there."""

import errno
import fcntl
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

from .processes import EmbeddedError, ProcessRecord, describe, is_recorded

PROJECT = Path(__file__).resolve().parents[1]
THROWAWAY_PREFIX = ".archive-test-"


class Occupant(TypedDict):
    """The process that holds a home."""

    pid: int
    url: str
    what: str


class Home:
    """A folder with a lock and a small memory (`state.json`, readable by its owner only)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.state_file = self.folder / "state.json"
        self.lock_file = self.folder / "lock"
        self.guests_file = self.folder / "guests"

    @classmethod
    def from_environment(cls) -> "Home":
        """Return the home that ARCHIVE_HOME names; `.archive` in the project's folder when it names none."""
        return cls(Path(os.environ.get("ARCHIVE_HOME") or PROJECT / ".archive"))

    @classmethod
    def throwaway(cls) -> "Home":
        """Return a new home in the project's folder, for one run of the tests."""
        return cls(Path(tempfile.mkdtemp(prefix=THROWAWAY_PREFIX, dir=PROJECT)))

    def create(self) -> None:
        """Make the folder, closed to everybody else.

        Raises EmbeddedError when that cannot be done.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedError(f"The folder {self.folder} cannot be made: {error.strerror}.") from error

    def remove(self) -> None:
        """Delete the home and all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- Memory -------------------------------------------------------------------------------------------------------

    def read(self) -> dict[str, Any]:
        """Return all that is remembered. Raises EmbeddedError when the file is damaged."""
        try:
            state: dict[str, Any] = json.loads(self.state_file.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise EmbeddedError(
                f"{self.state_file} cannot be read as JSON; repair it, or delete {self.folder} to start afresh."
            ) from error
        return state

    def remember(self, **values: Any) -> None:
        """Add to what is remembered; None removes. Only the holder of the lock may call this."""
        state = {name: value for name, value in (self.read() | values).items() if value is not None}
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix="state-")
        with os.fdopen(descriptor, "w") as file:
            json.dump(state, file, indent=2)
        Path(name).replace(self.state_file)

    def secret(self, name: str) -> str:
        """Return a random text, made once and then always the same."""
        known: dict[str, str] = self.read().get("secrets", {})
        if name not in known:
            known[name] = secrets.token_urlsafe(48)
            self.remember(secrets=known)
        return known[name]

    def port(self, name: str) -> int:
        """Return a port of this machine nobody listens on: the one remembered, or another when that is taken."""
        known: dict[str, int] = self.read().get("ports", {})
        if name not in known or not port_is_free(known[name]):
            known[name] = _free_port(avoid=set(known.values()))
            self.remember(ports=known)
        return known[name]

    def processes(self) -> list[ProcessRecord]:
        """Return the processes that were running when this was last written down."""
        records: list[ProcessRecord] = self.read().get("processes", [])
        return records

    def announce(self, environment: dict[str, str]) -> None:
        """Let other commands in, which are given `environment`. Only the holder of the lock may call this."""
        self.remember(open={"holder": describe("holder", os.getpid()), "environment": environment})

    def close(self) -> None:
        """Let no other commands in any more. Only the holder of the lock may call this."""
        self.remember(open=None)

    def environment(self) -> dict[str, str] | None:
        """Return what the holder announced; None while nobody holds the home, or is not ready."""
        announced = self.read().get("open")
        # An earlier holder that was killed could not take its announcement back.
        if announced is None or not is_recorded(announced["holder"]):
            return None
        environment: dict[str, str] = announced["environment"]
        return environment

    # --- Locks: flock, because the kernel lets go of it when its holder dies ------------------------------------------

    @contextmanager
    def held(self, what: str, url: str) -> Iterator[bool]:
        """Hold the home for the length of a `with`; yield False, holding nothing, when somebody else has it."""
        self.create()
        with self.lock_file.open("a+") as file:
            if not _try_lock(file.fileno(), fcntl.LOCK_EX):
                yield False
                return
            file.truncate(0)
            file.write(json.dumps(Occupant(pid=os.getpid(), url=url, what=what)))
            file.flush()
            yield True
            file.truncate(0)

    def occupant(self) -> Occupant:
        """Return who holds the home, as far as they have said."""
        try:
            occupant: Occupant = json.loads(self.lock_file.read_text())
        except (OSError, ValueError):
            return Occupant(pid=0, url="", what="Something")
        return occupant

    @contextmanager
    def visited(self) -> Iterator[None]:
        """Keep the holder of the home from leaving for the length of a `with`."""
        self.create()
        with self.guests_file.open("a+") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH)
            yield

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Wait for all visitors to go, and let none in for the length of a `with`."""
        with self.guests_file.open("a+") as file:
            if not _try_lock(file.fileno(), fcntl.LOCK_EX):
                print("Other commands still use these services; waiting for them.", file=sys.stderr)
                fcntl.flock(file.fileno(), fcntl.LOCK_EX)
            yield


def port_is_free(port: int) -> bool:
    """Return whether nobody on this machine listens on `port`. Raises EmbeddedError when listening is not allowed."""
    with socket.socket() as probe:
        # Without this, connections that ended a moment ago would count as somebody listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise EmbeddedError(f"Port {port} cannot be used: {error.strerror}.") from error
    return True


def _free_port(avoid: set[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in avoid:
            return port


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
