"""One table: what each face replies to each kind of domain error."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError
from django.db import InterfaceError, OperationalError
from psycopg.errors import QueryCanceled
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError
from rest_framework.exceptions import NotAuthenticated
from rest_framework.response import Response
from rest_framework.views import exception_handler

from archive import errors
from dandiapi.auth import REALM

# A service that this server needs is away; nothing was changed, and the same request will work again.
AWAY = (OperationalError, InterfaceError, PoolTimeout, RedisError, BotoCoreError)
RETRY_AFTER = 5
# Whoever asks what takes the database too long need not ask again at once.
RETRY_SLOW_AFTER = 60


@dataclass(frozen=True)
class Reply:
    """The status in each dialect.

    To browsers, nobody signed in is a matter of permission too: a 401 would have them ask for a password of their own.
    """

    rest: HTTPStatus
    web: HTTPStatus
    git: HTTPStatus


REPLIES: dict[type[errors.ArchiveError], Reply] = {
    errors.NotFoundError: Reply(rest=HTTPStatus.NOT_FOUND, web=HTTPStatus.NOT_FOUND, git=HTTPStatus.NOT_FOUND),
    errors.UnauthenticatedError: Reply(
        rest=HTTPStatus.UNAUTHORIZED, web=HTTPStatus.FORBIDDEN, git=HTTPStatus.UNAUTHORIZED
    ),
    errors.ForbiddenError: Reply(rest=HTTPStatus.FORBIDDEN, web=HTTPStatus.FORBIDDEN, git=HTTPStatus.FORBIDDEN),
    errors.InvalidError: Reply(rest=HTTPStatus.BAD_REQUEST, web=HTTPStatus.BAD_REQUEST, git=HTTPStatus.BAD_REQUEST),
    errors.ConflictError: Reply(rest=HTTPStatus.CONFLICT, web=HTTPStatus.CONFLICT, git=HTTPStatus.CONFLICT),
    errors.ImmutableError: Reply(rest=HTTPStatus.METHOD_NOT_ALLOWED, web=HTTPStatus.CONFLICT, git=HTTPStatus.CONFLICT),
    errors.StaleError: Reply(
        rest=HTTPStatus.PRECONDITION_FAILED, web=HTTPStatus.PRECONDITION_FAILED, git=HTTPStatus.PRECONDITION_FAILED
    ),
    errors.LockedError: Reply(rest=HTTPStatus.LOCKED, web=HTTPStatus.LOCKED, git=HTTPStatus.LOCKED),
    errors.BusyError: Reply(
        rest=HTTPStatus.SERVICE_UNAVAILABLE, web=HTTPStatus.SERVICE_UNAVAILABLE, git=HTTPStatus.SERVICE_UNAVAILABLE
    ),
}


def in_the_domain(error: Exception) -> Exception:
    """`error` as the domain's kind of it, if there is one: a service that is away, or takes too long, is BusyError."""
    if isinstance(error.__cause__, QueryCanceled):
        message = "The database took too long over this, and gave up: ask for less at once, or try again later."
        return errors.BusyError(message, retry_after=RETRY_SLOW_AFTER)
    if isinstance(error, AWAY):
        return errors.BusyError("A service this needs is away just now; please try again.", retry_after=RETRY_AFTER)
    return error


def rest_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DANDI's error shapes (contract 1.1.3); None, for Django's own 500, if this is a fault of ours."""
    error = in_the_domain(error)
    if isinstance(error, errors.UnauthenticatedError) and error.message == NotAuthenticated.default_detail:
        error = NotAuthenticated()
    if isinstance(error, NotAuthenticated):
        # DRF's own handler says how to authenticate if the exception does.
        error.auth_header = REALM  # type: ignore[attr-defined]
    if not isinstance(error, errors.ArchiveError):
        return exception_handler(error, context)
    return Response(_rest_body(error), status=REPLIES[type(error)].rest, headers=_rest_headers(error))


def _rest_body(error: errors.ArchiveError) -> Any:
    if isinstance(error, errors.NotFoundError):
        return {"detail": error.message or "Not found."}
    if isinstance(error, errors.ForbiddenError) and not error.message:
        return {"detail": "You do not have permission to perform this action."}
    if isinstance(error, errors.InvalidError) and error.field:
        return {error.field: [error.message]}
    return error.message


def _rest_headers(error: errors.ArchiveError) -> dict[str, str]:
    if isinstance(error, errors.UnauthenticatedError):
        return {"WWW-Authenticate": REALM}
    if isinstance(error, errors.BusyError):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.ConflictError) and "blob_id" in error.data:
        # A bare UUID, not a URL: what the client reads (contract 1.7).
        return {"Location": error.data["blob_id"]}
    return {}
