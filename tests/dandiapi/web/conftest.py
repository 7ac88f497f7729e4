"""Browsers by who sits before them, and what they look at."""

import pytest

from archive.accounts.models import User
from archive.datasets.models import Dataset, Version
from tests.dandiapi.web.browser import Browser
from tests.factories import (
    make_admin,
    make_dataset,
    make_embargoed_dataset,
    make_published_version,
    make_unapproved_user,
    make_user,
    make_valid_dataset,
)
from tests.worker import Worker


@pytest.fixture
def anonymous(db: None) -> Browser:
    return Browser()


@pytest.fixture
def waiting(db: None) -> Browser:
    """Somebody whose account has not been approved."""
    return Browser(make_unapproved_user())


@pytest.fixture
def stranger(db: None) -> Browser:
    return Browser(make_user(first_name="Sam", last_name="Stranger"))


@pytest.fixture
def owner(db: None) -> Browser:
    return Browser(make_user(first_name="Olivia", last_name="Owner"))


@pytest.fixture
def admin(db: None) -> Browser:
    return Browser(make_admin())


@pytest.fixture
def person(owner: Browser) -> User:
    """The owner."""
    return owner.user


@pytest.fixture
def dataset(person: User) -> Dataset:
    """The owner's open dataset, empty and not yet validated."""
    return make_dataset(person)


@pytest.fixture
def embargoed(person: User) -> Dataset:
    """A dataset that only the owner may read."""
    return make_embargoed_dataset(person)


@pytest.fixture
def valid(worker: Worker, person: User) -> Dataset:
    """The owner's dataset that can be published, with two files in a folder and one beside it."""
    return make_valid_dataset(worker, person, paths=("sub-1/a.nwb", "sub-1/b.nwb", "z.nwb"))


@pytest.fixture
def version(worker: Worker, valid: Dataset) -> Version:
    """That dataset's only published version."""
    return make_published_version(worker, valid)
