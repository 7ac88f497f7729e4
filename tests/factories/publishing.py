"""Drafts that can be published, and versions that have been."""

from archive.accounts.models import User
from archive.datasets.models import Dataset, Version
from archive.publishing.services import publish
from tests.factories.assets import make_asset
from tests.factories.datasets import make_dataset, owner_of
from tests.worker import Worker


def make_valid_dataset(worker: Worker, owner: User | None = None, *, paths: tuple[str, ...] = ("a.nwb",)) -> Dataset:
    """A dataset with assets at `paths` whose draft has been found valid."""
    dataset = make_dataset(owner)
    for path in paths:
        make_asset(dataset, path)
    worker.run()
    return dataset


def make_published_version(worker: Worker, dataset: Dataset) -> Version:
    """The version that publishing the dataset's draft as it is now makes; both are left published."""
    job = publish(actor=owner_of(dataset), dataset=dataset)
    worker.run()
    return dataset.versions.get(pk=job.subject, status=Version.Status.VALID)
