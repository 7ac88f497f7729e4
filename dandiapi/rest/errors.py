"""DANDI's error shapes (docs/dialects/dandi.md#errors)."""

from http import HTTPStatus
from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from archive.errors import ArchiveError, ConflictError, ImmutableError, UnauthenticatedError
from dandiapi.auth import REALM
from dandiapi.errors import Statuses, as_domain_error, headers_of, status_of
from dandiapi.rest import words

# To DANDI's clients, what is published takes no such method.
EXCEPTIONS: Statuses = {ImmutableError: HTTPStatus.METHOD_NOT_ALLOWED}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the reply to an error; None, for Django's own 500, to one that is neither the domain's nor DRF's."""
    error = as_domain_error(error)
    if isinstance(error, UnauthenticatedError) and not error.message:
        error = NotAuthenticated()
    if isinstance(error, NotAuthenticated):
        # DRF's own handler says how to authenticate if the exception does.
        error.auth_header = REALM  # type: ignore[attr-defined]
    if not isinstance(error, ArchiveError):
        return drf_exception_handler(error, context)
    headers = headers_of(error, challenge=REALM)
    if isinstance(error, ConflictError) and "blob_id" in error.data:
        # A bare UUID, not a URL: what the client reads (docs/dialects/dandi.md#uploads).
        headers["Location"] = error.data["blob_id"]
    return Response(words.body(error), status=status_of(error, EXCEPTIONS), headers=headers)
