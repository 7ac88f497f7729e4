"""The OpenAPI document, and the answers that every operation may give before its own work begins."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from dandiapi.auth import Anyone

JSON_ANSWER = "application/json"
TEXT = {"type": "string"}
DETAIL = {"type": "object", "properties": {"detail": TEXT}, "required": ["detail"]}

Answer = dict[str, Any]


def _json(description: str, *schemas: dict[str, Any]) -> Answer:
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": list(schemas)}
    return {"description": description, "content": {JSON_ANSWER: {"schema": schema}}}


ANYWHERE: dict[str, Answer] = {
    "400": _json("The address is none.", DETAIL),
    "401": _json("The credentials are not valid.", DETAIL),
    "404": _json("There is nothing at the address.", DETAIL),
    "405": _json("The method is not taken, or what it would change never changes.", TEXT, DETAIL),
    "406": _json("The answer would be JSON, and that is not accepted.", DETAIL),
    "414": {"description": "The address is too long.", "content": {"text/plain": {"schema": TEXT}}},
    "429": _json("Too many requests; `Retry-After` says when there may be more.", DETAIL),
    "431": {"description": "The headers are too large.", "content": {"text/plain": {"schema": TEXT}}},
    "503": _json("A service that this needs is away; `Retry-After` says when to ask again.", TEXT),
}
WITH_A_BODY: dict[str, Answer] = {
    "413": _json("The body is too large.", DETAIL),
    "415": _json("The body is not JSON.", DETAIL),
}
METHODS_WITH_A_BODY = {"post", "put", "patch", "delete"}


def document_common_answers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Return the document, where each operation may also answer what any may before it has begun its own work."""
    for operations in result["paths"].values():
        for method, operation in operations.items():
            common = ANYWHERE | (WITH_A_BODY if method in METHODS_WITH_A_BODY else {})
            described = operation["responses"]
            operation["responses"] = {status: described.get(status, answer) for status, answer in common.items()}
            operation["responses"] |= described
    return result


def require_lists(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Return the document, where bodies that are lists are required; the generator sees no fields that would say so."""
    schemas = result["components"]["schemas"]
    for operation in (each for operations in result["paths"].values() for each in operations.values()):
        body = operation.get("requestBody", {})
        reference = body.get("content", {}).get(JSON_ANSWER, {}).get("schema", {}).get("$ref", "")
        if schemas.get(reference.rpartition("/")[2], {}).get("type") == "array":
            body["required"] = True
    return result


class DocumentView(SpectacularAPIView):
    """The view of the document, which is the same for everybody, and composed once, since that takes half a second."""

    permission_classes = [Anyone]

    def _get_schema_response(self, request: Request) -> HttpResponse:
        renderer = request.accepted_renderer
        name = self._get_filename(request, None)  # type: ignore[no-untyped-call]
        return HttpResponse(
            _document(renderer.media_type),
            content_type=f"{renderer.media_type}; charset=utf-8",
            headers={"Content-Disposition": f'inline; filename="{name}"'},
        )


@cache
def _document(media_type: str) -> str | bytes:
    renderer = next(each() for each in DocumentView.renderer_classes if each.media_type == media_type)
    with translation.override(settings.LANGUAGE_CODE):
        document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return renderer.render(document)
