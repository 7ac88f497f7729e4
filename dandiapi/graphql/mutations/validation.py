"""Mutations of what validators say."""

import re

import graphene
from graphql import GraphQLError

from archive.bids_validation.services import request_validation
from dandiapi.graphql.context import Context
from dandiapi.graphql.fields import root_field
from dandiapi.graphql.ids import dataset_of
from dandiapi.graphql.words import NO_READ

ID = graphene.ID(required=True)
COMMIT = re.compile(r"[0-9a-f]{40}")
DRAFTS = ("draft", "main", "HEAD")


@root_field(graphene.Boolean, dataset_id=ID, ref=graphene.String(required=True))
def revalidate(context: Context, dataset_id: str, ref: str) -> bool:
    """Validate a dataset anew: the draft, or the version whose commit `ref` is."""
    dataset = dataset_of(context, dataset_id)
    versions = [*(context.load.versions.get(dataset) or [])]
    meant = [version for version in versions if ref in {version.tag, context.load.hashes.get(version)}]
    # A commit that no version shows is that of a draft, perhaps as it was a moment ago.
    if not meant and not (COMMIT.fullmatch(ref) or ref in DRAFTS):
        raise GraphQLError("Not Found")
    version = meant[0] if meant else context.load.drafts.get(dataset)
    if version is None:
        raise GraphQLError(NO_READ)
    request_validation(actor=context.actor, version=version)
    return True
