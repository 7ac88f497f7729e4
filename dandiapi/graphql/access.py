"""Who asks the GraphQL face and what belongs to it: by Bearer, by Basic, or by the cookie of a web app."""

from django.http import HttpRequest

from archive.accounts.policy import ANONYMOUS, Actor
from archive.errors import UnauthenticatedError
from dandiapi.credentials import actor_by_proof, actor_by_secret, actor_by_session, find_proof

# What web apps keep their session in, and read it in (docs/dialects/openneuro.md#tokens).
COOKIE = "accessToken"


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks: whom the header Authorization names, or else the cookie.

    A token that is none, or has ended, makes nobody of the asker, as clients of this dialect expect: what they ask for
    then fails with a sentence that they know.
    """
    try:
        return actor_by_secret(request) or _actor_by_cookie(request)
    except UnauthenticatedError:
        return ANONYMOUS


def reader_of(request: HttpRequest) -> Actor:
    """Return whose browser looks at a page of this face: as programs are known, or else by the session of our pages.

    For pages alone, which change nothing.
    """
    actor = actor_of(request)
    return actor_by_session(request) if actor == ANONYMOUS else actor


def _actor_by_cookie(request: HttpRequest) -> Actor:
    secret = request.COOKIES.get(COOKIE, "")
    proof = find_proof(secret) if secret else None
    return actor_by_proof(proof) if proof else ANONYMOUS
