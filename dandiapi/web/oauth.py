"""How people let a web app act for them."""

import json
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from oauth2_provider.views import AuthorizationView

from archive.accounts.queries import Question, open_questions
from dandiapi.auth import SignedIn, actor_of
from dandiapi.web.questionnaire import without_questions


@method_decorator(never_cache, name="dispatch")
class AuthorizeView(AuthorizationView):  # type: ignore[misc]
    """Sends people back to a web app with a code for it, once they have signed in and said who they are."""

    permission_classes = [SignedIn]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask first what is still to be asked (contract 1.10)."""
        user = actor_of(request).user
        questions = open_questions(user) if user else ()
        if questions:
            return HttpResponseRedirect(_questionnaire(request.GET, questions))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


def _questionnaire(query: QueryDict, questions: tuple[Question, ...]) -> str:
    asked = [{"question": each.text, "max_length": each.max_length} for each in questions]
    return f"{reverse('questionnaire')}?{without_questions(query)}&{urlencode({'QUESTIONS': json.dumps(asked)})}"
