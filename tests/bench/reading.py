"""How fast the archive answers those who only read, and how that compares with the least that Django can do."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import orjson

from tests.bench.archive_api import Api, Json, Target, create_dandiset
from tests.bench.connection import Connection
from tests.bench.floor.serving import served_floor
from tests.bench.load import Measurement, Step, measure
from tests.bench.publishing import make_dataset
from tests.bench.quiet import wait_until_quiet
from tests.bench.report import Table, milliseconds

DANDISETS = 120
ASSETS = 1_000
PAGE = 100
# How long one client measures, as a share of the time that many get.
SINGLE_SHARE = 0.5


class Reading(NamedTuple):
    """What is asked for, in turn: by whom, where, and with what bodies if it is posted."""

    connection: Connection
    targets: list[str]
    bodies: list[bytes] = []
    expected: tuple[int, ...] = (200, 302)

    def step(self, number: int) -> Step:
        """The step of one of the clients, which asks for one after the other."""
        asked = list(itertools.product(self.targets, self.bodies or [b""]))
        # Clients begin at different places, or they would all ask for the same thing at the same time.
        rotation: Iterator[tuple[str, bytes]] = itertools.cycle(asked[number % len(asked) :] + asked)
        return lambda: self._ask(*next(rotation)) in self.expected

    def _ask(self, target: str, body: bytes) -> int:
        if not body:
            return self.connection.exchange("GET", target).status
        return self.connection.exchange("POST", target, body, "application/json").status


def measure_reading(target: Target, clients: int, seconds: float) -> list[Table]:
    """The table of requests per second, by what is asked for, with the floor beside each figure."""
    dandiset = make_dataset(target, ASSETS)
    _make_dandisets(target)
    readings = _readings(target, dandiset)
    with served_floor(target.archive, int(dandiset)) as (url, path):
        floor = Reading(Connection(url), [path])
        wait_until_quiet(target.archive)
        rows = [row_of(name, reading, floor, clients, seconds) for name, reading in readings.items()]
    columns = ["request", "one client", "floor", "times"]
    columns += [f"{clients} clients", "floor", "share", "p50", "p95", "generator", "failures"]
    return [Table(f"Reading, with one client and with {clients}: the floor is a view with one SELECT", columns, rows)]


def row_of(name: str, reading: Reading, floor: Reading, clients: int, seconds: float) -> list[str]:
    """A row of what was measured of something that is asked for, with the floor beside it."""
    # The floor is measured anew beside each: the machine is not always as fast.
    one, least = (_measure(each, 1, seconds * SINGLE_SHARE) for each in (reading, floor))
    many, most = (_measure(each, clients, seconds) for each in (reading, floor))
    return [
        name,
        milliseconds(one.percentile(50)),
        milliseconds(least.percentile(50)),
        f"{one.percentile(50) / least.percentile(50):.1f}",
        f"{many.rate:,.0f}/s",
        f"{most.rate:,.0f}/s",
        f"{many.rate / most.rate:.0%}",
        milliseconds(many.percentile(50)),
        milliseconds(many.percentile(95)),
        f"{many.own_share:.0%}",
        str(many.failures + one.failures),
    ]


def _measure(reading: Reading, clients: int, seconds: float) -> Measurement:
    return measure(reading.step, clients, seconds)


def _readings(target: Target, dandiset: str) -> dict[str, Reading]:
    public, api = target.public(), target.api()
    draft = f"/api/dandisets/{dandiset}/versions/draft"
    assets: list[Json] = api.json("GET", f"{draft}/assets/?page_size={PAGE}")["results"]
    ids = [asset["asset_id"] for asset in assets]
    nested = [f"{draft}/assets/{asset_id}/" for asset_id in ids]
    return {
        "info": Reading(public, ["/api/info/"]),
        "asset": Reading(public, nested),
        "asset, by a token": Reading(target.api(), nested),
        "asset by its id alone": Reading(public, [f"/api/assets/{asset_id}/" for asset_id in ids]),
        "download (the redirect)": Reading(public, [f"/api/assets/{asset_id}/download/" for asset_id in ids]),
        "version info": Reading(public, [f"{draft}/info/"]),
        "paths of the root folder": Reading(public, [f"{draft}/assets/paths/"]),
        "blob by digest": Reading(public, ["/api/blobs/digest/"], _digests(api, nested)),
        f"list of assets, {PAGE} a page": Reading(public, [f"{draft}/assets/?page_size={PAGE}"]),
        "the same, with metadata": Reading(public, [f"{draft}/assets/?page_size={PAGE}&metadata=true"]),
        f"list of dandisets, {PAGE} a page": Reading(public, [f"/api/dandisets/?page_size={PAGE}"]),
    }


def _digests(api: Api, nested: list[str]) -> list[bytes]:
    etags = [api.json("GET", address)["digest"]["dandi:dandi-etag"] for address in nested]
    return [orjson.dumps({"algorithm": "dandi:dandi-etag", "value": etag}) for etag in etags]


def _make_dandisets(target: Target) -> None:
    api = target.api()
    schema_version = target.schema_version
    missing = DANDISETS - api.json("GET", "/api/dandisets/?page_size=1")["count"]
    for number in range(missing):
        create_dandiset(api, f"Reading {number}", schema_version)
