"""Datasets as repositories: where they are cloned from, and which commit each version is."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from archive.snapshots.queries import clone_state, count_version_commits, page_of_version_commits
from archive.snapshots.services import find_repository
from archive.timeline.models import Projection
from dandiapi.auth import ApprovedOrReadOnly
from dandiapi.rest import outputs
from dandiapi.rest.base import View
from dandiapi.rest.pages import Page

READ = {401: outputs.Detail, 403: outputs.REFUSAL, 404: outputs.Detail}


class RepositoryItem(serializers.Serializer[Any]):
    """The git-annex repository of a dataset, and how far it has followed it."""

    clone_url = serializers.URLField(help_text="What to `git clone` or `datalad clone`.")
    serverless_clone_url = serializers.URLField(
        allow_null=True,
        help_text="What to clone, as `annex::` and this, from the object store alone; of open datasets.",
    )
    annex_uuid = serializers.UUIDField(help_text="What git-annex knows the archive's copy by.")
    commit = serializers.CharField(allow_null=True, help_text="Of the branch `main`, which is the draft.")
    is_current = serializers.BooleanField(help_text="Whether all that has happened is in it.")
    state = serializers.ChoiceField(Projection.State.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Why not, or what is wrong.")


class VersionCommit(serializers.Serializer[Any]):
    """The commit that a published version is."""

    version = serializers.CharField(help_text="The version, and the tag of its name.")
    commit = serializers.CharField(allow_null=True, help_text="None until the repository has followed.")


class RepositoryView(View):
    """The repository of a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @extend_schema(responses={200: RepositoryItem, **READ})
    def get(self, request: Request, **kwargs: str) -> Response:
        """Where it is, and how far it has come."""
        state = clone_state(self.actor, self.dataset)
        return Response(
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

    @extend_schema(
        parameters=outputs.PAGE_PARAMETERS,
        responses={200: outputs.page_of(VersionCommit), 400: outputs.ERRORS, **READ},
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        """A page of them, the oldest first."""

        def rows(offset: int, limit: int) -> list[dict[str, Any]]:
            found = page_of_version_commits(self.actor, self.dataset, offset=offset, limit=limit)
            return [{"version": row.version, "commit": row.commit} for row in found]

        return Page.of(request).answer(count=count_version_commits(self.actor, self.dataset), fetch=rows)
