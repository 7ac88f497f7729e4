"""What the release of an embargoed dataset costs: until anybody reads it, and until every object is open."""

import time
from collections.abc import Callable

from tests.bench.archive_api import Target
from tests.bench.publishing import make_dataset
from tests.bench.quiet import wait_until_quiet
from tests.bench.report import Table, milliseconds

LONGEST_SECONDS = 900.0


def measure_embargo(target: Target, small: int, large: int) -> list[Table]:
    """The table of releases of a small and of a large dataset."""
    columns = [_release(target, assets) for assets in (small, large)]
    names = ["the request", "until anybody reads all of it", "until its tags are done (objects only named, not stored)"]
    rows = [[name, *cells] for name, *cells in zip(names, *columns, strict=True)]
    return [Table("Releasing an embargoed dataset", ["", f"{small:,} blobs", f"{large:,} blobs"], rows)]


def _release(target: Target, assets: int) -> list[str]:
    dandiset = make_dataset(target, assets, "--embargoed")
    wait_until_quiet(target.archive)
    draft = f"/api/dandisets/{dandiset}/versions/draft"
    [asset] = target.api().json("GET", f"{draft}/assets/?page_size=1")["results"]
    urls = [f"{draft}/info/", f"{draft}/assets/", f"/api/assets/{asset['asset_id']}/download/"]
    if any(_is_read_by_all(target, url) for url in urls):
        raise RuntimeError(f"{dandiset} is not embargoed.")
    api = target.api()
    began = time.perf_counter()
    api.json("POST", f"/api/dandisets/{dandiset}/unembargo/")
    request = time.perf_counter() - began
    _wait(lambda: all(_is_read_by_all(target, url) for url in urls))
    readable = time.perf_counter() - began
    _wait(lambda: api.json("GET", f"/api/dandisets/{dandiset}/")["embargo_status"] == "OPEN")
    opened = time.perf_counter() - began
    return [milliseconds(1000 * seconds) for seconds in (request, readable, opened)]


def _is_read_by_all(target: Target, url: str) -> bool:
    return target.public().exchange("GET", url).status in (200, 302)


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("The release does not come to an end.")
        time.sleep(0.01)
