"""GraphQL over HTTP (docs/dialects/openneuro.md#graphql-over-http)."""

from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from archive.accounts.policy import Actor
from dandiapi.auth import Anyone
from dandiapi.graphql.access import actor_of, reader_of
from dandiapi.graphql.context import Context
from dandiapi.graphql.execution import Answer, Operation, RefusedError, execute
from dandiapi.graphql.explorer import explorer
from dandiapi.graphql.limits import MAX_BODY

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
# A browser sends none of these to another origin before that has allowed it, so no page elsewhere can use the cookie.
PREFLIGHTED = ("Apollo-Require-Preflight", "X-Apollo-Operation-Name")
METHODS = "GET, POST, OPTIONS, PUT, PATCH, DELETE"
FORGED = "This request may be forged: send it as application/json, or with the header Apollo-Require-Preflight."


@csrf_exempt
def graphql(request: HttpRequest) -> HttpResponse:
    """Answer a document, a browser's preflight, or with a page for people who look here."""
    if request.method == "OPTIONS":
        return with_cors(HttpResponse(status=HTTPStatus.NO_CONTENT), request)
    if request.method not in {"GET", "POST"}:
        return with_cors(HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, POST"}), request)
    if _is_for_people(request):
        return explorer(request, partial(answer_to, actor=reader_of(request)))
    return with_cors(_in_json(request, answer_to(request, actor_of(request))), request)


graphql.__dict__["permission_classes"] = [Anyone]


def answer_to(request: HttpRequest, actor: Actor) -> Answer:
    """Return the answer to a request of an actor."""
    try:
        return execute(_operation(request), Context(request, actor))
    except RefusedError as refused:
        return refused.answer


def _is_for_people(request: HttpRequest) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("Accept", "")


def _operation(request: HttpRequest) -> Operation:
    if request.method == "GET":
        _require_no_forgery(request, is_page=_is_for_people(request))
        return _operation_in(_parameters(request), may_change=False)
    _require_no_forgery(request)
    return _operation_in(_body(request), may_change=True)


def _require_no_forgery(request: HttpRequest, *, is_page: bool = False) -> None:
    """Raise RefusedError for what a page of another origin could have a browser send, with its cookies, unasked."""
    if is_page or request.content_type == JSON or any(request.headers.get(name) for name in PREFLIGHTED):
        return
    raise RefusedError(FORGED, "BAD_REQUEST")


def _parameters(request: HttpRequest) -> dict[str, Any]:
    given: dict[str, Any] = {name: request.GET[name] for name in ("query", "operationName") if request.GET.get(name)}
    for name in ("variables", "extensions"):
        if text := request.GET.get(name):
            given[name] = _parsed(text.encode(), name)
    return given


def _body(request: HttpRequest) -> Any:
    if request.content_type != JSON:
        raise RefusedError("Send the request as application/json.", "BAD_REQUEST")
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
        raise RefusedError(
            f"A request has at most {MAX_BODY} bytes.", "BAD_REQUEST", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        )
    body = request.read(MAX_BODY + 1)
    return _parsed(body, "body")


def _parsed(text: bytes, name: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RefusedError(f"The {name} is not JSON.", "BAD_REQUEST") from None


def _operation_in(given: Any, *, may_change: bool) -> Operation:
    if isinstance(given, list):
        raise RefusedError("Operation batching disabled.", "BAD_REQUEST")
    if not isinstance(given, dict):
        raise RefusedError("A request is an object with a query.", "BAD_REQUEST")
    text, name, variables = given.get("query"), given.get("operationName"), given.get("variables")
    if not text and isinstance(given.get("extensions"), dict) and given["extensions"].get("persistedQuery"):
        # Clients then send the text itself.
        raise RefusedError("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND", HTTPStatus.OK)
    if not isinstance(text, str) or not text:
        raise RefusedError("The request needs a query, as text.", "BAD_REQUEST")
    if not isinstance(name, str | None) or not isinstance(variables, dict | None):
        raise RefusedError("operationName is text, and variables is an object.", "BAD_REQUEST")
    return Operation(text, name or None, variables, may_change=may_change)


def _in_json(request: HttpRequest, answer: Answer) -> HttpResponse:
    wanted = RESPONSE_JSON if RESPONSE_JSON in request.headers.get("Accept", "") else JSON
    return HttpResponse(
        orjson.dumps(answer.body),
        status=answer.status,
        content_type=f"{wanted}; charset=utf-8",
        headers={"Cache-Control": "no-store"},
    )


def with_cors(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    """Return the answer with the headers by which pages of any origin may read it: of a request without cookies."""
    asked = request.headers.get("Access-Control-Request-Headers") if request.method == "OPTIONS" else None
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = METHODS
    response.headers["Access-Control-Allow-Headers"] = asked or "content-type, Authorization"
    return response
