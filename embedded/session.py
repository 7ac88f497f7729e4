"""The embedded services for the length of a `with`, and commands run beside them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from .home import PROJECT, THROWAWAY_PREFIX, Home
from .output import Output
from .processes import EmbeddedError, end_leftovers, leashed
from .services import SERVICES, ObjectStore, Service, needed_services
from .supervisor import Supervisor, exit_code_of_shell

READY_SECONDS = 60.0
# A person's own AWS profile would get in the way of the embedded store's keys.
PERSONAL_AWS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


@dataclass(frozen=True)
class Session:
    """Services that answer, and what a command needs to know to use them."""

    home: Home
    output: Output
    supervisor: Supervisor
    environment: dict[str, str]
    # The part of the environment that is told to commands started elsewhere.
    shared: dict[str, str]


@contextmanager
def running_services(
    home: Home, output: Output, surroundings: Mapping[str, str], *, durable: bool
) -> Iterator[Session]:
    """Start the services that `surroundings` does not name already, and stop them at the end.

    The caller holds the home. Raises EmbeddedError when a service does not come up.
    """
    supervisor = Supervisor(output, on_change=lambda records: home.remember(processes=records))
    try:
        services = needed_services(home, surroundings, durable=durable)
        _start(services, supervisor)
        shared = _shared_environment(home, services, surroundings)
        yield Session(home, output, supervisor, archive_environment(surroundings, shared), shared)
    finally:
        home.close()
        supervisor.stop()


def execute(home: Home, command: list[str], url: str) -> int:
    """Run `command` beside the services of `home`, starting them when nobody has; return its exit code."""
    deadline = time.monotonic() + 2 * READY_SECONDS
    while time.monotonic() < deadline:
        with home.held("A command", url) as mine:
            if mine:
                return _execute_with_services(home, command, dict(os.environ), durable=True)
        with home.visited():
            shared = home.environment()
            if shared is not None:
                return _run_in_foreground(command, archive_environment(os.environ, shared))
        time.sleep(0.1)
    occupant = home.occupant()
    raise EmbeddedError(f"{occupant['what']} holds {home.folder} (process {occupant['pid']}) but does not get ready.")


def execute_in_throwaway_home(command: list[str]) -> int:
    """Run `command` beside services of its own, whatever the surroundings name, and delete their data afterwards."""
    remove_abandoned_homes()
    home = Home.throwaway()
    outside = {variable for service in SERVICES for variable in service.outside_variables}
    surroundings = {name: value for name, value in os.environ.items() if name not in outside}
    try:
        with home.held("A command", ""):
            return _execute_with_services(home, command, surroundings, durable=False)
    finally:
        home.remove()


def remove_abandoned_homes() -> None:
    """Delete throw-away homes whose run was killed before it could."""
    for folder in PROJECT.glob(f"{THROWAWAY_PREFIX}*"):
        # Without a state it may be one that is just being made.
        if not (folder / "state.json").exists():
            continue
        home = Home(folder)
        # Another run may clean up at the same time, and its folder be gone before its lock is opened.
        with suppress(FileNotFoundError), home.held("A clean-up", "") as mine:
            if mine:
                end_leftovers(home.processes())
                home.remove()


def archive_environment(surroundings: Mapping[str, str], shared: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the archive's own programs: `surroundings`, and over them what the home shares."""
    environment = {"DJANGO_SETTINGS_MODULE": "dandiapi.settings.development"} | dict(surroundings) | dict(shared)
    environment["PYTHONUNBUFFERED"] = "1"
    programs = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([programs, environment.get("PATH", os.defpath)])
    # Where the way out is a proxy, it does not lead to this machine.
    direct = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    environment["NO_PROXY"] = environment["no_proxy"] = f"{direct},127.0.0.1,localhost".lstrip(",")
    if ObjectStore.outside_variables[0] in shared:
        environment = {name: value for name, value in environment.items() if name not in PERSONAL_AWS}
    return environment


def _start(services: list[Service], supervisor: Supervisor) -> None:
    for service in services:
        service.initialise()
    processes = [supervisor.start(service.command()) for service in services]
    for service, process in zip(services, processes, strict=True):
        supervisor.wait_until(service.is_ready, process, READY_SECONDS)


def _shared_environment(home: Home, services: list[Service], surroundings: Mapping[str, str]) -> dict[str, str]:
    port = surroundings.get("PORT") or "8000"
    shared = {
        "ARCHIVE_HOME": str(home.folder),
        "ARCHIVE_URL": surroundings.get("ARCHIVE_URL") or f"http://127.0.0.1:{port}",
        "SNAPSHOT_CACHE": surroundings.get("SNAPSHOT_CACHE") or str(home.folder / "repositories"),
        "SECRET_KEY": surroundings.get("SECRET_KEY") or home.secret("django"),
    }
    for service in services:
        shared |= service.provides()
    return shared


def _execute_with_services(home: Home, command: list[str], surroundings: Mapping[str, str], *, durable: bool) -> int:
    end_leftovers(home.processes())
    with (
        (home.folder / "services.log").open("w") as log,
        running_services(home, Output(log), surroundings, durable=durable) as session,
    ):
        home.announce(session.shared)
        try:
            return _run_in_foreground(command, session.environment)
        finally:
            with home.emptied():
                home.close()


def _run_in_foreground(command: list[str], environment: dict[str, str]) -> int:
    """Run a command that shares this terminal, and so gets its own Ctrl-C; pass a SIGTERM on to it."""
    if shutil.which(command[0], path=environment["PATH"]) is None:
        raise EmbeddedError(f"There is no command `{command[0]}`.")
    process = subprocess.Popen(leashed(command, signal.SIGTERM), env=environment)

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        process.terminate()

    previous = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
    }
    try:
        return exit_code_of_shell(process.wait())
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
