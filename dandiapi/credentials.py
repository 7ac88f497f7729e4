"""The Actor that the headers and the session of a request stand for, whatever face it is for.

Faces differ in what they look at. Pages know the session of a browser alone; git a secret alone, be it a password; the
API and its event streams a token or, with none, the session.
"""

import binascii
from base64 import b64decode
from typing import TypeAlias

from django.http import HttpRequest
from oauth2_provider.models import AccessToken

from archive.accounts.models import ReviewerLink, Token, User
from archive.accounts.policy import ANONYMOUS, Actor
from archive.accounts.queries import find_reviewer_link, find_reviewer_link_again, find_token
from archive.accounts.services import TOKEN_PREFIX
from archive.datasets.services import LINK_PREFIX
from archive.errors import UnauthenticatedError
from dandiapi.oauth import find_access_token
from dandiapi.web_tokens import has_good_signature, is_web_token

# What somebody may show to say who they are.
Proof: TypeAlias = Token | ReviewerLink | AccessToken

# Where a session keeps the reviewer link that its browser has followed.
REVIEWER_LINK = "reviewer_link"


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks the API: by a token, by the access token of a web app, or by the session of a browser.

    Raises UnauthenticatedError for a token that is none, or has ended. An access token that has is nobody's, and so the
    session counts (docs/dialects/dandi.md#credentials).
    """
    request = _bare(request)
    kept = vars(request)
    if "actor" not in kept:
        proof = header_proof(request)
        kept["actor"] = actor_by_proof(proof) if proof else actor_by_session(request)
    actor: Actor = kept["actor"]
    return actor


def header_proof(request: HttpRequest) -> Proof | None:
    """Return what the header Authorization proves to the API; raises as `actor_of` does."""
    scheme, proof = scheme_of(request), proof_of(request)
    if scheme == "token":
        if not isinstance(proof, Token | ReviewerLink):
            raise UnauthenticatedError("Invalid token.")
        return proof
    return proof if scheme == "bearer" and isinstance(proof, AccessToken) else None


def actor_by_secret(request: HttpRequest) -> Actor | None:
    """Return who comes with a secret in the header Authorization, in whatever way; None if there is no such header.

    Raises UnauthenticatedError if the secret is none, or has ended.
    """
    if not scheme_of(request):
        return None
    proof = proof_of(request)
    if proof is None:
        raise UnauthenticatedError
    return actor_by_proof(proof)


def actor_by_session(request: HttpRequest) -> Actor:
    """Return whose browser it is, and by which reviewer link it reads."""
    user = request.user if isinstance(request.user, User) else None
    link_id = getattr(request, "session", {}).get(REVIEWER_LINK)
    link = find_reviewer_link_again(link_id) if link_id else None
    return Actor(user=user, link=link) if user or link else ANONYMOUS


def actor_by_proof(proof: Proof) -> Actor:
    """Return whom a proof stands for."""
    if isinstance(proof, ReviewerLink):
        return Actor(link=proof)
    return Actor(user=proof.user, token=proof if isinstance(proof, Token) else None)


def proof_of(request: HttpRequest) -> Proof | None:
    """Return what the secret in the header Authorization is; looked up once, whoever asks on the way of a request."""
    kept = vars(_bare(request))
    if "proof" not in kept:
        secret = secret_of(request)
        kept["proof"] = find_proof(secret) if secret else None
    proof: Proof | None = kept["proof"]
    return proof


def find_proof(secret: str) -> Proof | None:
    """Return what a secret proves; None if it is none of this archive's, or has ended."""
    if secret.startswith(LINK_PREFIX):
        return find_reviewer_link(secret)
    if secret.startswith(TOKEN_PREFIX):
        return find_token(secret)
    if is_web_token(secret):
        return find_web_token(secret)
    return find_access_token(secret)


def find_web_token(secret: str) -> Token | ReviewerLink | None:
    """Return the token or reviewer link whose secret a web token is; None if it is none of ours, or has ended."""
    return (find_token(secret) or find_reviewer_link(secret)) if has_good_signature(secret) else None


def _bare(request: HttpRequest) -> HttpRequest:
    """Return the request that all faces are given: the REST face wraps its own around it, with other users."""
    bare: HttpRequest = getattr(request, "_request", request)
    return bare


def scheme_of(request: HttpRequest) -> str:
    """Return in which way a request comes with a secret: "token", "bearer", "basic"; "" if without one."""
    return request.headers.get("Authorization", "").partition(" ")[0].lower()


def secret_of(request: HttpRequest) -> str:
    """Return the secret in the header Authorization; "" if there is none."""
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
