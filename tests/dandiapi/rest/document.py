"""The OpenAPI document, and whether an answer is as it says."""

import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker

# What any route may answer, and none describes: a method, type or size that is not taken, a service that is away.
ANYWHERE = {405, 406, 413, 415, 503}


@cache
def document() -> dict[str, Any]:
    """The document as it is served; but objects have the fields that it names and no others."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    for schema in found["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return found


def check(method: str, response: Any) -> None:
    """Raise AssertionError if the answer to a documented request is not as documented."""
    operation = _operation(method, response.request["PATH_INFO"])
    if operation is None or _is_answered_at_the_door(response):
        return
    described = operation["responses"].get(str(response.status_code))
    assert described, f"{operation['operationId']} answers {response.status_code}, which it does not document."
    _check_content(described.get("content", {}), response)


def _operation(method: str, path: str) -> dict[str, Any] | None:
    path = path.rstrip("/") + "/"
    fitting = [template for template in document()["paths"] if _pattern(template).fullmatch(path)]
    if not fitting:
        return None
    # `assets/paths/` is not an asset of that id.
    template = min(fitting, key=lambda each: each.count("{"))
    found: dict[str, Any] | None = document()["paths"][template].get(method.lower())
    return found


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))


def _is_answered_at_the_door(response: Any) -> bool:
    """Whether the answer is none of the route's own: the address is none, or what any route may answer."""
    is_page = response.status_code in {400, 404} and not response["Content-Type"].startswith("application/json")
    return is_page or response.status_code in ANYWHERE


def _check_content(content: dict[str, Any], response: Any) -> None:
    if not content:
        assert response.content == b"", "An answer has content that is not documented."
    elif "application/json" in content and not response.has_header("Content-Encoding"):
        faults = list(_validator(content["application/json"]["schema"]).iter_errors(response.json()))
        assert not faults, f"{response.request['PATH_INFO']}: {faults[0].json_path} {faults[0].message}"


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(
        {**schema, "components": document()["components"]}, format_checker=FormatChecker(["uuid"])
    )
