"""Accounts over HTTP: who asks, API keys, and the links of reviewers (docs/dialects/openneuro.md#accounts)."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from archive.accounts.models import ReviewerLink
from archive.errors import ArchiveError
from dandiapi.auth import Anyone
from dandiapi.credentials import find_web_token
from dandiapi.errors import status_of
from dandiapi.graphql.access import COOKIE, actor_of
from dandiapi.graphql.ids import dataset_id
from dandiapi.graphql.tokens import new_key
from dandiapi.graphql.words import sentence
from dandiapi.web_tokens import is_web_token

NOT_LOGGED_IN = {"error": "Not logged in."}
UNKEPT = {"Cache-Control": "no-store"}


@require_safe
def users_self(request: HttpRequest) -> HttpResponse:
    """Answer who asks."""
    user = actor_of(request).user
    if user is None:
        return JsonResponse(NOT_LOGGED_IN, status=HTTPStatus.UNAUTHORIZED, headers=UNKEPT)
    return JsonResponse(
        {"id": str(user.uuid), "email": user.email, "name": user.display_name, "admin": user.is_superuser},
        headers=UNKEPT,
    )


@csrf_exempt
@require_POST
def keygen(request: HttpRequest) -> HttpResponse:
    """Answer with a new API key. The cookie of another page's visitor does not come along with a POST (`Lax`)."""
    actor = actor_of(request)
    if actor.user is None:
        return JsonResponse(NOT_LOGGED_IN, status=HTTPStatus.UNAUTHORIZED, headers=UNKEPT)
    try:
        return JsonResponse({"key": new_key(actor)}, headers=UNKEPT)
    except ArchiveError as error:
        return JsonResponse({"error": sentence(error)}, status=status_of(error), headers=UNKEPT)


@require_safe
def reviewer(request: HttpRequest, token: str) -> HttpResponse:
    """Let the browser of a reviewer read the dataset of the link that it follows, and go there."""
    link = find_web_token(token) if is_web_token(token) else None
    if not isinstance(link, ReviewerLink):
        return HttpResponse("The link has ended.\n", status=HTTPStatus.UNAUTHORIZED, content_type="text/plain")
    response = HttpResponseRedirect(f"/datasets/{dataset_id(link.dataset_id)}")
    set_cookie(response, token)
    return response


def set_cookie(response: HttpResponse, token: str) -> None:
    """Give a browser the cookie of a web app, which reads it: docs/decisions/readable-session-cookie.md."""
    response.set_cookie(COOKIE, token, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE, httponly=False)


for _view in (users_self, keygen, reviewer):
    _view.__dict__["permission_classes"] = [Anyone]
