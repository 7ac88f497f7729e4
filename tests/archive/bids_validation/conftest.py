"""Small BIDS datasets, and programs that stand in for the validator."""

import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from archive.assets.services import change_assets
from archive.blobs.services import keep_contents
from archive.datasets.models import Dataset
from tests.factories import make_dataset, new_asset, owner_of
from tests.worker import Worker

DESCRIPTION = {
    "Name": "Words",
    "BIDSVersion": "1.10.0",
    "DatasetType": "raw",
    "License": "CC0",
    "Authors": ["A. Reader"],
}
VALID = {
    "dataset_description.json": orjson.dumps(DESCRIPTION),
    "README": b"What was said, and when, by the people who took part in a study of words and how long they take.\n" * 3,
    "participants.tsv": b"participant_id\tage\nsub-01\t34\n",
    "sub-01/beh/sub-01_task-words_beh.tsv": b"trial\tresponse\n1\tyes\n",
    "sub-01/beh/sub-01_task-words_beh.json": b'{"TaskName": "words"}',
}

# Makes a dataset of files, whose digests are known.
MakeBids = Callable[[dict[str, bytes]], Dataset]


@pytest.fixture(autouse=True)
def _own_cache(settings: Any, tmp_path: Path) -> None:
    """Lays out trees where no test has before: datasets of other tests may have had the same number."""
    settings.BIDS_VALIDATION_CACHE = str(tmp_path / "bids")


@pytest.fixture
def make_bids(worker: Worker) -> MakeBids:
    def make(files: dict[str, bytes]) -> Dataset:
        dataset = make_dataset()
        put(dataset, files)
        worker.run()
        return dataset

    return make


def put(dataset: Dataset, files: dict[str, bytes], *, remove: Sequence[str] = ()) -> None:
    """Add files to the draft, and remove or replace some."""
    blobs = keep_contents(actor=owner_of(dataset), dataset=dataset, contents=[*files.values()])
    new = [new_asset(path, blob) for path, blob in zip(files, blobs, strict=True)]
    change_assets(actor=owner_of(dataset), dataset=dataset, add=new, remove=remove)


@pytest.fixture
def program(tmp_path: Path, settings: Any) -> Callable[[str], None]:
    """Have a shell script stand in for the validator."""

    def install(script: str) -> None:
        file = tmp_path / "validator"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        settings.BIDS_VALIDATOR = str(file)

    return install
