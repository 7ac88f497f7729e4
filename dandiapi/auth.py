"""Credentials and permissions in the form of Django REST Framework: who is let in where, as the policy says."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from archive.accounts.models import User
from archive.accounts.policy import Action, Actor, may
from archive.errors import UnauthenticatedError
from dandiapi.credentials import Proof, actor_of, header_proof

# What a 401 says to come with.
REALM = 'Bearer realm="api"'


class Credentials(SessionAuthentication):
    """A token in the header, or the session of a browser, which is protected against forged requests."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Proof | None] | None:
        """Return the user and what they have shown; None for nobody. Raises AuthenticationFailed for a bad token."""
        try:
            actor, proof = actor_of(request), header_proof(request)
        except UnauthenticatedError as error:
            raise AuthenticationFailed(error.message) from error
        if proof is None and actor.user is None:
            return None
        if proof is None:
            self.enforce_csrf(request)
        return actor.user or AnonymousUser(), proof

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 says to come with."""
        return REALM


class CredentialsScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The description of the credentials in the OpenAPI document: any one of them will do."""

    target_class = Credentials
    name = ["bearer", "token", "session"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Return one requirement for each, of which one has to be met."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        """Return what each is."""
        return [
            {"type": "http", "scheme": "bearer"},
            {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`token <secret>`"},
            {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
        ]


class Allowed(BasePermission):
    """A permission to read and to write, each for whoever may do the named action by the policy; None is for anyone."""

    reading: Action | None = None
    writing: Action | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the actor may do what this request does."""
        return self.lets_in(actor_of(request), str(request.method))

    @classmethod
    def lets_in(cls, actor: Actor, method: str) -> bool:
        """Return whether the actor may do what a request by this method does."""
        action = cls.reading if method in SAFE_METHODS else cls.writing
        return action is None or may(actor, action)


class Anyone(Allowed):
    """A permission that asks nobody to sign in; the policy decides about each object."""


class SignedIn(Allowed):
    """A permission for users who are signed in, approved or not."""

    reading = writing = Action.USE_ACCOUNT


class Approved(Allowed):
    """A permission for users who are approved."""

    reading, writing = Action.READ_AS_APPROVED, Action.WRITE_AS_APPROVED


class ApprovedOrReviewer(Allowed):
    """A permission for users who are approved and, to read, for holders of a reviewer link."""

    reading, writing = Action.READ_WITH_CREDENTIAL, Action.WRITE_AS_APPROVED


class ApprovedOrReadOnly(Allowed):
    """A permission that lets anyone read, and approved users write (docs/dialects/dandi.md#access)."""

    writing = Action.WRITE_AS_APPROVED


class Staff(Allowed):
    """A permission for staff and administrators."""

    reading = writing = Action.OVERSEE
