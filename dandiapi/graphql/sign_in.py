"""Sign-in of OpenNeuro's web app: by the providers that the archive has, and back with a session in a cookie.

docs/dialects/openneuro.md#sign-in
"""

import binascii
from base64 import b64decode
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from archive.accounts.models import User
from archive.accounts.services import revoke_session_tokens
from dandiapi.auth import Anyone
from dandiapi.graphql.accounts import set_cookie
from dandiapi.graphql.tokens import new_session

MAX_PATH = 2048
COMPLETE = "/crn/auth/complete"


@require_safe
def begin(request: HttpRequest, provider: str) -> HttpResponse:
    """Send a browser to a provider, or to this archive's own form where it has none, and then to `complete`."""
    back = urlencode({"redirectPath": request.GET.get("redirectPath", "")})
    entrance = reverse(f"{provider}_login") if settings.PROVIDERS[provider][0] else resolve_url(settings.LOGIN_URL)
    return HttpResponseRedirect(f"{entrance}?{urlencode({'next': f'{COMPLETE}?{back}'})}")


@require_safe
def complete(request: HttpRequest) -> HttpResponse:
    """Give who has signed in the cookie of the web app, and go where they came from."""
    if not isinstance(request.user, User):
        return HttpResponseRedirect(resolve_url(settings.LOGIN_URL))
    response = HttpResponseRedirect(_own_path(request.GET.get("redirectPath", "")))
    set_cookie(response, new_session(request.user))
    return response


for _view in (begin, complete):
    _view.__dict__["permission_classes"] = [Anyone]


def _own_path(encoded: str) -> str:
    """Return the path of this archive that a text in base64 is; the home page for anything else."""
    try:
        path = b64decode(encoded[:MAX_PATH], validate=True).decode()
    except (binascii.Error, ValueError):
        return "/"
    is_own = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_own else "/"


def end_sessions_of(sender: Any, user: User | None, **kwargs: Any) -> None:
    """End the sessions of web apps when somebody signs out: a receiver of Django's signal."""
    if user is not None:
        revoke_session_tokens(user=user)
