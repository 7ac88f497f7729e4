"""The schema: all that OpenNeuro's has, and a little more (docs/dialects/openneuro.md#schema)."""

import graphene
from graphql import DirectiveLocation, GraphQLDeprecatedDirective, GraphQLDirective, specified_directives

from dandiapi.graphql import later, queries
from dandiapi.graphql.fields import roots_of
from dandiapi.graphql.mutations import access, datasets, people, reports, snapshots, upkeep, uploads, validation
from dandiapi.graphql.mutations import later as later_mutations
from dandiapi.graphql.types.files import DiffFiles

Query = type("Query", (graphene.ObjectType,), roots_of(queries, later))
MUTATIONS = (access, datasets, people, reports, snapshots, upkeep, uploads, validation, later_mutations)
Mutation = type("Mutation", (graphene.ObjectType,), roots_of(*MUTATIONS))
# The places of directives that clients know whose library is of before the specification of September 2025: others fail
# at a schema that names a place they have not heard of.
_KNOWN_PLACES = set(DirectiveLocation) - {getattr(DirectiveLocation, "DIRECTIVE_DEFINITION", None)}
_DEPRECATED = GraphQLDirective(
    name=GraphQLDeprecatedDirective.name,
    locations=[place for place in GraphQLDeprecatedDirective.locations if place in _KNOWN_PLACES],
    args=GraphQLDeprecatedDirective.args,
    description=GraphQLDeprecatedDirective.description,
)
DIRECTIVES = [_DEPRECATED if each is GraphQLDeprecatedDirective else each for each in specified_directives]
# Nothing leads to the last, which documents may name nevertheless.
SCHEMA = graphene.Schema(query=Query, mutation=Mutation, types=[DiffFiles], directives=DIRECTIVES)
