"""The REST API of the measured archive, through connections that cost little."""

import time
from dataclasses import dataclass
from typing import Any

import orjson

from tests.bench.connection import Connection, Reply
from tests.journeys.rest import VALID_METADATA
from tests.journeys.running import RunningArchive

Json = dict[str, Any]
# What the dandi client sends with each request; it decides whether answers are compressed.
CLIENT_HEADERS = {"Accept-Encoding": "gzip, deflate", "Accept": "application/json"}


@dataclass(frozen=True)
class Target:
    """An archive to measure, and who asks it."""

    archive: RunningArchive
    token: str

    @property
    def schema_version(self) -> str:
        """The version of the metadata schema that it speaks."""
        version: str = self.api().json("GET", "/api/info/")["schema_version"]
        return version

    def api(self) -> "Api":
        """A connection of its owner's."""
        return Api(self.archive.url, {"Authorization": f"token {self.token}"})

    def public(self) -> Connection:
        """A connection of somebody who is not logged in, and accepts what the dandi client accepts."""
        return Connection(self.archive.url, CLIENT_HEADERS)


class Api(Connection):
    """A connection that speaks JSON."""

    def json(self, verb: str, target: str, content: Json | list[Json] | None = None) -> Any:
        """Sends JSON, returns JSON (None for an empty answer).

        Raises RuntimeError when the answer is not one of success.
        """
        reply = self.send_json(verb, target, content)
        if reply.status >= 300:
            raise RuntimeError(f"{verb} {target}: {reply.status} {reply.body[:500].decode(errors='replace')}")
        return orjson.loads(reply.body) if reply.body else None

    def send_json(self, verb: str, target: str, content: Json | list[Json] | None = None) -> Reply:
        """Sends JSON; returns the answer as it came."""
        if content is None:
            return self.exchange(verb, target)
        return self.exchange(verb, target, orjson.dumps(content), "application/json")


def create_dandiset(api: Api, name: str, schema_version: str, *, embargo: bool = False) -> str:
    """Creates a dandiset that could be published; returns its identifier."""
    metadata = VALID_METADATA | {"name": name, "schemaVersion": schema_version}
    address = f"/api/dandisets/?embargo={str(embargo).lower()}"
    identifier: str = api.json("POST", address, {"name": name, "metadata": metadata})["identifier"]
    return identifier


def wait_until_valid(api: Api, dandiset: str, seconds: float = 900) -> float:
    """Waits for a draft and all its assets to be found valid; returns how many seconds that took.

    Raises TimeoutError when it takes too long.
    """
    return _wait_for_status(api, dandiset, "Valid", seconds)


def wait_until_published(api: Api, dandiset: str, seconds: float = 900) -> float:
    """Waits for the publication of a draft; returns how many seconds that took.

    Raises TimeoutError when it takes too long.
    """
    return _wait_for_status(api, dandiset, "Published", seconds)


def _wait_for_status(api: Api, dandiset: str, status: str, seconds: float) -> float:
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        info = api.json("GET", f"/api/dandisets/{dandiset}/versions/draft/info/")
        if info["status"] == status and not info["asset_validation_errors"]:
            return elapsed
        time.sleep(0.1)
    raise TimeoutError(f"{dandiset} is {info['status']} after {seconds:.0f} s, and not {status}.")
