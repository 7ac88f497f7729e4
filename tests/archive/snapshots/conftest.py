"""A dataset with a repository, and somebody who pushes to it."""

from pathlib import Path

import pytest

from archive.datasets.models import Dataset
from tests.archive.snapshots.pushing import Place, Pusher, new_repository
from tests.factories import make_dataset


@pytest.fixture
def dataset(db: None) -> Dataset:
    return make_dataset()


@pytest.fixture
def place(dataset: Dataset, tmp_path: Path) -> Place:
    """The dataset's repository."""
    return Place(dataset, new_repository(tmp_path / "origin.git"), tmp_path / "scratch")


@pytest.fixture
def pusher(tmp_path: Path) -> Pusher:
    """Somebody's own repository."""
    return Pusher(new_repository(tmp_path / "clone.git"))
