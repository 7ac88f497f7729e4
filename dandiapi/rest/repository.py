"""Datasets as repositories: where they are cloned from, and which commit each version is."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from archive.accounts.policy import is_blinded
from archive.datasets.queries import versions_of
from archive.errors import ForbiddenError
from archive.snapshots.queries import clone_state, commits_of_versions, serverless_clone_url
from archive.snapshots.services import repository_of
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
        _require_named(self)
        state = clone_state(self.dataset)
        return Response(
            {
                "clone_url": f"{settings.ARCHIVE_URL}/git/{self.dataset.identifier}",
                "serverless_clone_url": serverless_clone_url(self.dataset),
                "annex_uuid": repository_of(self.dataset).annex_uuid,
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
        _require_named(self)
        versions = versions_of(self.dataset).filter(at__isnull=False)

        def rows(offset: int, limit: int) -> list[dict[str, Any]]:
            names = dict(versions.values_list("pk", "version")[offset : offset + limit])
            commits = commits_of_versions(repository_of(self.dataset), names)
            return [{"version": name, "commit": commits.get(pk)} for pk, name in names.items()]

        return Page.of(request).answer(count=versions.count(), fetch=rows)


def _require_named(view: View) -> None:
    if is_blinded(view.actor, view.dataset):
        raise ForbiddenError("Commits name people, so reviewer links do not open repositories.")
