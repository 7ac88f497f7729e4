"""Datasets by access."""

from datetime import UTC, datetime, timedelta

from archive.accounts.models import User
from archive.accounts.policy import Actor
from archive.datasets.models import Dataset
from archive.datasets.services import create_dataset
from tests.factories.accounts import acting, make_user
from tests.factories.metadata import valid_dandiset_metadata


def make_dataset(owner: User | None = None, *, name: str = "Mouse vision") -> Dataset:
    """An open, empty dataset whose metadata is valid."""
    return create_dataset(actor=acting(owner or make_user()), name=name, metadata=valid_dandiset_metadata())


def make_embargoed_dataset(owner: User | None = None) -> Dataset:
    """A dataset that only its owners may read. There is no service for it yet."""
    dataset = make_dataset(owner)
    dataset.access = Dataset.Access.EMBARGOED
    dataset.embargo_end = (datetime.now(UTC) + timedelta(days=365)).date()
    dataset.save()
    return dataset


def owner_of(dataset: Dataset) -> Actor:
    """The first owner of the dataset, acting."""
    return acting(dataset.grants.select_related("user").order_by("pk")[0].user)
