"""The errors of the domain in the words of DANDI's API, which programs compare (docs/dialects/dandi.md#errors)."""

from typing import Any

from archive.accounts.policy import Action
from archive.errors import ArchiveError, ForbiddenError, InvalidError, NotFoundError, Reason

REASONS = {
    Reason.NUMBER_TAKEN: "Dandiset {number:06} already exists",
    Reason.RELEASE_UNDER_WAY: "Dandiset modification not allowed during unembargo",
    Reason.NOT_EMBARGOED: "Dandiset not embargoed",
    Reason.UPLOADS_UNDER_WAY: "Dandiset unembargo not allowed with active uploads",
    Reason.NO_ZARR_NOW: "Cannot add zarr to dandiset during unembargo",
    Reason.ZARR_NAME_TAKEN: "The fields dandiset, name must make a unique set.",
    Reason.OTHER_DATASET: "The zarr archive belongs to a different dandiset",
    Reason.DRAFT_STAYS: "Cannot delete draft versions",
    Reason.HAS_VERSIONS: "Cannot delete dandisets with published versions.",
    Reason.NOT_DELETED_NOW: "Cannot delete dandisets that are currently being published.",
    Reason.BEING_PUBLISHED: "Dandiset is currently being published",
    Reason.NOT_RELEASED: "Operation only allowed on OPEN dandisets",
    Reason.UNCHANGED: "There have been no changes to the draft version since the last publish.",
    Reason.NOT_VALIDATED: "Metadata validation is pending for this dandiset, please try again later.",
    Reason.BEING_VALIDATED: "Dandiset is currently being validated",
    Reason.NOT_VALID: "Dandiset metadata or asset metadata is not valid",
}
NOT_ALLOWED = "Action not allowed"
ACTIONS = {
    Action.CHOOSE_IDENTIFIER: "Creating a dandiset for a given identifier is an admin only operation.",
    Action.DELETE_DATASET: "Cannot delete dandisets which you do not own.",
    Action.DELETE_VERSION: "Cannot delete published versions",
    Action.CHANGE_OWNERS: NOT_ALLOWED,
    Action.CHANGE_EDITORS: NOT_ALLOWED,
    Action.LIST_EDITORS: NOT_ALLOWED,
    Action.CHANGE_VIEWERS: NOT_ALLOWED,
    Action.LIST_VIEWERS: NOT_ALLOWED,
    Action.CHANGE_REVIEWER_LINKS: NOT_ALLOWED,
    Action.LIST_REVIEWER_LINKS: NOT_ALLOWED,
    Action.PUBLISH: NOT_ALLOWED,
    Action.CHANGE_VERSION_ACCESS: NOT_ALLOWED,
    Action.STEER_WORK: NOT_ALLOWED,
    Action.UPLOAD: NOT_ALLOWED,
}
# Under which field clients look for an error, by its reason or by the field that the domain names, where these differ.
FIELDS: dict[str, str] = {Reason.ZARR_NAME_TAKEN: "non_field_errors", "size": "contentSize"}


def sentence(error: ArchiveError) -> str:
    """Return what the API says of an error; "" where it is the error's status that says it."""
    if error.reason in REASONS:
        return REASONS[error.reason].format(**error.data)
    if "action" in error.data:
        return ACTIONS.get(error.data["action"], "")
    return error.message


def body(error: ArchiveError) -> Any:
    """Return what the API answers to an error: an object that names the field or a detail, or a bare sentence."""
    said = sentence(error)
    if isinstance(error, NotFoundError):
        return {"detail": said or "Not found."}
    if isinstance(error, ForbiddenError) and not said:
        return {"detail": "You do not have permission to perform this action."}
    field = FIELDS.get(error.reason or error.field or "", error.field)
    return {field: [said]} if isinstance(error, InvalidError) and field else said
