"""Files of drafts and snapshots."""

from typing import TYPE_CHECKING

import graphene

from dandiapi.graphql.context import Info
from dandiapi.graphql.scalars import BigInt, DateTime
from dandiapi.graphql.types.people import User

if TYPE_CHECKING:
    from dandiapi.graphql.listing import ListedFile


class DatasetFile(graphene.ObjectType):
    """A file or folder of a draft or snapshot."""

    annexed = graphene.Boolean()
    directory = graphene.Boolean()
    filename = graphene.String(required=True)
    id = graphene.ID(required=True)
    size = BigInt()
    urls = graphene.List(graphene.String)
    # Beyond the dialect, and what scripts of years ask for.
    sha256 = graphene.String()
    md5 = graphene.String()
    key = graphene.String(deprecation_reason="Use id.")
    objectpath = graphene.String(deprecation_reason="Use urls.")

    @staticmethod
    def resolve_objectpath(file: "ListedFile", info: Info) -> str | None:
        return file.urls[0] if file.urls else None


class DiffFiles(graphene.ObjectType):
    """A file that differs between two commits."""

    binary = graphene.Boolean()
    mode = graphene.Int()
    new = graphene.String()
    old = graphene.String()
    status = graphene.String()


class FlaggedFile(graphene.ObjectType):
    """An annexed file that was flagged as one to be taken down."""

    annex_key = graphene.String()
    created_at = DateTime()
    dataset_id = graphene.String()
    filepath = graphene.String()
    flagged = graphene.Boolean()
    flagger = graphene.Field(User)
    removed = graphene.Boolean()
    remover = graphene.Field(User)
    snapshot = graphene.String()
