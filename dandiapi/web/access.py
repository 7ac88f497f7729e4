"""Access to pages, by the permissions that all faces share."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from rest_framework.permissions import SAFE_METHODS

from archive.accounts.queries import find_reviewer_link
from archive.errors import ForbiddenError, UnauthenticatedError
from dandiapi.auth import Allowed
from dandiapi.credentials import REVIEWER_LINK, actor_by_session

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def open_to(permission: type[Allowed]) -> Callable[[View[P]], View[P]]:
    """Let in those whom the permission lets in; others are asked to sign in, or refused."""

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if "reviewer" in request.GET and request.method in SAFE_METHODS:
                return _followed_reviewer_link(request)
            if permission.lets_in(actor_by_session(request), str(request.method)):
                return view(request, *args, **kwargs)
            return _turned_away(request)

        guarded.__dict__["permission_classes"] = [permission]
        return guarded

    return guard


def _followed_reviewer_link(request: HttpRequest) -> HttpResponse:
    """Keep the link in the session, and redirect to the same page without the secret in its address."""
    link = find_reviewer_link(request.GET["reviewer"])
    if link:
        request.session[REVIEWER_LINK] = link.pk
    query = request.GET.copy()
    del query["reviewer"]
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}" if query else request.path)


def _turned_away(request: HttpRequest) -> HttpResponse:
    if actor_by_session(request).is_authenticated:
        raise ForbiddenError
    if request.method in SAFE_METHODS:
        return redirect_to_login(request.get_full_path())
    raise UnauthenticatedError
