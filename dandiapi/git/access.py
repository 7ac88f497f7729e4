"""Who is asking, in the way of git: a token is a password. What they may not know of is absent."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from archive.accounts.models import ReviewerLink, Token
from archive.accounts.policy import ANONYMOUS, Actor, is_blinded
from archive.datasets.models import Dataset
from archive.datasets.queries import visible_datasets
from archive.errors import ArchiveError, BusyError, ForbiddenError, NotFoundError, UnauthenticatedError
from dandiapi.auth import Anyone, proof_of, scheme_of
from dandiapi.errors import REPLIES, in_the_domain

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase]

# The name that git-annex's own server has.
CHALLENGE = 'Basic realm="git-annex", charset="UTF-8"'
PLAIN = "text/plain; charset=utf-8"
SIGN_IN = "Sign in with a token as the password; the user name may be anything."


def git_view(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """A view that is given who asks, and whose errors are answered in plain text. Whether they may, it finds out.

    No cookie is read here, so there is nothing to forge a request with.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, actor_from(request), *args, **kwargs)
        except Exception as exception:
            error = in_the_domain(exception)
            if not isinstance(error, ArchiveError):
                raise
            return refusal(error)

    guarded.__dict__["permission_classes"] = [Anyone]
    return csrf_exempt(guarded)


def refusal(error: ArchiveError) -> HttpResponse:
    """What is answered to what the domain refuses."""
    response = HttpResponse(f"{error.message or 'Not allowed.'}\n", content_type=PLAIN)
    response.status_code = REPLIES[type(error)].git
    if isinstance(error, UnauthenticatedError):
        response.headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def actor_from(request: HttpRequest) -> Actor:
    """Who is asking. Raises UnauthenticatedError for a token that is none, or is no longer."""
    if not scheme_of(request):
        return ANONYMOUS
    proof = proof_of(request)
    if proof is None:
        raise UnauthenticatedError(f"There is no such token, or it has ended. {SIGN_IN}")
    if isinstance(proof, ReviewerLink):
        return Actor(link=proof)
    return Actor(user=proof.user, token=proof if isinstance(proof, Token) else None)


def dataset_seen_by(actor: Actor, identifier: str) -> Dataset:
    """The dataset, if the actor may read it, and know who works on it, as its commits tell.

    ForbiddenError if they may not know who. NotFoundError if there is none for them; who has not said who they are is
    asked first, by UnauthenticatedError, since git gives no password before. Either is the same whether there is such
    a dataset or not.
    """
    dataset = visible_datasets(actor).filter(number=int(identifier)).first()
    if dataset is not None:
        return named_to(actor, dataset)
    if actor == ANONYMOUS:
        raise UnauthenticatedError(SIGN_IN)
    raise NotFoundError("There is no such repository.")


def named_to(actor: Actor, dataset: Dataset) -> Dataset:
    """The dataset, if the actor may know who works on it; ForbiddenError if they review it blindly."""
    if is_blinded(actor, dataset):
        raise ForbiddenError("Commits name people, so reviewer links do not open repositories; use `dandi download`.")
    return dataset
