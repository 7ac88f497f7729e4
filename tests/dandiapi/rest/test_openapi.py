"""The OpenAPI document: complete, and true. Every answer in the tests beside this is held against it (`Api`)."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.http import HttpResponse  # noqa: TID251 - what a face answers
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.dandiapi.rest.api import Api
from tests.dandiapi.rest.document import check, document
from tests.dandiapi.rest.test_access import offered

# The document does not describe itself, nor the pages that show it.
UNDESCRIBED = {("GET", "api/schema/$"), ("GET", "api/docs/swagger/$"), ("GET", "api/docs/redoc/$")}


# What the operations of this API do.
VERBS = (
    *(
        "Add",
        "Begin",
        "Cancel",
        "Check",
        "Close",
        "Create",
        "Delete",
        "End",
        "Give",
        "Make",
        "Publish",
        "Put",
        "Redirect",
    ),
    *("Release", "Remove", "Replace", "Return", "Revoke", "Set", "Star", "Take", "Try", "Withdraw"),
)


def says_what_it_does(operation: dict[str, Any]) -> bool:
    """Whether the operation's description is a sentence that begins with what it does and says what it returns."""
    sentence, answers = operation["description"].partition("\n")[0], operation["responses"].get("200", {})
    returns_a_body = "application/json" in answers.get("content", {})
    is_sentence = sentence.startswith(VERBS) and sentence.endswith(".") and len(sentence.split()) > 3
    return is_sentence and (not returns_a_body or "return" in sentence.lower())


def answer(address: str, status: int, content: Any) -> Any:
    response: Any = HttpResponse(orjson.dumps(content), status=status, content_type="application/json")
    response.request = {"PATH_INFO": f"/api/{address}"}
    response.json = lambda: content
    return response


def test_document_is_made_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))


def test_document_is_valid_by_the_standard(anonymous: Api) -> None:
    served = anonymous.get("schema/?format=json").json()
    assert served["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(served).iter_errors()] == []


def test_document_describes_every_route_and_method() -> None:
    paths = {path: methods for path, methods in document()["paths"].items() if path.startswith("/api/")}
    described = [(path, method) for path, methods in paths.items() for method in methods]
    assert len(set(described)) == len(offered() - UNDESCRIBED)


def test_every_operation_says_what_it_does_and_returns() -> None:
    operations = [operation for methods in document()["paths"].values() for operation in methods.values()]
    assert [each["operationId"] for each in operations if not says_what_it_does(each)] == []


@pytest.mark.parametrize("description", ["It.", "", "Its metadata.", "Return", "Create a dataset that one owns."])
def test_operation_that_does_not_say_what_it_returns_is_noticed(description: str) -> None:
    responses = {"200": {"content": {"application/json": {}}}}
    assert not says_what_it_does({"description": description, "responses": responses})


def test_body_that_is_a_list_is_required() -> None:
    assert document()["paths"]["/api/zarr/{zarr_id}/files/"]["post"]["requestBody"]["required"]


def test_document_is_served(anonymous: Api) -> None:
    response = anonymous.client.get("/api/schema/")
    assert (response.status_code, b"/api/dandisets/{identifier}/" in response.content) == (200, True)


@pytest.mark.parametrize("kind", ["application/vnd.oai.openapi", "application/vnd.oai.openapi+json", "*/*"])
def test_cheap_document_is_composed_once(anonymous: Api, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    first = anonymous.client.get("/api/schema/?lang=de", headers={"Accept": kind})
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *_, **__: pytest.fail("It was composed again."))
    again = anonymous.client.get("/api/schema/", headers={"Accept": kind})
    assert (again.content, again.headers["Content-Type"]) == (first.content, first.headers["Content-Type"])


@pytest.mark.parametrize("page", ["swagger", "redoc"])
def test_document_is_shown_by_a_page(anonymous: Api, page: str) -> None:
    response = anonymous.client.get(f"/api/docs/{page}/")
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert anonymous.client.get(f"/{page}/")["Location"] == f"/api/docs/{page}/"


@pytest.mark.parametrize("page", ["swagger", "redoc"])
def test_page_runs_no_script_of_others(anonymous: Api, page: str) -> None:
    response = anonymous.client.get(f"/api/docs/{page}/")
    scripts = re.findall(rb'<script[^>]* src="([^"]*)"', response.content)
    assert scripts
    assert [script for script in scripts if not script.startswith(b"/static/")] == []
    assert "script-src 'self' 'unsafe-inline';" in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("address", "status", "content"),
    [
        ("stats/", 200, {}),
        ("stats/", 200, {"dandiset_count": 1, "published_dandiset_count": 1, "user_count": 1, "size": "much"}),
        ("stats/", 200, {"dandiset_count": 1, "published_dandiset_count": 1, "user_count": 1, "size": 1, "more": 1}),
        ("stats/", 404, {"reason": "Not found."}),
        ("users/me/", 401, "No."),
        ("dandisets/000001/users/", 200, {"username": "x"}),
        ("dandisets/000001/versions/draft/assets/paths/", 200, {"asset_id": "x"}),
    ],
)
def test_answer_is_refused_when_it_is_not_as_the_document_says(address: str, status: int, content: Any) -> None:
    with pytest.raises(AssertionError):
        check("GET", answer(address, status, content))
