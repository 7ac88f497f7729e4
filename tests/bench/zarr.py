"""How fast a large Zarr archive is registered: requesting URLs, and ingesting; the store's own time is told apart.

The chunks are of few different contents, so that the store is filled in a moment: it has one object for each.
"""

import base64
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zarr_checksum.tree import ZarrChecksumTree

from tests.bench.archive_api import Api, Target, create_dandiset
from tests.bench.connection import Connection, target_of
from tests.bench.report import Table

ENTRIES = 100_000
CONTENTS = 500
# What the dandi client sends at once, and what another may.
BATCHES = (255, 5_000)
LONGEST_SECONDS = 600.0


@dataclass(frozen=True)
class Chunk:
    """A file of the archive, and its content."""

    path: str
    content: bytes

    @property
    def md5(self) -> bytes:
        return hashlib.md5(self.content, usedforsecurity=False).digest()

    @property
    def announced(self) -> dict[str, str]:
        return {"path": self.path, "base64md5": base64.b64encode(self.md5).decode()}


@dataclass(frozen=True)
class Run:
    """How it went: seconds."""

    batch: int
    requests: float
    puts: float
    ingest: float


def measure_zarr(target: Target, entries: int = ENTRIES) -> list[Table]:
    """The table of registration, by sizes of batches.

    Raises RuntimeError when the checksum is not the library's.
    """
    chunks = list(_chunks(entries))
    expected = _checksum(chunks)
    runs = [_register(target, chunks, batch, expected) for batch in BATCHES]
    return [
        Table(
            title=f"A Zarr archive of {entries:,} entries ({min(CONTENTS, entries):,} different contents)",
            columns=["entries a request", "URLs/s", "ingest", "entries/s in all", "put into the store"],
            rows=[
                [
                    f"{run.batch:,}",
                    f"{entries / run.requests:,.0f}",
                    f"{run.ingest:.1f} s",
                    f"{entries / (run.requests + run.ingest):,.0f}",
                    f"{run.puts:.1f} s",
                ]
                for run in runs
            ],
        )
    ]


def _chunks(entries: int) -> Iterator[Chunk]:
    yield Chunk(".zattrs", b"{}")
    for number in range(1, entries):
        content = f"chunk {number % CONTENTS}".encode()
        yield Chunk(f"{number // 10_000}/{number // 100 % 100}/{number % 100}", content)


def _checksum(chunks: list[Chunk]) -> str:
    tree = ZarrChecksumTree()
    for chunk in chunks:
        tree.add_leaf(Path(chunk.path), len(chunk.content), chunk.md5.hex())
    return str(tree.process())


def _register(target: Target, chunks: list[Chunk], batch: int, expected: str) -> Run:
    api = target.api()
    # Of an embargoed dandiset nothing is opened, so the store is not kept busy with that when the next run begins.
    dandiset = create_dandiset(api, f"Zarr in batches of {batch}", target.schema_version, embargo=True)
    zarr_id = api.json("POST", "/api/zarr/", {"name": "a.zarr", "dandiset": dandiset})["zarr_id"]
    bodies = [[chunk.announced for chunk in chunks[start : start + batch]] for start in range(0, len(chunks), batch)]
    began = time.perf_counter()
    urls = [url for body in bodies for url in api.json("POST", f"/api/zarr/{zarr_id}/files/", body)]
    requests = time.perf_counter() - began
    puts = _put({url.partition("?")[0]: (url, chunk) for url, chunk in zip(urls, chunks, strict=True)})
    began = time.perf_counter()
    api.json("POST", f"/api/zarr/{zarr_id}/finalize/")
    checksum = _wait_until_complete(api, zarr_id)
    ingest = time.perf_counter() - began
    if checksum != expected:
        raise RuntimeError(f"The checksum is {checksum} and should be {expected}.")
    return Run(batch, requests, puts, ingest)


def _put(different: dict[str, tuple[str, Chunk]]) -> float:
    """Put one object for each different content; returns how many seconds that took."""
    began = time.perf_counter()
    for url, chunk in different.values():
        store = Connection(url, {"Content-MD5": chunk.announced["base64md5"]})
        reply = store.exchange("PUT", target_of(url), chunk.content)
        store.close()
        if reply.status != 200:
            raise RuntimeError(f"PUT {url}: {reply.status} {reply.body[:200]!r}")
    return time.perf_counter() - began


def _wait_until_complete(api: Api, zarr_id: str) -> str:
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        zarr = api.json("GET", f"/api/zarr/{zarr_id}/")
        if zarr["status"] == "Complete":
            return str(zarr["checksum"])
        time.sleep(0.1)
    raise TimeoutError(f"The archive is {zarr['status']} after {LONGEST_SECONDS:.0f} s.")
