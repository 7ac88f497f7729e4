"""The ids of this dialect (docs/dialects/openneuro.md#ids)."""

from graphql import GraphQLError

from archive.accounts.models import User
from archive.audit.queries import Tombstone, find_tombstone
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_named_dataset, find_version
from archive.errors import NotFoundError
from archive.identifiers.names import dataset_number_in, openneuro_identifier
from dandiapi.graphql.context import Context
from dandiapi.graphql.words import NO_READ

# The number of the worker that has a dataset, of which there is one.
ENDPOINT = 0
# A commit that there is none of: a repository that has not been written yet is at none.
NO_COMMIT = "0" * 40


def dataset_id(number: int) -> str:
    """Return the id of a dataset: `ds000123`."""
    return openneuro_identifier(number)


def snapshot_id(version: Version, tag: str) -> str:
    """Return the id of a snapshot: `ds000123:1.0.0`."""
    return f"{dataset_id(version.dataset_id)}:{tag}"


def user_id(user: User) -> str:
    """Return the id of a user: a UUID."""
    return str(user.uuid)


def dataset_of(context: Context, name: str) -> Dataset:
    """Return the dataset with that id, or another of its names; refuses in the words that clients match.

    What somebody may not read is answered like what there is not.
    """
    try:
        return find_named_dataset(context.actor, name)
    except NotFoundError:
        number = dataset_number_in(name)
        if number is not None and (tombstone := find_tombstone(number)):
            raise _deleted(name, tombstone) from None
        if context.actor.is_admin:
            raise GraphQLError(f"Dataset {name} does not exist.") from None
        raise GraphQLError(NO_READ) from None


def _deleted(name: str, tombstone: Tombstone) -> GraphQLError:
    """Return the error by which clients know that a dataset is gone, and where to go."""
    said = f"Dataset {name} has been deleted. Reason: {tombstone.reason or 'none was given'}."
    return GraphQLError(said, extensions={"code": "DELETED_DATASET", "redirect": tombstone.successor or None})


def version_of(context: Context, name: str, tag: str) -> Version:
    """Return the version of a dataset that has that tag, or another of its names; refuses as `dataset_of` does.

    The draft has the commit for its tag that its repository is at.
    """
    dataset = dataset_of(context, name)
    if tag in {NO_COMMIT, context.load.heads.get(dataset)}:
        tag = Version.DRAFT
    try:
        return find_version(context.actor, dataset.number, tag)
    except NotFoundError:
        raise GraphQLError("Not Found") from None


def revision_of(context: Context, name: str, revision: str) -> Version:
    """Return the version of a dataset that a commit shows, or that has that tag: the draft, if it is at that commit.

    Refuses what there is not, and what the asker may not read, as `version_of` does.
    """
    dataset = dataset_of(context, name)
    for version in context.load.versions.get(dataset) or []:
        if context.load.hashes.get(version) == revision:
            return version
    return version_of(context, name, revision)
