"""Access to git's views: a token is a password, and what somebody may not know of does not exist."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from archive.accounts.policy import ANONYMOUS, Actor
from archive.datasets.models import Dataset
from archive.datasets.queries import find_dataset
from archive.errors import ArchiveError, InvalidError, NotFoundError, UnauthenticatedError
from archive.snapshots.queries import require_commit_access
from dandiapi.auth import Anyone
from dandiapi.credentials import actor_by_secret, secret_of
from dandiapi.errors import as_domain_error, headers_of, status_of
from dandiapi.web_tokens import is_broken

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase]

# The name that git-annex's own server has (docs/dialects/git.md#credentials).
CHALLENGE = 'Basic realm="git-annex", charset="UTF-8"'
PLAIN = "text/plain; charset=utf-8"
SIGN_IN = "Sign in with a token as the password; the user name may be anything."


def git_view(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Wrap a view that is given the actor, and answer its errors in plain text. The view itself asks the policy.

    No cookie is read here, so there is nothing to forge a request with.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, actor_from(request), *args, **kwargs)
        except Exception as exception:
            error = as_domain_error(exception)
            if not isinstance(error, ArchiveError):
                raise
            return refusal(error)

    guarded.__dict__["permission_classes"] = [Anyone]
    return csrf_exempt(guarded)


def refusal(error: ArchiveError) -> HttpResponse:
    """Return the answer to an error of the domain."""
    # An error of the policy has no message, since each face has its own way to sign in.
    said = SIGN_IN if isinstance(error, UnauthenticatedError) and not error.message else str(error)
    return HttpResponse(
        f"{said}\n",
        content_type=PLAIN,
        status=status_of(error),
        headers=headers_of(error, challenge=CHALLENGE),
    )


def actor_from(request: HttpRequest) -> Actor:
    """Return who is asking. Raises UnauthenticatedError for a token that is unknown, revoked or expired.

    InvalidError for a web token that cannot be decoded (docs/dialects/openneuro.md#repositories).
    """
    if is_broken(secret_of(request)):
        raise InvalidError("The token cannot be read: it is broken.")
    try:
        return actor_by_secret(request) or ANONYMOUS
    except UnauthenticatedError:
        raise UnauthenticatedError(f"There is no such token, or it has ended. {SIGN_IN}") from None


@contextmanager
def absent_to(actor: Actor) -> Iterator[None]:
    """Answer as git expects when the actor finds nothing.

    Who has not said who they are is asked first, by UnauthenticatedError, since git gives no password before; others
    get NotFoundError. Either is the same whether there is such a repository or not.
    """
    try:
        yield
    except NotFoundError:
        if actor == ANONYMOUS:
            raise UnauthenticatedError(SIGN_IN) from None
        raise NotFoundError("There is no such repository.") from None


def dataset_seen_by(actor: Actor, identifier: str) -> Dataset:
    """Return the dataset to who may read its commits; refuses as `absent_to` and `require_commit_access` do."""
    with absent_to(actor):
        dataset = find_dataset(actor, int(identifier))
    require_commit_access(actor, dataset)
    return dataset
