"""The web tokens that this face hands out, and what each claims (docs/dialects/openneuro.md#tokens)."""

from datetime import timedelta
from typing import Any

from archive.accounts.models import ReviewerLink, Token, User
from archive.accounts.policy import Action, Actor, may, require
from archive.accounts.queries import latest_expiry
from archive.accounts.services import create_token, issue_token
from archive.datasets.models import Dataset
from archive.datasets.services import create_reviewer_link
from archive.errors import UnauthenticatedError
from dandiapi.graphql.ids import dataset_id
from dandiapi.web_tokens import new_web_token

SESSION_LIFETIME = timedelta(days=7)
KEY_LIFETIME = timedelta(days=365)
UPLOAD_LIFETIME = timedelta(days=7)
REPOSITORY_LIFETIME = timedelta(days=7)
REVIEW_LIFETIME = timedelta(days=365)
WORKER_LIFETIME = timedelta(hours=24)
INDEXER_LIFETIME = timedelta(hours=3)
KEY_NAME = "OpenNeuro API key"
READ_SCOPE = "dataset:git:read"
WRITE_SCOPE = "dataset:git:write"
UPLOAD_SCOPE = "dataset:upload"
REVIEW_SCOPE = "dataset:reviewer"
WORKER_SCOPE = "dataset:worker"
INDEXER_SCOPE = "dataset:indexing"
# Whom a reviewer is taken for, so that nobody learns more.
REVIEWER = {
    "sub": "reviewer",
    "name": "Anonymous Reviewer",
    "email": "reviewer@archive.invalid",
    "provider": "orcid",
    "admin": False,
}


def new_session(user: User) -> str:
    """Return the token of a new session of a web app."""
    expires = latest_expiry(None, SESSION_LIFETIME)
    secret = new_web_token(_claims(user), expires=expires)
    issue_token(user=user, purpose=Token.Purpose.SESSION, secret=secret, expires=expires)
    return secret


def new_key(actor: Actor) -> str:
    """Return a new API key of the actor, which is listed among their tokens."""
    require(actor, Action.MANAGE_TOKENS)
    user = _person(actor)
    expires = latest_expiry(actor.token, KEY_LIFETIME)
    _, secret = create_token(
        user=user, name=KEY_NAME, expires=expires, secret=new_web_token(_claims(user), expires=expires)
    )
    return secret


def new_repository_token(actor: Actor, dataset: Dataset) -> str:
    """Return a token for the repository of a dataset: to push, if the actor may, or else to fetch."""
    # Not by a token for something else: what everybody reads it reads too, but no more.
    require(actor, Action.USE_ACCOUNT)
    require(actor, Action.READ, dataset)
    require(actor, Action.KNOW_PEOPLE, dataset)
    if may(actor, Action.CHANGE_DRAFT, dataset):
        return _issue(actor, dataset, Token.Purpose.REPOSITORY, [READ_SCOPE, WRITE_SCOPE], lifetime=REPOSITORY_LIFETIME)
    return _issue(
        actor,
        dataset,
        Token.Purpose.REPOSITORY,
        [READ_SCOPE],
        lifetime=REPOSITORY_LIFETIME,
        scope=Token.Scope.READ,
    )


def new_upload_token(actor: Actor, dataset: Dataset) -> str:
    """Return a token to send the files of an upload to a dataset with."""
    require(actor, Action.UPLOAD, dataset)
    return _issue(actor, dataset, Token.Purpose.UPLOAD, [UPLOAD_SCOPE], lifetime=UPLOAD_LIFETIME)


def new_reviewer_token(actor: Actor, dataset: Dataset) -> tuple[ReviewerLink, str]:
    """Return a new link by which a reviewer reads a dataset, and the token that it carries."""
    expires = latest_expiry(actor.token, REVIEW_LIFETIME)
    scopes = {"scopes": [REVIEW_SCOPE], "dataset": dataset_id(dataset.number)}
    secret = new_web_token({**REVIEWER, **scopes}, expires=expires)
    return create_reviewer_link(actor=actor, dataset=dataset, label="Anonymous review", expires=expires, secret=secret)


def new_worker_token(actor: Actor, dataset: Dataset | None = None) -> str:
    """Return a token by which a worker outside of this archive reports what it has done: in one dataset, or in all."""
    require(actor, Action.MAINTAIN)
    return _issue(actor, dataset, Token.Purpose.WORKER, [WORKER_SCOPE], lifetime=WORKER_LIFETIME)


def new_indexer_token(actor: Actor) -> str:
    """Return a token by which a program reads everything, and changes nothing."""
    require(actor, Action.MAINTAIN)
    scopes = [INDEXER_SCOPE]
    return _issue(actor, None, Token.Purpose.INDEXER, scopes, lifetime=INDEXER_LIFETIME, scope=Token.Scope.READ)


def _issue(
    actor: Actor,
    dataset: Dataset | None,
    purpose: Token.Purpose,
    scopes: list[str],
    *,
    lifetime: timedelta,
    scope: str = Token.Scope.WRITE,
) -> str:
    user = _person(actor)
    expires = latest_expiry(actor.token, lifetime)
    only = {"dataset": dataset_id(dataset.number)} if dataset else {}
    claims = {**_claims(user), "scopes": scopes, **only}
    secret = new_web_token(claims, expires=expires)
    issue_token(user=user, purpose=purpose, secret=secret, expires=expires, dataset=dataset, scope=scope)
    return secret


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise UnauthenticatedError
    return actor.user


def _claims(user: User) -> dict[str, Any]:
    """Return what every token says of its user; clients make commits of name and address, so neither is empty."""
    return {
        "sub": str(user.uuid),
        "name": user.get_full_name() or user.handle,
        "email": user.email,
        "provider": "orcid" if user.orcid else "google",
        "admin": user.is_superuser,
    }
