"""Accounts over HTTP: who asks, API keys, and the links of reviewers (docs/dialects/openneuro.md#accounts)."""

import json
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from archive.accounts.models import ReviewerLink
from archive.errors import ArchiveError
from dandiapi.auth import Anyone
from dandiapi.credentials import REVIEWER_LINK, actor_by_session, find_web_token
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


@require_http_methods(["GET", "HEAD", "POST"])
def key_page(request: HttpRequest) -> HttpResponse:
    """Show who is signed in a new API key for OpenNeuro's tools, once they ask for it."""
    actor = actor_by_session(request)
    if actor.user is None:
        return redirect_to_login(request.path)
    key = new_key(actor) if request.method == "POST" else ""
    configuration = {"url": f"{settings.ARCHIVE_URL}/", "apikey": key, "errorReporting": False}
    shown = {"key": key, "configuration": json.dumps(configuration, indent=2)}
    response = render(request, "keygen.html", shown)
    response.headers["Cache-Control"] = UNKEPT["Cache-Control"]
    return response


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def keygen(request: HttpRequest) -> HttpResponse:
    """Answer with a new API key. The cookie of another page's visitor does not come along with a POST (`Lax`).

    Who looks here in a browser is led to the page.
    """
    if request.method != "POST":
        return HttpResponseRedirect("/keygen")
    actor = actor_of(request)
    if actor.user is None:
        return JsonResponse(NOT_LOGGED_IN, status=HTTPStatus.UNAUTHORIZED, headers=UNKEPT)
    try:
        return JsonResponse({"key": new_key(actor)}, headers=UNKEPT)
    except ArchiveError as error:
        return JsonResponse({"error": sentence(error)}, status=status_of(error), headers=UNKEPT)


@require_safe
def reviewer(request: HttpRequest, token: str) -> HttpResponse:
    """Let the browser of a reviewer read the dataset of the link that it follows, and go to its page."""
    link = find_web_token(token) if is_web_token(token) else None
    if not isinstance(link, ReviewerLink):
        return HttpResponse("The link has ended.\n", status=HTTPStatus.UNAUTHORIZED, content_type="text/plain")
    response = HttpResponseRedirect(f"/datasets/{dataset_id(link.dataset_id)}")
    set_cookie(response, token)
    # Our own pages know the session.
    request.session[REVIEWER_LINK] = link.pk
    return response


def set_cookie(response: HttpResponse, token: str) -> None:
    """Give a browser the cookie of a web app, which reads it: docs/decisions/readable-session-cookie.md."""
    response.set_cookie(COOKIE, token, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE, httponly=False)


for _view in (users_self, key_page, keygen, reviewer):
    _view.__dict__["permission_classes"] = [Anyone]
