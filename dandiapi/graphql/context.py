"""The context of a request, which every resolver is given."""

from dataclasses import dataclass, field
from typing import TypeAlias, cast

from django.http import HttpRequest
from graphql import GraphQLError, GraphQLResolveInfo

from archive.accounts.policy import Actor
from archive.catalogue.queries import MAX_LISTED
from dandiapi.graphql.loading import Loaders

# How much an answer may have in lists, counted in files, and for how many files other things count.
MAX_TOLD = MAX_LISTED
SNAPSHOT = 10
HISTORY = 500
CHARACTERS = 100


@dataclass
class Context:
    """A request: who asks, and what is loaded for them."""

    request: HttpRequest
    actor: Actor
    load: Loaders = field(init=False)
    # What its answer has in lists so far, in files.
    told: int = 0

    @property
    def left(self) -> int:
        """Return how many files the answer may have yet."""
        return MAX_TOLD - self.told

    def tell(self, count: int) -> None:
        """Count what is told as so many files; GraphQLError when that is too much for one answer."""
        self.told += count
        if self.told > MAX_TOLD:
            raise GraphQLError("The answer would be too long: ask for less at once.")

    def __post_init__(self) -> None:
        self.load = Loaders(self.actor)


Info: TypeAlias = GraphQLResolveInfo


def context_of(info: Info) -> Context:
    """Return the context that a resolver is given."""
    return cast(Context, info.context)
