"""What it costs to write a dataset's repository: all of it, and one change of one file; in time and in memory."""

import json

from tests.bench.archive_api import Target
from tests.bench.publishing import make_dataset
from tests.bench.quiet import wait_until_quiet
from tests.bench.report import Table, milliseconds

MIB = 2**20


def measure_snapshots(target: Target, small: int, large: int) -> list[Table]:
    """The table of writing the repositories of a small and of a large dataset."""
    columns = [_figures(target, assets) for assets in (small, large)]
    rows = [
        [
            "all files, until they can be cloned",
            *(milliseconds(1000 * each["whole"]) for each in columns),
        ],
        ["one changed file, until it can be fetched", *(milliseconds(1000 * each["change"]) for each in columns)],
        ["the bundle of all files", *(_mib(each["bundle"]) for each in columns)],
        ["memory of the worker, over its idle", *(_mib(each["peak"] - each["idle"]) for each in columns)],
        ["memory of its largest git", *(_mib(each["child"]) for each in columns)],
    ]
    return [Table("Writing a repository", ["", f"{small:,} assets", f"{large:,} assets"], rows)]


def _figures(target: Target, assets: int) -> dict[str, float]:
    dandiset = make_dataset(target, assets)
    wait_until_quiet(target.archive)
    written = target.archive.manage("-m", "tests.bench.write_repository", dandiset)
    figures: dict[str, float] = json.loads(written.splitlines()[-1])
    return figures


def _mib(size: float) -> str:
    return f"{size / MIB:.1f} MiB"
