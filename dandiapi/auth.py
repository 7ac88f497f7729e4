"""From a request to an Actor, and the permissions that routes name."""

import binascii
from base64 import b64decode
from typing import Any, TypeAlias

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from oauth2_provider.models import AccessToken
from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication as DRFSessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from archive.accounts.models import ReviewerLink, Token, User
from archive.accounts.policy import ANONYMOUS, Action, Actor, may
from archive.accounts.queries import find_reviewer_link, find_reviewer_link_again, find_token
from archive.accounts.services import TOKEN_PREFIX
from archive.datasets.services import LINK_PREFIX
from dandiapi.oauth import find_access_token

# What a 401 says to come with.
REALM = 'Bearer realm="api"'


# What somebody may show to say who they are.
Proof: TypeAlias = Token | ReviewerLink | AccessToken

# Where a session keeps the reviewer link that its browser has followed.
REVIEWER_LINK = "reviewer_link"


def actor_of(request: Request | HttpRequest) -> Actor:
    """Who is asking."""
    user = request.user if isinstance(request.user, User) else None
    proof = getattr(request, "auth", None)
    if isinstance(proof, Token):
        return Actor(user=user, token=proof)
    link = proof if isinstance(proof, ReviewerLink) else _followed_link(request)
    return Actor(user=user, link=link) if user or link else ANONYMOUS


def _followed_link(request: Request | HttpRequest) -> ReviewerLink | None:
    """The reviewer link that the session's browser has followed, if it is still valid."""
    link_id = getattr(request, "session", {}).get(REVIEWER_LINK)
    return find_reviewer_link_again(link_id) if link_id else None


def find_proof(secret: str) -> Proof | None:
    """The valid reviewer link, token or access token that `secret` is the secret of, or None."""
    if secret.startswith(LINK_PREFIX):
        return find_reviewer_link(secret)
    if secret.startswith(TOKEN_PREFIX):
        return find_token(secret)
    return find_access_token(secret)


def proof_of(request: Request | HttpRequest) -> Proof | None:
    """What the header Authorization proves, if anything: looked up once, whoever asks on the way of a request."""
    # A request of the REST face is wrapped around the one that all faces are given.
    kept = vars(getattr(request, "_request", request))
    if "proof" not in kept:
        kept["proof"] = find_proof(_secret(request))
    proof: Proof | None = kept["proof"]
    return proof


def scheme_of(request: Request | HttpRequest) -> str:
    """In which way a request comes with a secret; "" if without one."""
    return request.headers.get("Authorization", "").partition(" ")[0].lower()


def _secret(request: Request | HttpRequest) -> str:
    given = request.headers.get("Authorization", "").partition(" ")[2].strip()
    scheme = scheme_of(request)
    if scheme in {"bearer", "token"}:
        return given
    if scheme != "basic":
        return ""
    try:
        return b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


class TokenAuthentication(BaseAuthentication):
    """`Authorization: token <secret>`, as DANDI's clients send it. The secret may be a reviewer link's, too."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Token | ReviewerLink] | None:
        """The user and token, or nobody and a link; None when the header is of another kind; a bad one is an error."""
        if scheme_of(request) != "token":
            return None
        proof = proof_of(request)
        if isinstance(proof, ReviewerLink):
            return AnonymousUser(), proof
        if isinstance(proof, Token):
            return proof.user, proof
        raise AuthenticationFailed("Invalid token.")

    def authenticate_header(self, request: Request) -> str:
        """What a 401 says to come with."""
        return REALM


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`, as web apps send it that were let in by `/oauth/`."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        """The user and access token; None, and so perhaps nobody, if there is none that is valid (contract 1.1.1)."""
        proof = proof_of(request) if scheme_of(request) == "bearer" else None
        return (proof.user, proof) if isinstance(proof, AccessToken) else None

    def authenticate_header(self, request: Request) -> str:
        """What a 401 says to come with."""
        return REALM


class SessionAuthentication(DRFSessionAuthentication):
    """The browser's session, with CSRF protection."""

    def authenticate_header(self, request: Request) -> str:
        """What a 401 says to come with."""
        return REALM


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes the token."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """An API key in the Authorization header."""
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`token <secret>`"}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes the access token."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes the session."""

    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The session cookie."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class Allowed(BasePermission):
    """Lets in whoever may do, by the policy, what a permission names: to read, and to write. None is for anyone."""

    reading: Action | None = None
    writing: Action | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the actor may do what this request does."""
        action = self.reading if request.method in SAFE_METHODS else self.writing
        return action is None or may(actor_of(request), action)


class Anyone(Allowed):
    """No need to sign in; the policy decides about each object."""


class SignedIn(Allowed):
    """Signed in, approved or not."""

    reading = writing = Action.USE_ACCOUNT


class Approved(Allowed):
    """Signed in and approved."""

    reading, writing = Action.TAKE_PART, Action.CONTRIBUTE


class ApprovedOrReviewer(Allowed):
    """Signed in and approved; or, to read, with a reviewer link."""

    reading, writing = Action.USE_CREDENTIAL, Action.CONTRIBUTE


class ApprovedOrReadOnly(Allowed):
    """Anyone may read, as the policy allows; to write, one must be approved (contract 1.1.2)."""

    writing = Action.CONTRIBUTE


class Staff(Allowed):
    """Staff and administrators."""

    reading = writing = Action.OVERSEE
