"""`python -m tests.bench`: measures a complete archive of its own, and prints tables for docs/performance.md."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.archive_api import Target
from tests.bench.embargo import measure_embargo
from tests.bench.graphql import measure_graphql
from tests.bench.publishing import LARGE, SMALL, measure_publishing
from tests.bench.quiet import wait_until_quiet
from tests.bench.reading import measure_reading
from tests.bench.registration import measure_registration
from tests.bench.report import Table, heading
from tests.bench.search import measure_search
from tests.bench.snapshots import measure_snapshots
from tests.bench.zarr import ENTRIES, measure_zarr
from tests.journeys.running import RunningArchive, free_port

PARTS = ("registration", "reading", "publishing", "embargo", "zarr", "search", "snapshots", "graphql")


def main() -> None:
    """Measures what the command line asks for."""
    options = _parser().parse_args()
    print(heading(), flush=True)
    with _measured_archive() as target:
        for part in options.only or PARTS:
            wait_until_quiet(target.archive)
            for table in _measure(part, target, options):
                print(table, flush=True)


def _measure(part: str, target: Target, options: argparse.Namespace) -> list[Table]:
    print(f"Measuring {part} ...", file=sys.stderr)
    if part == "registration":
        return measure_registration(target, options.clients, options.seconds)
    if part == "reading":
        return measure_reading(target, options.clients, options.seconds)
    if part == "embargo":
        return measure_embargo(target, options.small, options.large)
    if part == "zarr":
        return measure_zarr(target, options.entries)
    if part == "snapshots":
        return measure_snapshots(target, options.small, options.large)
    if part == "graphql":
        return measure_graphql(target, options.clients, options.seconds)
    if part == "search":
        return measure_search(target, options.clients, options.seconds)
    return measure_publishing(target, options.small, options.large)


@contextmanager
def _measured_archive() -> Iterator[Target]:
    with tempfile.TemporaryDirectory(prefix="archive-bench-") as folder:
        archive = RunningArchive(Path(folder, "home"), free_port())
        archive.start()
        try:
            yield Target(archive, archive.token)
        finally:
            archive.interrupt()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each measurement takes (default: 5)")
    parser.add_argument("--clients", type=int, default=8, help="how many clients ask at once (default: 8)")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part only; may be repeated")
    parser.add_argument("--small", type=int, default=SMALL, help=f"assets of the small dataset (default: {SMALL})")
    parser.add_argument("--large", type=int, default=LARGE, help=f"assets of the large dataset (default: {LARGE})")
    parser.add_argument("--entries", type=int, default=ENTRIES, help=f"entries of the Zarr (default: {ENTRIES})")
    return parser


if __name__ == "__main__":
    main()
