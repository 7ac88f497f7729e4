"""How fast searches over many datasets are answered, by what is searched for."""

import itertools
from urllib.parse import urlencode

from tests.bench.archive_api import Target
from tests.bench.load import Measurement, Step, measure
from tests.bench.quiet import wait_until_quiet
from tests.bench.report import Table, milliseconds

DATASETS = 2_000
# As the web app asks.
PAGE = 8
MOUSE = "Mus musculus - House mouse"
Query = dict[str, str | int]

SEARCHES: dict[str, list[Query]] = {
    "one common word": [{"search": word} for word in ("neurons", "cortex", "reward")],
    "three words": [{"search": "visual cortex mice"}, {"search": "sleep theta memory"}],
    "a rare word": [{"search": f"w{number:05}x"} for number in range(7, 39_000, 4_999)],
    "part of a word": [{"search": part} for part in ("campus", "genetic", "fixels", "ampu")],
    "a quoted phrase": [
        {"search": f'"{phrase}"'} for phrase in ("visual cortex", "place cells grid", "head direction")
    ],
    "species": [{"search": "species:mouse"}, {"search": 'species:"Danio rerio"'}],
    "approach and technique": [{"search": 'approach:microscopy technique:"spike sorting"'}],
    "dates": [{"search": "created_after:2026-01-01 modified_before:2099-01-01"}],
    "owner": [{"search": "owner:lab-7@example.org"}],
    "words, species and dates": [{"search": "cortex task species:rat created_after:2026-01-01"}],
    "by size, files not empty": [{"search": "hippocampus", "ordering": "-size", "empty": "false"}],
}
FILE_SEARCHES: dict[str, list[Query]] = {
    "files: species": [{"species": MOUSE}],
    "files: technique": [{"measurement_technique": "spike sorting technique"}],
    "files: size": [{"file_size_min": 10**9, "file_size_max": 10**10}, {"file_size_min": 10**10}],
    "files: genotype": [{"genotype": "Pvalb-IRES-Cre"}],
    "files: type, species, technique, size, words": [
        {
            "file_type": "application/x-nwb",
            "species": MOUSE,
            "measurement_technique": "spike sorting technique",
            "file_size_min": 10**6,
            "search": "cortex",
        }
    ],
}


def measure_search(target: Target, clients: int, seconds: float, datasets: int = DATASETS) -> list[Table]:
    """The table of times, by what is searched for: for one client alone, and for many at once."""
    target.archive.manage("-m", "tests.bench.make_many", "--datasets", str(datasets))
    wait_until_quiet(target.archive)
    requests = _addresses("/api/dandisets/", SEARCHES) | _addresses("/api/dandisets/search/", FILE_SEARCHES)
    rows = [_row(target, name, addresses, clients, seconds) for name, addresses in requests.items()]
    columns = ["search", "found", "p50", "p95", f"p95 of {clients} clients", "searches/s", "failures"]
    return [Table(f"Searching {datasets:,} datasets, {PAGE} a page, one client", columns, rows)]


def _addresses(path: str, searches: dict[str, list[Query]]) -> dict[str, list[str]]:
    return {
        name: [f"{path}?{urlencode(query | {'page_size': PAGE})}" for query in queries]
        for name, queries in searches.items()
    }


def _row(target: Target, name: str, addresses: list[str], clients: int, seconds: float) -> list[str]:
    one = _measure(target, addresses, 1, seconds)
    many = _measure(target, addresses, clients, seconds)
    return [
        name,
        f"{target.api().json('GET', addresses[0])['count']:,}",
        milliseconds(one.percentile(50)),
        milliseconds(one.percentile(95)),
        milliseconds(many.percentile(95)),
        f"{many.rate:,.0f}",
        str(one.failures + many.failures),
    ]


def _measure(target: Target, addresses: list[str], clients: int, seconds: float) -> Measurement:
    def make_step(_: int) -> Step:
        connection, rotation = target.public(), itertools.cycle(addresses)
        return lambda: connection.exchange("GET", next(rotation)).status == 200

    return measure(make_step, clients, seconds)
