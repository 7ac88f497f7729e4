"""How people let a web app act for them: the questionnaire that may come first, and the authorisation itself."""

import json
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from oauth2_provider.views import AuthorizationView

from archive.accounts.queries import NAMES, QUESTIONS, Question, open_questions
from archive.accounts.services import answer_questionnaire
from archive.errors import InvalidError, NotFoundError
from dandiapi.accounts import has_verified_address
from dandiapi.auth import SignedIn, actor_of
from dandiapi.web.access import open_to

MAX_QUERY = 10_000


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
    return f"{reverse('questionnaire')}?{_without_questions(query)}&{urlencode({'QUESTIONS': json.dumps(asked)})}"


def _without_questions(query: QueryDict) -> str:
    rest = query.copy()
    rest.pop("QUESTIONS", None)
    return rest.urlencode()


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@open_to(SignedIn)
def questionnaire(request: HttpRequest) -> HttpResponse:
    """The questions that the address names; by POST, the answers, and then back to the authorisation."""
    form = QuestionnaireForm(_asked(request), request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _is_answered(request, form):
        return HttpResponseRedirect(f"{reverse('authorize')}?{_without_questions(request.GET)}")
    return render(request, "questionnaire.html", {"form": form})


def _is_answered(request: HttpRequest, form: "QuestionnaireForm") -> bool:
    """Whether the answers are taken; the form says why if they are not."""
    user = actor_of(request).user
    if user is None:
        raise NotFoundError("Not found.")
    try:
        answer_questionnaire(user=user, answers=form.answers, email_is_verified=has_verified_address(user))
    except InvalidError as error:
        form.add_error(error.field, error.message)
        return False
    return True


def _asked(request: HttpRequest) -> list[Question]:
    """The questions in the address. Others than ours are not asked: whoever wrote them is not us."""
    text = request.GET.get("QUESTIONS", "")
    try:
        texts = [each["question"] for each in json.loads(text[:MAX_QUERY])]
        return [KNOWN[text] for text in dict.fromkeys([*(each.text for each in NAMES), *texts])]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise NotFoundError("Not found.") from None


KNOWN = {each.text: each for each in QUESTIONS}


class QuestionnaireForm(forms.Form):
    """A field for each question, named by its text (contract 1.3). Long answers are cut, not refused."""

    def __init__(self, questions: list[Question], data: QueryDict | None) -> None:
        super().__init__(data)
        for number, question in enumerate(questions):
            is_name = question in NAMES
            identity = {"id": f"question-{number}"}
            widget = forms.TextInput(identity) if is_name else forms.Textarea({**identity, "rows": 3})
            self.fields[question.text] = forms.CharField(label=question.text, required=is_name, widget=widget)

    @property
    def answers(self) -> dict[str, str]:
        """The answers by question."""
        return {text: str(answer) for text, answer in self.cleaned_data.items()}
