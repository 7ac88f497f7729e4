"""Asking for a check of content, and keeping what workers elsewhere have found."""

from collections.abc import Sequence

from archive.accounts.policy import Action, Actor, require
from archive.datasets.models import Version
from archive.errors import InvalidError
from archive.fixity.models import MAX_REMOTE
from archive.fixity.work import CHECK_JOB, MAX_FAILURES, Failure, keep_failures
from archive.timeline.services import start_job

__all__ = ["Failure", "keep_check", "request_check"]

MAX_FAILURE = 4000


def request_check(*, actor: Actor, version: Version) -> None:
    """Have all content of a version compared with what the store has, unless that is being done."""
    require(actor, Action.CHANGE_DRAFT, version.dataset)
    start_job(CHECK_JOB, subject=str(version.pk), dataset_id=version.dataset_id, author=actor)


def keep_check(*, actor: Actor, version: Version, remote: str, failures: Sequence[Failure]) -> None:
    """Keep what a worker elsewhere says of the content of a version in a remote, in the place of what was said before.

    Raises InvalidError for what is too long.
    """
    require(actor, Action.REPORT_WORK, version.dataset)
    if len(remote) > MAX_REMOTE:
        raise InvalidError(f"The name of a remote has at most {MAX_REMOTE} characters.", field="remote")
    if len(failures) > MAX_FAILURES or any(failure.length > MAX_FAILURE for failure in failures):
        limits = f"at most {MAX_FAILURES} failures, each of at most {MAX_FAILURE} characters"
        raise InvalidError(f"A check has {limits}.", field="failures")
    keep_failures(version, remote, failures, count=len(failures))
