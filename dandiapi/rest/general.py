"""Service, schemas, stats, tokens and users (docs/dialects/dandi.md#service, docs/dialects/dandi.md#users)."""

from django.conf import settings
from rest_framework.request import Request

from archive.accounts import queries, services
from archive.accounts.models import ReviewerLink, Token
from archive.datasets.queries import archive_totals
from archive.errors import NotFoundError
from archive.metadata.queries import SCHEMA_NAMES, json_schema, schema_info
from dandiapi.auth import Anyone, Approved, ApprovedOrReviewer, SignedIn, Staff
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.answers import Answer
from dandiapi.rest.base import View
from dandiapi.rest.operations import documented

UNKEPT = {"Cache-Control": "no-store"}
SIGNED_IN = {401: outputs.Detail, 403: outputs.Detail}


def info() -> outputs.Info:
    """Return what a client needs to know before anything else."""
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
        "services": _services(),
        "instance_config": {
            "instance_name": settings.ARCHIVE_INSTANCE_NAME,
            "instance_identifier": settings.ARCHIVE_INSTANCE_IDENTIFIER,
            "instance_url": f"{address}/",
            "doi_prefix": settings.ARCHIVE_DOI_PREFIX,
            "licenses": list(schema.licenses),
        },
    }


def _services() -> outputs.Services:
    services: outputs.Services = {
        "api": {"url": f"{settings.ARCHIVE_URL}/api"},
        "webui": {"url": settings.ARCHIVE_URL},
        "jupyterhub": {"url": settings.ARCHIVE_JUPYTERHUB_URL},
    }
    if settings.ARCHIVE_LIVE_URL:
        services["live"] = {"url": settings.ARCHIVE_LIVE_URL}
    return services


class InfoView(View):
    """The description of this server, and of the dialect that it speaks."""

    permission_classes = [Anyone]

    @documented()
    def get(self, request: Request) -> Answer[outputs.Info]:
        """Return the name, the versions, the addresses and the rules of this instance."""
        return Answer(info())


class RootView(InfoView):
    """The root of the API, which answers the same as `info/`."""

    @documented(operation_id="root_retrieve")
    def get(self, request: Request) -> Answer[outputs.Info]:
        """Return the name, the versions, the addresses and the rules of this instance, as `info/` does."""
        return super().get(request)


class StatsView(View):
    """The numbers of open datasets, users and bytes."""

    permission_classes = [Anyone]

    @documented()
    def get(self, request: Request) -> Answer[outputs.Stats]:
        """Return how many datasets, published datasets, users and bytes there are that everybody may see."""
        return Answer(shapes.stats(archive_totals()))


class SchemasView(View):
    """The JSON Schemas of metadata."""

    permission_classes = [Anyone]

    @documented({400: outputs.ERRORS}, parameters=[inputs.SchemaQuery])
    def get(self, request: Request) -> Answer[outputs.Document]:
        """Return the JSON Schema of one model of metadata."""
        return Answer(json_schema(self.query(inputs.SchemaQuery).validated_data["model"]))


class AvailableSchemasView(View):
    """The models whose schema can be had."""

    permission_classes = [Anyone]

    @documented()
    def get(self, request: Request) -> Answer[list[str]]:
        """Return the names of the models whose JSON Schema can be had."""
        return Answer(list(SCHEMA_NAMES))


class TokenView(View):
    """The user's API key."""

    # The command line tries whatever secret it was given here, a reviewer link's too.
    permission_classes = [ApprovedOrReviewer]

    @documented({**SIGNED_IN, 404: outputs.Detail})
    def get(self, request: Request) -> Answer[str]:
        """Return the secret that this very request came with, or else the user's API key.

        Not found if there is no key yet: post for one.
        """
        if isinstance(request.auth, Token | ReviewerLink):
            return Answer(request.headers["Authorization"].split()[1], headers=UNKEPT)
        key = queries.api_key_of(self.user)
        if key is None:
            raise NotFoundError
        return Answer(key, headers=UNKEPT)

    @documented(SIGNED_IN, request=None)
    def post(self, request: Request) -> Answer[str]:
        """Return a new API key, which ends no later than the token that asks for it, and end the old one."""
        return Answer(services.replace_api_key(actor=self.actor), headers=UNKEPT)


class MeView(View):
    """The signed-in user."""

    permission_classes = [SignedIn]

    @documented(SIGNED_IN)
    def get(self, request: Request) -> Answer[outputs.User]:
        """Return the user who is asking."""
        return Answer(shapes.user(self.user))


class UserSearchView(View):
    """People to make owners of."""

    permission_classes = [Approved]

    @documented(SIGNED_IN, operation_id="users_search_list", parameters=[inputs.UserSearch])
    def get(self, request: Request) -> Answer[list[outputs.User]]:
        """Return at most ten approved users who have the text in a name; none for a text that can be in no name."""
        query = inputs.UserSearch(data=request.query_params)
        people = queries.search_users(self.actor, query.validated_data["username"]) if query.is_valid() else []
        return Answer([shapes.user(person) for person in people])


class UsersView(View):
    """All users, for administrators."""

    permission_classes = [Staff]

    @documented({400: outputs.ERRORS, **SIGNED_IN}, parameters=[inputs.UsersQuery])
    def get(self, request: Request) -> Answer[list[str]]:
        """Return the usernames of all users, sorted."""
        wanted = self.query(inputs.UsersQuery).validated_data
        return Answer(queries.client_usernames(self.actor, approved_only=wanted["approved_only"]))
