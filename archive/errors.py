"""The kinds of error the domain raises. Each has a stable code, and its status in `dandiapi/errors.py`."""

from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """A reason for refusing something, where a face has words of its own for that."""

    NUMBER_TAKEN = "number taken"
    RELEASE_UNDER_WAY = "release under way"
    NOT_EMBARGOED = "not embargoed"
    UPLOADS_UNDER_WAY = "uploads under way"
    NO_ZARR_NOW = "no zarr during a release"
    ZARR_NAME_TAKEN = "zarr name taken"
    OTHER_DATASET = "of another dataset"
    DRAFT_STAYS = "draft stays"
    HAS_VERSIONS = "has versions"
    BEING_PUBLISHED = "being published"
    NOT_DELETED_NOW = "not deleted while it is published"
    NOT_RELEASED = "not released"
    UNCHANGED = "unchanged"
    NOT_VALIDATED = "not validated"
    BEING_VALIDATED = "being validated"
    NOT_VALID = "not valid"


class ArchiveError(Exception):
    """A request that cannot be done, and not because of a fault in this program.

    `message` is one sentence for a person, `field` names the offending input when there is one, and `data` holds
    what a program would want to know about it (JSON-able). A face that says it in words of its own finds them by the
    `reason`, or by the action in `data`.
    """

    code = "error"

    def __init__(
        self, message: str = "", *, reason: Reason | None = None, field: str | None = None, **data: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.field = field
        self.data = data

    def __str__(self) -> str:
        """Return its message or, of one that has none, of which kind it is."""
        return self.message or f"{self.code.replace('_', ' ').capitalize()}."


class NotFoundError(ArchiveError):
    """An error about something that does not exist, or that the caller may not know of."""

    code = "not_found"


class UnauthenticatedError(ArchiveError):
    """An error for who is not signed in, and might be allowed if they were."""

    code = "unauthenticated"


class ForbiddenError(ArchiveError):
    """An error for who is signed in and may not do this."""

    code = "forbidden"


class InvalidError(ArchiveError):
    """An error about input that is wrong in itself; sending it again does not help."""

    code = "invalid"


class ConflictError(ArchiveError):
    """An error about input that is right but does not fit the present state."""

    code = "conflict"


class ImmutableError(ArchiveError):
    """An error about a change to something published, which does not change."""

    code = "immutable"


class StaleError(ArchiveError):
    """An error about a change to something that has changed since the caller read it."""

    code = "stale"


class LockedError(ArchiveError):
    """An error about something that is being worked on, and will be free again."""

    code = "locked"


class BusyError(ArchiveError):
    """An error about a service that is away for the moment; `retry_after` seconds is a good time to try again."""

    code = "busy"

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after
