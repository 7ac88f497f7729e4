"""Asking for validation."""

from archive.accounts.policy import Action, Actor, require
from archive.bids_validation.work import WAITING, begin_validation
from archive.datasets.models import Version
from archive.errors import BusyError


def request_validation(*, actor: Actor, version: Version) -> None:
    """Have a version, or the draft, validated once more, unless this validator has judged the same files already."""
    require(actor, Action.CHANGE_DRAFT, version.dataset)
    if not begin_validation(version):
        raise BusyError(WAITING)
