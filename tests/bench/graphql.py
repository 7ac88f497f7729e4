"""What the GraphQL face costs those who read: the heaviest documents of real clients, and a long list of files."""

from collections.abc import Iterable

import orjson

from tests.bench.archive_api import Target
from tests.bench.connection import Connection
from tests.bench.floor.serving import served_floor
from tests.bench.quiet import wait_until_quiet
from tests.bench.reading import Reading, row_of
from tests.bench.report import Table
from tests.dandiapi.graphql.documents import heaviest

DATASETS = 120
FILES = 10_000
ADDRESS = "/crn/graphql"
LISTING = "query($id: ID!) { dataset(id: $id) { draft { files(recursive: true) { filename size id urls } } } }"
FOLDER = "query($id: ID!) { dataset(id: $id) { draft { files { filename size id urls directory } } } }"
HOSTILE = {
    "refused: 1,000 aliases": f"{{ {' '.join(f'a{number}: __typename' for number in range(1000))} }}",
    "refused: 50 deep": "{ dataset(id: 1) " + "{ draft { dataset " * 25 + "{ id }" + "} }" * 25 + " }",
    "refused: a circle of fragments": "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
}


def measure_graphql(target: Target, clients: int, seconds: float) -> list[Table]:
    """The table of requests per second, by document, with the floor beside each figure."""
    ids = _make(target, DATASETS, 3)
    [large] = _make(target, 1, FILES)
    user = target.api().json("GET", "/crn/users/self")["id"]
    readings = dict(_readings(target, ids, large, user))
    with served_floor(target.archive, int(large.removeprefix("ds"))) as (url, path):
        floor = Reading(Connection(url), [path])
        wait_until_quiet(target.archive)
        rows = [row_of(name, reading, floor, clients, seconds) for name, reading in readings.items()]
    columns = ["document", "one client", "floor", "times"]
    columns += [f"{clients} clients", "floor", "share", "p50", "p95", "generator", "failures"]
    return [Table(f"GraphQL, with one client and with {clients}: the floor is a view with one SELECT", columns, rows)]


def _make(target: Target, datasets: int, files: int) -> list[str]:
    counts = ("--datasets", str(datasets), "--files", str(files))
    return target.archive.manage("-m", "tests.bench.make_bids", *counts).split()


def _readings(target: Target, ids: list[str], large: str, user: str) -> Iterable[tuple[str, Reading]]:
    owner = Connection(target.archive.url, {"Authorization": f"Bearer {target.token}"})
    for heavy in heaviest():
        variables = [{"id": each, "datasetId": each, "tag": "1.0.0", "userId": user} for each in ids]
        bodies = [_body(heavy.text, each) for each in (variables[:1] if heavy.is_list else variables)]
        yield heavy.name, Reading(owner, [ADDRESS], bodies)
    anybody = Connection(target.archive.url)
    yield f"all {FILES:,} files of a dataset", Reading(anybody, [ADDRESS], [_body(LISTING, {"id": large})])
    yield "the root folder of the same", Reading(anybody, [ADDRESS], [_body(FOLDER, {"id": large})])
    for name, text in HOSTILE.items():
        yield name, Reading(anybody, [ADDRESS], [_body(text, {})], expected=(400,))


def _body(text: str, variables: dict[str, str]) -> bytes:
    return orjson.dumps({"query": text, "variables": variables})
