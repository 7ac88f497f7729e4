"""Service, schemas, stats, tokens and users (docs/dialects/dandi.md#service, docs/dialects/dandi.md#users)."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from archive.accounts import queries, services
from archive.accounts.models import ReviewerLink, Token
from archive.datasets.queries import archive_totals
from archive.validation.queries import SCHEMA_NAMES, json_schema, schema_info
from dandiapi.auth import Anyone, Approved, ApprovedOrReviewer, SignedIn, Staff
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.base import View

UNKEPT = {"Cache-Control": "no-store"}


def info() -> dict[str, Any]:
    """What a client needs to know before anything else."""
    address = settings.ARCHIVE_URL
    schema = schema_info()
    return {
        "schema_version": schema.current,
        "schema_url": f"{address}/api/schemas/?model=Dandiset",
        "allowed_schema_versions": list(schema.allowed),
        "version": settings.ARCHIVE_VERSION,
        "cli-minimal-version": "0.74.0",
        "cli-requires-python": ">=3.10",
        "cli-bad-versions": [],
        "services": {
            "api": {"url": f"{address}/api"},
            "webui": {"url": address},
            "jupyterhub": {"url": settings.ARCHIVE_JUPYTERHUB_URL},
            **({"live": {"url": settings.ARCHIVE_LIVE_URL}} if settings.ARCHIVE_LIVE_URL else {}),
        },
        "instance_config": {
            "instance_name": settings.ARCHIVE_INSTANCE_NAME,
            "instance_identifier": settings.ARCHIVE_INSTANCE_IDENTIFIER,
            "instance_url": f"{address}/",
            "doi_prefix": settings.ARCHIVE_DOI_PREFIX,
            "licenses": list(schema.licenses),
        },
    }


class InfoView(View):
    """What this server is and speaks."""

    permission_classes = [Anyone]

    @extend_schema(responses=outputs.Info)
    def get(self, request: Request) -> Response:
        """Name, versions, addresses and the rules of this instance."""
        return Response(info())


class RootView(InfoView):
    """The root of the API: who comes here is told the same."""

    @extend_schema(operation_id="root_retrieve", responses=outputs.Info)
    def get(self, request: Request) -> Response:
        """Name, versions, addresses and the rules of this instance, as at `info/`."""
        return super().get(request)


class StatsView(View):
    """How much there is."""

    permission_classes = [Anyone]

    @extend_schema(responses=outputs.Stats)
    def get(self, request: Request) -> Response:
        """Counts of what is open to all."""
        return Response(archive_totals())


class SchemasView(View):
    """The JSON Schemas of metadata."""

    permission_classes = [Anyone]

    @extend_schema(parameters=[inputs.SchemaQuery], responses={200: dict[str, Any], 400: outputs.ERRORS})
    def get(self, request: Request) -> Response:
        """The schema of one model."""
        return Response(json_schema(self.query(inputs.SchemaQuery).validated_data["model"]))


class AvailableSchemasView(View):
    """The models whose schema can be had."""

    permission_classes = [Anyone]

    @extend_schema(responses=list[str])
    def get(self, request: Request) -> Response:
        """Their names."""
        return Response(list(SCHEMA_NAMES))


class TokenView(View):
    """The user's API key."""

    # The command line tries whatever secret it was given here, a reviewer link's too.
    permission_classes = [ApprovedOrReviewer]

    @extend_schema(responses={200: str, 401: outputs.Detail, 403: outputs.Detail, 404: outputs.Detail})
    def get(self, request: Request) -> Response:
        """The secret that this very request came with, or else the key; not found if there is none: post for one."""
        if isinstance(request.auth, Token | ReviewerLink):
            return Response(request.headers["Authorization"].split()[1], headers=UNKEPT)
        key = queries.api_key_of(self.user)
        if key is None:
            raise NotFound
        return Response(key, headers=UNKEPT)

    @extend_schema(request=None, responses={200: str, 401: outputs.Detail, 403: outputs.Detail})
    def post(self, request: Request) -> Response:
        """A new key, which ends no later than the token that asks for it; the old one ends."""
        return Response(services.replace_api_key(actor=self.actor), headers=UNKEPT)


class MeView(View):
    """The signed-in user."""

    permission_classes = [SignedIn]

    @extend_schema(responses={200: outputs.User, 401: outputs.Detail, 403: outputs.Detail})
    def get(self, request: Request) -> Response:
        """Who is asking."""
        return Response(shapes.user(self.user))


class UserSearchView(View):
    """People to make owners of."""

    permission_classes = [Approved]

    @extend_schema(
        parameters=[inputs.UserSearch],
        responses={200: outputs.User(many=True), 401: outputs.Detail, 403: outputs.Detail},
    )
    def get(self, request: Request) -> Response:
        """At most ten approved users with the text in a name; none for a text that can be in no name."""
        query = inputs.UserSearch(data=request.query_params)
        people = queries.search_users(self.actor, query.validated_data["username"]) if query.is_valid() else []
        return Response([shapes.user(person) for person in people])


class UsersView(View):
    """All users, for administrators."""

    permission_classes = [Staff]

    @extend_schema(
        parameters=[inputs.UsersQuery],
        responses={200: list[str], 400: outputs.ERRORS, 401: outputs.Detail, 403: outputs.Detail},
    )
    def get(self, request: Request) -> Response:
        """Their names, sorted."""
        wanted = self.query(inputs.UsersQuery).validated_data
        return Response(queries.usernames(self.actor, approved_only=wanted["approved_only"]))
