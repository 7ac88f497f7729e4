"""The schema: all that OpenNeuro's has, and a little more (docs/dialects/openneuro.md#schema)."""

import graphene

from dandiapi.graphql import later, queries
from dandiapi.graphql.fields import roots_of
from dandiapi.graphql.mutations import access, datasets, snapshots, uploads, validation
from dandiapi.graphql.mutations import later as later_mutations
from dandiapi.graphql.types.files import DiffFiles

Query = type("Query", (graphene.ObjectType,), roots_of(queries, later))
Mutation = type(
    "Mutation", (graphene.ObjectType,), roots_of(access, datasets, snapshots, uploads, validation, later_mutations)
)
# Nothing leads to the last, which documents may name nevertheless.
SCHEMA = graphene.Schema(query=Query, mutation=Mutation, types=[DiffFiles])
