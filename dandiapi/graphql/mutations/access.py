"""Mutations that hand out and take back access: to repositories, and by the links of reviewers."""

import graphene
from django.conf import settings

from archive.datasets.services import revoke_reviewer_link
from archive.errors import InvalidError
from dandiapi.graphql.context import Context
from dandiapi.graphql.fields import root_field
from dandiapi.graphql.ids import ENDPOINT, dataset_of
from dandiapi.graphql.ids import dataset_id as id_of
from dandiapi.graphql.tokens import new_repository_token, new_reviewer_token
from dandiapi.graphql.types.datasets import DatasetReviewer
from dandiapi.graphql.types.work import RepoMetadata

ID = graphene.ID(required=True)
# Of the number of a row.
MAX_DIGITS = 18


@root_field(RepoMetadata, dataset_id=ID)
def prepare_repo_access(context: Context, dataset_id: str) -> RepoMetadata:
    """Give what it takes to reach the repository of a dataset."""
    token = new_repository_token(context.actor, dataset_of(context, dataset_id))
    return RepoMetadata(token=token, endpoint=ENDPOINT)


@root_field(DatasetReviewer, dataset_id=ID)
def create_reviewer(context: Context, dataset_id: str) -> DatasetReviewer:
    """Make a link by which a reviewer reads a dataset."""
    dataset = dataset_of(context, dataset_id)
    link, secret = new_reviewer_token(context.actor, dataset)
    return DatasetReviewer.of(link, f"{settings.ARCHIVE_URL}/crn/reviewer/{secret}")


@root_field(DatasetReviewer, dataset_id=ID, id=ID)
def delete_reviewer(context: Context, dataset_id: str, id: str) -> DatasetReviewer:  # noqa: A002 - as in the schema
    """End the link of a reviewer."""
    dataset = dataset_of(context, dataset_id)
    if not (id.isdecimal() and len(id) <= MAX_DIGITS):
        raise InvalidError("There is no such link.", field="id")
    revoke_reviewer_link(actor=context.actor, dataset=dataset, link_id=int(id))
    return DatasetReviewer(id=id, dataset_id=id_of(dataset.number), url="")
