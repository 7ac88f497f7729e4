"""The repository of a version as its page shows it: how to clone it, and how far it is."""

from dataclasses import dataclass
from shlex import quote

from django.conf import settings

from archive.accounts.policy import Actor
from archive.datasets.models import Dataset, Version
from archive.errors import ForbiddenError
from archive.snapshots.queries import clone_state, commits_of_versions


@dataclass(frozen=True)
class Clone:
    """The address and branch to clone a version by; `commit` is empty, for the `reason`, until there is one."""

    address: str
    branch: str
    commit: str
    reason: str
    serverless: str | None


def clone_of(actor: Actor, dataset: Dataset, version: Version) -> Clone | None:
    """Return how the version is cloned; None for readers who must not learn who its people are, as commits tell."""
    try:
        state = clone_state(actor, dataset)
    except ForbiddenError:
        return None
    commit = state.commit
    if not version.is_draft and state.repository:
        commit = commits_of_versions(state.repository, [version.pk]).get(version.pk, "")
    return Clone(
        address=f"{settings.ARCHIVE_URL}/git/{dataset.identifier}",
        branch="" if version.is_draft or version.is_closed else quote(version.tag),
        commit=commit,
        reason="" if state.is_current else state.reason or "The newest changes are being written into it.",
        serverless=state.serverless_url,
    )
