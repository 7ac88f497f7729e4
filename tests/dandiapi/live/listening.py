"""A real `live` process, and what a client hears from it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import httpx
import orjson
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

READY_SECONDS = 60.0
SECONDS = 20.0


@dataclass(frozen=True)
class Heard:
    """One server-sent event."""

    name: str
    data: Any
    id: str


class LiveProcess:
    """The `live` process of a test, on a port of its own, with this test process's database."""

    def __init__(self, *, heartbeat: float) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        arguments = ["--interface", "asgi", "--http", "1", "--port", str(self.port), "--workers-kill-timeout", "2"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "granian", *arguments, "dandiapi.asgi:application"],
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "ARCHIVE_LIVE_URL": self.url,
                "LIVE_HEARTBEAT_SECONDS": str(heartbeat),
                "LIVE_STREAMS_PER_CLIENT": "3",
            },
            stdout=subprocess.DEVNULL,
        )

    @classmethod
    @contextmanager
    def running(cls, database: DjangoDbBlocker, *, heartbeat: float) -> "Iterator[LiveProcess]":
        """One that answers, for the length of a `with`."""
        with database.unblock():
            process = cls(heartbeat=heartbeat)
        try:
            process.wait_until_ready()
            yield process
        finally:
            process.stop()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.url}/events/", timeout=2)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError("The live process does not answer.")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def get(self, path: str, secret: str = "", **headers: str) -> httpx.Response:
        """The answer to a request that opens no stream."""
        return httpx.get(f"{self.url}{path}", headers=_headers(secret, headers), timeout=SECONDS)

    @contextmanager
    def listening(self, path: str, secret: str = "", **headers: str | bytes) -> Iterator[Iterator[Heard]]:
        """What is heard on a stream, event by event; it fails when nothing comes for SECONDS."""
        with self.lines(path, secret, **headers) as lines:
            yield _events(lines)

    @contextmanager
    def lines(self, path: str, secret: str = "", **headers: str | bytes) -> Iterator[Iterator[str]]:
        """The lines of a stream."""
        address = f"{self.url}{path}"
        with httpx.stream("GET", address, headers=_headers(secret, headers), timeout=SECONDS) as response:
            assert response.status_code == 200, response.read()
            assert response.headers["content-type"].startswith("text/event-stream")
            yield response.iter_lines()


def heard(events: Iterator[Heard], number: int) -> list[Heard]:
    """The next so many events."""
    return list(islice(events, number))


def _events(lines: Iterator[str]) -> Iterator[Heard]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif "data" in fields:
            yield Heard(fields["event"], orjson.loads(fields["data"]), fields.get("id", ""))
        fields = fields if line else {}


def _headers(secret: str, headers: Mapping[str, str | bytes]) -> dict[bytes, bytes]:
    authorization = {"authorization": f"token {secret}"} if secret else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {name.encode(): _bytes(value) for name, value in {**authorization, **named}.items()}


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("ascii")


def database_url() -> str:
    """The address of this test process's database, for a process that it starts."""
    known = connection.settings_dict
    place = f"{known['HOST']}:{known['PORT']}/{known['NAME']}"
    return f"postgres://{known['USER']}:{known['PASSWORD']}@{place}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


SESSION_COOKIE = settings.SESSION_COOKIE_NAME
