"""Callers by standing, and a dataset that they call about."""

import pytest

from archive.datasets.models import Dataset
from tests.dandiapi.git.caller import Caller, make_followed
from tests.factories import make_user
from tests.worker import Worker


@pytest.fixture
def worker(writer: Worker) -> Worker:
    return writer


@pytest.fixture
def anonymous(db: None) -> Caller:
    return Caller()


@pytest.fixture
def stranger(db: None) -> Caller:
    return Caller(make_user())


@pytest.fixture
def owner(db: None) -> Caller:
    return Caller(make_user())


@pytest.fixture
def dataset(owner: Caller, worker: Worker) -> Dataset:
    """The owner's open dataset of one file, whose repository has followed."""
    assert owner.user
    return make_followed(owner.user, worker)
