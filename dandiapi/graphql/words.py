"""The domain's errors in the words of OpenNeuro's API, which programs compare (docs/dialects/openneuro.md#errors)."""

from typing import Any

from archive.accounts.policy import Action
from archive.errors import ArchiveError, ForbiddenError, UnauthenticatedError

NO_READ = "You do not have access to read this dataset."
NO_WRITE = "You do not have access to modify this dataset."
NO_ADMIN = "You do not have admin access to this dataset."
NOT_SIGNED_IN = "You must be logged in to do this."

ACTIONS = {
    Action.READ: NO_READ,
    Action.READ_CLOSED: NO_READ,
    Action.KNOW_PEOPLE: NO_READ,
    Action.CHANGE_DRAFT: NO_WRITE,
    Action.UPLOAD: NO_WRITE,
    Action.LIST_UPLOADS: NO_WRITE,
    Action.PUBLISH: NO_WRITE,
    Action.CHANGE_OWNERS: NO_ADMIN,
    Action.CHANGE_EDITORS: NO_ADMIN,
    Action.CHANGE_VIEWERS: NO_ADMIN,
    Action.LIST_EDITORS: NO_ADMIN,
    Action.LIST_VIEWERS: NO_ADMIN,
    Action.LIST_REVIEWER_LINKS: NO_ADMIN,
    Action.CHANGE_REVIEWER_LINKS: NO_ADMIN,
    Action.CHANGE_VERSION_ACCESS: NO_ADMIN,
    Action.RELEASE: NO_ADMIN,
    Action.DELETE_DATASET: NO_ADMIN,
    Action.DELETE_VERSION: NO_ADMIN,
    Action.DELETE_PRIVATE_VERSION: NO_ADMIN,
}


def sentence(error: ArchiveError) -> str:
    """Return what the API says of an error, with the field that it is about."""
    if isinstance(error, UnauthenticatedError) and not error.message:
        return NOT_SIGNED_IN
    if isinstance(error, ForbiddenError) and "action" in error.data:
        return ACTIONS.get(error.data["action"], error.message)
    return f"{error.field}: {error}" if error.field else str(error)


def extensions(error: ArchiveError) -> dict[str, Any]:
    """Return what programs read of an error beside its sentence."""
    return {"code": "INTERNAL_SERVER_ERROR", "reason": error.code, **({"field": error.field} if error.field else {})}
