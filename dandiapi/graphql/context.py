"""The context of a request, which every resolver is given."""

from dataclasses import dataclass, field
from typing import TypeAlias, cast

from django.http import HttpRequest
from graphql import GraphQLResolveInfo

from archive.accounts.policy import Actor
from dandiapi.graphql.loading import Loaders


@dataclass
class Context:
    """A request: who asks, and what is loaded for them."""

    request: HttpRequest
    actor: Actor
    load: Loaders = field(init=False)
    # The files that have been listed in its answer, which are bounded.
    listed: int = 0
    # How many issues each of the verdicts has whose issues have been told, which are bounded too.
    issues: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.load = Loaders(self.actor)


Info: TypeAlias = GraphQLResolveInfo


def context_of(info: Info) -> Context:
    """Return the context that a resolver is given."""
    return cast(Context, info.context)
