"""Fields of the roots: functions that are given the context and the arguments, with the types that the schema has."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

import graphene
from graphene.utils.str_converters import to_camel_case
from graphql import GraphQLError

from archive.errors import InvalidError
from dandiapi.graphql.context import Info, context_of

# The code of what is declared, and not built yet.
NOT_YET = "NOT_IMPLEMENTED"

# Of arguments.
MAX_DEPTH = 50
MAX_NUMBER = 2**63 - 1

Function = Callable[..., Any]


@dataclass(frozen=True)
class Root:
    """A function that answers a field of a root of the schema."""

    name: str
    field: graphene.Field


def root_field(type_: Any, /, **arguments: Any) -> Callable[[Function], Root]:
    """Make a field of that type, with those arguments, of a function, whose docstring describes it.

    An argument that is null is left out, so that the function's own default stands for it.
    """

    def made(function: Function) -> Root:
        def resolve(_root: None, info: Info, **given: Any) -> Any:
            arguments = {name: value for name, value in given.items() if value is not None}
            for name, value in arguments.items():
                _require_sound(name, value)
            return function(context_of(info), **arguments)

        resolve.__name__ = f"resolve_{function.__name__}"
        described = (function.__doc__ or "").partition("\n")[0]
        return Root(function.__name__, graphene.Field(type_, resolver=resolve, description=described, args=arguments))

    return made


def _require_sound(name: str, value: Any, depth: int = 0) -> None:
    """Raise InvalidError if an argument has what Postgres cannot keep, or is deeper than anybody has a use for."""
    if fault := _fault(value, depth):
        raise InvalidError(fault, field=to_camel_case(name))
    below = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in below:
        _require_sound(name, each, depth + 1)


def _fault(value: Any, depth: int) -> str:
    if depth > MAX_DEPTH:
        return f"It is more than {MAX_DEPTH} deep."
    if isinstance(value, str) and "\0" in value:
        return "A text has no NUL characters."
    if isinstance(value, float) and not isfinite(value):
        return "A number is finite."
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        return f"A whole number is at most {MAX_NUMBER}."
    return ""


def roots_of(*modules: Any) -> dict[str, graphene.Field]:
    """Return the fields that some modules have, by name."""
    found = (value for module in modules for value in vars(module).values())
    return {each.name: each.field for each in found if isinstance(each, Root)}


def announced(name: str, type_: Any, description: str, /, **arguments: Any) -> Root:
    """Return a field that is declared, and answers that it is not built yet."""

    def resolve(_root: None, _info: Info, **_given: Any) -> Any:
        raise GraphQLError(f"{to_camel_case(name)} is not available in this archive yet.", extensions={"code": NOT_YET})

    return Root(name, graphene.Field(type_, resolver=resolve, description=description, args=arguments))
