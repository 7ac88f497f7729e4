"""The explorer: a page on which people try queries, and read what there is to ask for. It works without scripts."""

from collections.abc import Callable

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from graphql import GraphQLObjectType

from dandiapi.graphql.execution import Answer
from dandiapi.graphql.schema import SCHEMA

EXAMPLE = "{\n  datasets(first: 5) {\n    edges { node { id name created } }\n    pageInfo { count }\n  }\n}"


def explorer(request: HttpRequest, answer_to: Callable[[HttpRequest], Answer]) -> HttpResponse:
    """Return the page, with the answer to the query in its address, if there is one."""
    answer = answer_to(request) if request.GET.get("query") else None
    shown = orjson.dumps(answer.body, option=orjson.OPT_INDENT_2).decode() if answer else ""
    types = SCHEMA.graphql_schema.type_map.values()
    described = [each for each in types if isinstance(each, GraphQLObjectType) and not each.name.startswith("__")]
    response = render(
        request,
        "graphql.html",
        {
            "query": request.GET.get("query") or EXAMPLE,
            "variables": request.GET.get("variables", ""),
            "answer": shown,
            "types": sorted(described, key=lambda each: (each.name not in {"Query", "Mutation"}, each.name)),
        },
    )
    response.headers["Cache-Control"] = "no-store"
    return response
