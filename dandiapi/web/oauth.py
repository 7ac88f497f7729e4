"""The authorisation of web apps by their users."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse, QueryDict
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from oauth2_provider.views import AuthorizationView
from oauth2_provider.views import RevokeTokenView as LibraryRevokeTokenView
from oauth2_provider.views import TokenView as LibraryTokenView

from archive.accounts.queries import Question, open_questions
from dandiapi.auth import Anyone, SignedIn
from dandiapi.credentials import actor_by_session
from dandiapi.web.questionnaire import without_questions


def refuse_nul(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Wrap a view, and refuse what is sent with a NUL in it, which Postgres cannot hold."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if any("\0" in value for values in request.POST.lists() for value in values[1]):
            return JsonResponse({"error": "invalid_request"}, status=400)
        return view(request, *args, **kwargs)

    return guarded


@method_decorator(refuse_nul, name="post")
class TokenView(LibraryTokenView):  # type: ignore[misc]
    """The view that gives tokens for a code or a refresh token, and for nothing else."""

    permission_classes = [Anyone]
    GRANTS = ("authorization_code", "refresh_token")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse, in the words of the standard, grants that the library takes and this archive does not."""
        if request.POST.get("grant_type") not in self.GRANTS:
            return JsonResponse({"error": "unsupported_grant_type"}, status=400)
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response


@method_decorator(refuse_nul, name="post")
class RevokeTokenView(LibraryRevokeTokenView):  # type: ignore[misc]
    """The view that ends a sign-in."""

    permission_classes = [Anyone]


@method_decorator(never_cache, name="dispatch")
class AuthorizeView(AuthorizationView):  # type: ignore[misc]
    """The view that sends people back to a web app with a code, once they are signed in and have no open questions."""

    permission_classes = [SignedIn]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask the open questions first (docs/dialects/dandi.md#oauth)."""
        user = actor_by_session(request).user
        questions = open_questions(user) if user else ()
        if questions:
            return HttpResponseRedirect(_questionnaire(request.GET, questions))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


def _questionnaire(query: QueryDict, questions: tuple[Question, ...]) -> str:
    asked = [{"question": each.text, "max_length": each.max_length} for each in questions]
    return f"{reverse('questionnaire')}?{without_questions(query)}&{urlencode({'QUESTIONS': json.dumps(asked)})}"
