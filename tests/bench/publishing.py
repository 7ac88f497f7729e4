"""What a large dataset costs, compared to a small one: publishing it, and reading it at beginning, middle and end."""

import json
import statistics
import time
from dataclasses import dataclass

from tests.bench.archive_api import Json, Target, wait_until_published, wait_until_valid
from tests.bench.connection import Connection
from tests.bench.quiet import wait_until_quiet
from tests.bench.report import Table, milliseconds

SMALL = 1_000
LARGE = 100_000
PAGE = 100
REPETITIONS = 21


@dataclass(frozen=True)
class Publication:
    """How the publication of a dataset went: durations in milliseconds, and what can be read of it."""

    assets: int
    making: float
    request: float
    job: float
    request_again: float
    job_again: float
    urls: dict[str, str]


def measure_publishing(target: Target, small: int = SMALL, large: int = LARGE) -> list[Table]:
    """The table of publishing, and that of reading what was published."""
    publications = [_publish(target, assets) for assets in (small, large)]
    wait_until_quiet(target.archive)
    return [_publishing_table(*publications), _reading_table(target, *publications)]


def make_dataset(target: Target, assets: int, *options: str) -> str:
    """A dandiset with so many assets, made by the bulk service; returns its identifier."""
    made = target.archive.manage("-m", "tests.bench.make_dataset", "--assets", str(assets), *options)
    dandiset = made.split()[-1]
    wait_until_valid(target.api(), dandiset)
    return dandiset


def _publish(target: Target, assets: int) -> Publication:
    began = time.perf_counter()
    dandiset = make_dataset(target, assets)
    making = 1000 * (time.perf_counter() - began)
    request, job = _publish_once(target, dandiset)
    _change_metadata(target, dandiset)
    request_again, job_again = _publish_once(target, dandiset)
    return Publication(assets, making, request, job, request_again, job_again, _urls(target, dandiset, assets))


def _publish_once(target: Target, dandiset: str) -> tuple[float, float]:
    api = target.api()
    wait_until_valid(api, dandiset)
    # What the archive still does of the change before, on the same processors, is not what is measured.
    wait_until_quiet(target.archive)
    began = time.perf_counter()
    api.json("POST", f"/api/dandisets/{dandiset}/versions/draft/publish/")
    request = time.perf_counter() - began
    return 1000 * request, 1000 * wait_until_published(api, dandiset)


def _change_metadata(target: Target, dandiset: str) -> None:
    """Without a change there is nothing to publish again."""
    api = target.api()
    draft = f"/api/dandisets/{dandiset}/versions/draft/"
    metadata: Json = api.json("GET", draft)
    metadata["description"] = f"{metadata['description']} And more."
    api.json("PUT", draft, {"name": metadata["name"], "metadata": metadata})


def _urls(target: Target, dandiset: str, assets: int) -> dict[str, str]:
    """What is read -> its URL."""
    api = target.api()
    versions = api.json("GET", f"/api/dandisets/{dandiset}/versions/?order=-created")["results"]
    last = assets // PAGE
    pages = {"first": 1, "middle": last // 2, "last": last}
    urls = {}
    for label, version in (("draft", "draft"), ("version", versions[0]["version"])):
        base = f"/api/dandisets/{dandiset}/versions/{version}"
        urls[f"{label}: info"] = f"{base}/info/"
        urls[f"{label}: paths, root"] = f"{base}/assets/paths/"
        urls |= {
            f"{label}: assets, {name} page": f"{base}/assets/?page_size={PAGE}&page={page}"
            for name, page in pages.items()
        }
        urls[f"{label}: assets by path, last page"] = f"{base}/assets/?page_size={PAGE}&page={last}&order=path"
    return urls


def _publishing_table(small: Publication, large: Publication) -> Table:
    rows = [
        ("publish, the request", small.request, large.request),
        ("publish, until it is published", small.job, large.job),
        ("publish again after one change, the request", small.request_again, large.request_again),
        ("publish again after one change, until it is published", small.job_again, large.job_again),
        ("making the dataset with the bulk service, until it is valid", small.making, large.making),
    ]
    return Table(
        "Publishing",
        ["", f"{small.assets:,} assets", f"{large.assets:,} assets", "ratio"],
        [[name, milliseconds(one), milliseconds(other), f"{other / one:.1f}"] for name, one, other in rows],
    )


def _reading_table(target: Target, small: Publication, large: Publication) -> Table:
    queries = _count_queries(target, [*small.urls.values(), *large.urls.values()])
    rows = []
    for name, url in small.urls.items():
        urls = (url, large.urls[name])
        one, other = _times_of(target, urls)
        counts = [str(queries[each]) for each in urls]
        rows.append([name, *counts, milliseconds(one), milliseconds(other), f"{other / one:.1f}"])
    columns = ["request", f"queries at {small.assets:,}", f"queries at {large.assets:,}"]
    columns += [f"time at {small.assets:,}", f"time at {large.assets:,}", "ratio"]
    return Table(f"Reading a large dataset, {PAGE} assets a page (median of {REPETITIONS})", columns, rows)


def _count_queries(target: Target, urls: list[str]) -> dict[str, int]:
    counted = target.archive.manage("-m", "tests.bench.queries", *urls)
    queries: dict[str, int] = json.loads(counted.splitlines()[-1])
    return queries


def _times_of(target: Target, urls: tuple[str, str]) -> tuple[float, float]:
    """The median times of two requests, made in turn so that both meet the same weather."""
    connection = target.public()
    rounds = [[_time_of(connection, url) for url in urls] for _ in range(REPETITIONS)]
    one, other = (statistics.median(durations) for durations in zip(*rounds, strict=True))
    return one, other


def _time_of(connection: Connection, url: str) -> float:
    began = time.perf_counter()
    reply = connection.exchange("GET", url)
    duration = 1000 * (time.perf_counter() - began)
    if reply.status != 200:
        raise RuntimeError(f"GET {url}: {reply.status} {reply.body[:200]!r}")
    return duration
