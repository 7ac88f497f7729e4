"""The OpenAPI document, and whether an answer is as it says."""

import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker


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
    if operation is None:
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


def _check_content(content: dict[str, Any], response: Any) -> None:
    kind = response.get("Content-Type", "").partition(";")[0]
    if not response.content:
        return
    assert kind in content, f"{response.request['PATH_INFO']}: An answer has content that is not documented: {kind}."
    if kind == "application/json" and not response.has_header("Content-Encoding"):
        faults = list(_validator(content["application/json"]["schema"]).iter_errors(response.json()))
        assert not faults, f"{response.request['PATH_INFO']}: {faults[0].json_path} {faults[0].message}"


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(
        {**schema, "components": document()["components"]}, format_checker=FormatChecker(["uuid"])
    )
