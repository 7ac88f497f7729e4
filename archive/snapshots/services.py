"""Repositories: begun when they are first asked for."""

from archive.datasets.models import Dataset
from archive.snapshots.models import Repository


def repository_of(dataset: Dataset) -> Repository:
    """The dataset's repository, whether anything has been written into it yet or not."""
    return Repository.objects.get_or_create(dataset=dataset)[0]
