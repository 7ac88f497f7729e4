"""Datasets as repositories: where they are cloned from, and which commit each version is."""

from typing import Annotated, TypedDict
from uuid import UUID

from django.conf import settings
from rest_framework.request import Request

from archive.snapshots.queries import clone_state, count_version_commits, page_of_version_commits
from archive.snapshots.services import find_repository
from archive.timeline.models import Projection
from dandiapi.auth import ApprovedOrReadOnly
from dandiapi.rest import outputs
from dandiapi.rest.answers import Answer
from dandiapi.rest.base import View
from dandiapi.rest.operations import documented
from dandiapi.rest.pages import Page

READ = {401: outputs.Detail, 403: outputs.REFUSAL, 404: outputs.Detail}


class RepositoryItem(TypedDict):
    """The git-annex repository of a dataset, and how far it has followed it."""

    clone_url: Annotated[outputs.URL, "What to `git clone` or `datalad clone`."]
    serverless_clone_url: Annotated[
        outputs.URL | None, "What to clone, as `annex::` and this, from the object store alone; of open datasets."
    ]
    annex_uuid: Annotated[UUID, "What git-annex knows the archive's copy by."]
    commit: Annotated[str | None, "The commit of the branch `main`, which is the draft."]
    is_current: Annotated[bool, "Whether all that has happened is in it."]
    state: Annotated[str, Projection.State]
    reason: Annotated[str, "Why it is not current, or what is wrong."]


class VersionCommit(TypedDict):
    """The commit that a published version is."""

    version: Annotated[str, "The version, and the tag of its name."]
    commit: Annotated[str | None, "The commit; null until the repository has followed."]


class RepositoryView(View):
    """The repository of a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @documented(READ)
    def get(self, request: Request, **kwargs: str) -> Answer[RepositoryItem]:
        """Return where the dataset's repository is cloned from, and how far it has followed the dataset."""
        state = clone_state(self.actor, self.dataset)
        return Answer(
            {
                "clone_url": f"{settings.ARCHIVE_URL}/git/{self.dataset.identifier}",
                "serverless_clone_url": state.serverless_url,
                "annex_uuid": find_repository(self.actor, self.dataset).annex_uuid,
                "commit": state.commit or None,
                "is_current": state.is_current,
                "state": state.state,
                "reason": state.reason,
            }
        )


class RepositoryVersionsView(View):
    """The published versions in a repository."""

    permission_classes = [ApprovedOrReadOnly]

    @documented({400: outputs.ERRORS, **READ}, parameters=outputs.PAGE_PARAMETERS)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.PageOf[VersionCommit]]:
        """Return a page of the published versions, the oldest first, each with its commit."""

        def rows(offset: int, limit: int) -> list[VersionCommit]:
            found = page_of_version_commits(self.actor, self.dataset, offset=offset, limit=limit)
            return [{"version": row.version, "commit": row.commit} for row in found]

        return Page.of(request).answer(count=count_version_commits(self.actor, self.dataset), fetch=rows)
