"""How many small files per second can be uploaded and registered, from the first request to the asset."""

import hashlib
import os
import statistics
from collections import Counter
from typing import NamedTuple

from archive.digests import etag_of_parts
from tests.bench.archive_api import Api, Json, Target, create_dandiset, wait_until_valid
from tests.bench.connection import Connection, target_of
from tests.bench.load import Measurement, Step, measure, timed
from tests.bench.processors import seconds_used
from tests.bench.quiet import wait_until_quiet
from tests.bench.report import Table, milliseconds

FILE_SIZE = 1000
# Not counted: each process has then done all its work once before, repositories, written every 5 seconds, included.
WARM_UP_SECONDS = 6.0
STAGES = ("initialize", "PUT to the store", "complete", "complete in the store", "validate", "POST asset")


class Uploader:
    """One client that uploads one new file after the other."""

    def __init__(self, target: Target, dandiset: str, number: int, schema_version: str) -> None:
        self._api = target.api()
        self._store: Connection | None = None
        self._dandiset = dandiset
        self._prefix = f"sub-{number}"
        self._schema_version = schema_version
        self._files = 0

    def upload_one(self) -> bool:
        """Uploads and registers a file; returns whether it became an asset."""
        content = os.urandom(FILE_SIZE)
        etag = etag_of_parts([hashlib.md5(content, usedforsecurity=False).hexdigest()])
        upload = timed("initialize", self._initialize, etag)
        part = upload["parts"][0]
        part_etag = timed("PUT to the store", self._put, part["upload_url"], content)
        completion = timed("complete", self._complete, upload["upload_id"], part_etag)
        timed("complete in the store", self._complete_in_store, completion)
        blob = timed("validate", self._api.json, "POST", f"/api/uploads/{upload['upload_id']}/validate/")
        timed("POST asset", self._register, blob["blob_id"], etag)
        return True

    def _initialize(self, etag: str) -> Json:
        digest = {"algorithm": "dandi:dandi-etag", "value": etag}
        body = {"contentSize": FILE_SIZE, "digest": digest, "dandiset": self._dandiset}
        upload: Json = self._api.json("POST", "/api/uploads/initialize/", body)
        return upload

    def _put(self, url: str, content: bytes) -> str:
        self._store = self._store or Connection(url)
        reply = self._store.exchange("PUT", target_of(url), content)
        return reply.headers[b"etag"].decode().strip('"')

    def _complete(self, upload_id: str, part_etag: str) -> Json:
        parts = [{"part_number": 1, "size": FILE_SIZE, "etag": part_etag}]
        completion: Json = self._api.json("POST", f"/api/uploads/{upload_id}/complete/", {"parts": parts})
        return completion

    def _complete_in_store(self, completion: Json) -> None:
        assert self._store
        self._store.exchange("POST", target_of(completion["complete_url"]), completion["body"].encode())

    def _register(self, blob_id: str, etag: str) -> None:
        self._files += 1
        metadata = {
            "schemaKey": "Asset",
            "schemaVersion": self._schema_version,
            "path": f"{self._prefix}/{self._prefix}_run-{self._files}.txt",
            "encodingFormat": "text/plain",
            "contentSize": FILE_SIZE,
            "digest": {"dandi:dandi-etag": etag},
        }
        url = f"/api/dandisets/{self._dandiset}/versions/draft/assets/"
        self._api.json("POST", url, {"metadata": metadata, "blob_id": blob_id})


def measure_registration(target: Target, clients: int, seconds: float) -> list[Table]:
    """The table of registration, and those of where its time goes."""
    _register_for(target, 1, WARM_UP_SECONDS)
    runs = [_register_for(target, count, seconds) for count in (1, clients)]
    return [_summary(runs), _stages(runs), _processors(runs)]


class Run(NamedTuple):
    """What some clients did for a while, and how long the archive took afterwards to find all of it valid."""

    measured: Measurement
    until_valid: float
    processor_seconds: Counter[str]


def _register_for(target: Target, clients: int, seconds: float) -> Run:
    schema_version = target.schema_version
    api: Api = target.api()
    dandiset = create_dandiset(api, f"Registration by {clients} clients", schema_version)
    uploaders = [Uploader(target, dandiset, number, schema_version) for number in range(clients)]
    wait_until_quiet(target.archive)
    steps: list[Step] = [uploader.upload_one for uploader in uploaders]
    before = seconds_used(target.archive)
    measured = measure(steps.__getitem__, clients, seconds)
    until_valid = wait_until_valid(api, dandiset)
    return Run(measured, until_valid, seconds_used(target.archive) - before)


def _summary(runs: list[Run]) -> Table:
    return Table(
        title=f"Assets registered end to end (files of {FILE_SIZE} bytes of distinct content)",
        columns=["clients", "assets/s", "p50", "p95", "assets", "all valid after another", "generator"],
        rows=[
            [
                str(len(run.measured.clients)),
                f"{run.measured.rate:.1f}",
                milliseconds(run.measured.percentile(50)),
                milliseconds(run.measured.percentile(95)),
                f"{len(run.measured.durations):,}",
                f"{run.until_valid:.1f} s",
                f"{run.measured.own_share:.0%}",
            ]
            for run in runs
        ],
    )


def _stages(runs: list[Run]) -> Table:
    return Table(
        title="Where the time of a registration goes (median)",
        columns=["request", *(f"clients: {len(run.measured.clients)}" for run in runs)],
        rows=[
            [stage, *(milliseconds(1000 * statistics.median(run.measured.stage(stage))) for run in runs)]
            for stage in STAGES
        ],
    )


def _processors(runs: list[Run]) -> Table:
    names = sorted({name for run in runs for name in run.processor_seconds})
    return Table(
        title="Processor time of one registration, by process",
        columns=["process", *(f"clients: {len(run.measured.clients)}" for run in runs)],
        rows=[
            [name, *(milliseconds(1000 * run.processor_seconds[name] / _registered(run)) for run in runs)]
            for name in names
        ],
    )


def _registered(run: Run) -> int:
    return len(run.measured.stage("POST asset"))
