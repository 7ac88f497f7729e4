"""A dataset with a repository, and somebody who pushes to it."""

from pathlib import Path
from typing import Any

import pytest

from archive.datasets.models import Dataset
from tests.archive.snapshots.pushing.pusher import Place, Pusher, first_push, new_repository
from tests.factories import make_dataset
from tests.worker import Worker


@pytest.fixture(autouse=True)
def snapshot_cache(settings: Any, tmp_path: Path) -> Path:
    """A cache of each test's own."""
    settings.SNAPSHOT_CACHE = str(tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def worker(writer: Worker) -> Worker:
    return writer


@pytest.fixture
def dataset(db: None) -> Dataset:
    return make_dataset()


@pytest.fixture
def place(dataset: Dataset, tmp_path: Path) -> Place:
    """The dataset's repository."""
    return Place(dataset, new_repository(tmp_path / "origin.git"))


@pytest.fixture
def pusher(tmp_path: Path) -> Pusher:
    """Somebody's own repository."""
    return Pusher(new_repository(tmp_path / "clone.git"))


@pytest.fixture
def main(place: Place, pusher: Pusher) -> str:
    """The commit that the draft is at; it has a file `a.txt` in the annex, and two that are in git."""
    return first_push(place, pusher)
