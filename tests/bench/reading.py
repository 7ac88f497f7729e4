"""How fast the archive answers those who only read."""

import itertools
from collections.abc import Iterator

from tests.bench.archive_api import Json, Target, create_dandiset
from tests.bench.load import Measurement, Step, measure
from tests.bench.publishing import make_dataset
from tests.bench.quiet import wait_until_quiet
from tests.bench.report import Table, milliseconds

DANDISETS = 120
ASSETS = 1_000
PAGE = 100
# How long one client measures, as a share of the time that many get.
SINGLE_SHARE = 0.5


def measure_reading(target: Target, clients: int, seconds: float) -> list[Table]:
    """The table of requests per second, by what is asked for."""
    requests = _requests(target)
    wait_until_quiet(target.archive)
    rows = [_row(target, name, targets, clients, seconds) for name, targets in requests.items()]
    columns = ["request", "requests/s", "p50", "p95", "p50 of one client", "generator", "failures"]
    return [Table(f"Reading with {clients} clients", columns, rows)]


def _row(target: Target, name: str, targets: list[str], clients: int, seconds: float) -> list[str]:
    many = _measure(target, targets, clients, seconds)
    one = _measure(target, targets, 1, seconds * SINGLE_SHARE)
    return [
        name,
        f"{many.rate:,.0f}",
        milliseconds(many.percentile(50)),
        milliseconds(many.percentile(95)),
        milliseconds(one.percentile(50)),
        f"{many.own_share:.0%}",
        str(many.failures + one.failures),
    ]


def _measure(target: Target, targets: list[str], clients: int, seconds: float) -> Measurement:
    def make_step(number: int) -> Step:
        connection = target.public()
        # Clients begin at different places, or they would all ask for the same thing at the same time.
        rotation: Iterator[str] = itertools.cycle(targets[number % len(targets) :] + targets[: number % len(targets)])
        return lambda: connection.exchange("GET", next(rotation)).status in (200, 302)

    return measure(make_step, clients, seconds)


def _requests(target: Target) -> dict[str, list[str]]:
    dandiset = make_dataset(target, ASSETS)
    _make_dandisets(target)
    draft = f"/api/dandisets/{dandiset}/versions/draft"
    assets: list[Json] = target.api().json("GET", f"{draft}/assets/?page_size={PAGE}")["results"]
    identifiers = [asset["asset_id"] for asset in assets]
    return {
        "info": ["/api/info/"],
        f"list of dandisets, {PAGE} a page": [f"/api/dandisets/?page_size={PAGE}"],
        "version info": [f"{draft}/info/"],
        f"list of assets, {PAGE} a page, with metadata": [f"{draft}/assets/?page_size={PAGE}&metadata=true"],
        "paths of the root folder": [f"{draft}/assets/paths/"],
        "asset": [f"{draft}/assets/{identifier}/" for identifier in identifiers],
        "download (the redirect)": [f"/api/assets/{identifier}/download/" for identifier in identifiers],
    }


def _make_dandisets(target: Target) -> None:
    api = target.api()
    schema_version = target.schema_version
    missing = DANDISETS - api.json("GET", "/api/dandisets/?page_size=1")["count"]
    for number in range(missing):
        create_dandiset(api, f"Reading {number}", schema_version)
