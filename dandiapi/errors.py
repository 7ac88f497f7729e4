"""The statuses and headers by which all faces answer the errors of the domain."""

from collections.abc import Mapping
from http import HTTPStatus

from botocore.exceptions import BotoCoreError
from django.db import InterfaceError, OperationalError
from psycopg.errors import QueryCanceled
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from archive import errors

# A service that this server needs is away; nothing was changed, and the same request will work again.
AWAY = (OperationalError, InterfaceError, PoolTimeout, RedisError, BotoCoreError)
RETRY_AFTER = 5
# After a statement that took the database too long, a retry need not come soon.
RETRY_SLOW_AFTER = 60

Kind = type[errors.ArchiveError]
Statuses = Mapping[Kind, HTTPStatus]
STATUSES: Statuses = {
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.ForbiddenError: HTTPStatus.FORBIDDEN,
    errors.InvalidError: HTTPStatus.BAD_REQUEST,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.ImmutableError: HTTPStatus.CONFLICT,
    errors.StaleError: HTTPStatus.PRECONDITION_FAILED,
    errors.LockedError: HTTPStatus.LOCKED,
    errors.BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(error: errors.ArchiveError, exceptions: Statuses | None = None) -> HTTPStatus:
    """Return the status of an error: that of its kind, but for a face's own exceptions."""
    return (exceptions or {}).get(type(error), STATUSES[type(error)])


def headers_of(error: errors.ArchiveError, *, challenge: str = "") -> dict[str, str]:
    """Return the headers of a reply: when to come back, and by what `challenge` to sign in."""
    if isinstance(error, errors.BusyError):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.UnauthenticatedError) and challenge:
        return {"WWW-Authenticate": challenge}
    return {}


def as_domain_error(error: Exception) -> Exception:
    """Return the domain's error for an error of a service that is away or takes too long; others as they are."""
    if isinstance(error.__cause__, QueryCanceled):
        message = "The database took too long over this, and gave up: ask for less at once, or try again later."
        return errors.BusyError(message, retry_after=RETRY_SLOW_AFTER)
    if isinstance(error, AWAY):
        return errors.BusyError("A service this needs is away just now; please try again.", retry_after=RETRY_AFTER)
    return error
