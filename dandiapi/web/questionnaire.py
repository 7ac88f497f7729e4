"""The questions to users: before a web app may act for them, and before they go on here."""

import json
from collections.abc import Sequence

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from archive.accounts.models import User
from archive.accounts.queries import NAMES, QUESTIONS, Question, open_questions
from archive.accounts.services import answer_questionnaire
from archive.errors import InvalidError, NotFoundError
from dandiapi.auth import SignedIn
from dandiapi.credentials import actor_by_session
from dandiapi.web.access import open_to
from dandiapi.web.next_page import next_page

MAX_QUERY = 10_000


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@open_to(SignedIn)
def questionnaire(request: HttpRequest) -> HttpResponse:
    """Show the questions that the address names; by POST, take the answers and go back to the authorisation."""
    going = f"{reverse('authorize')}?{without_questions(request.GET)}"
    return _questions(request, _asked(request), going)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@open_to(SignedIn)
def about_you(request: HttpRequest) -> HttpResponse:
    """Show the questions that are still open; by POST, take the answers and go on to `next`."""
    questions = open_questions(_person(request))
    going = next_page(request, otherwise=reverse("home"))
    return _questions(request, questions, going) if questions else HttpResponseRedirect(going)


def _questions(request: HttpRequest, questions: Sequence[Question], going: str) -> HttpResponse:
    form = QuestionnaireForm(questions, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _is_answered(_person(request), form):
        return HttpResponseRedirect(going)
    return render(request, "questionnaire.html", {"form": form})


def _person(request: HttpRequest) -> User:
    user = actor_by_session(request).user
    if user is None:
        raise NotFoundError
    return user


def _is_answered(person: User, form: "QuestionnaireForm") -> bool:
    """Take the answers, and return whether they were accepted; if not, the form says why."""
    try:
        answer_questionnaire(user=person, answers=form.answers)
    except InvalidError as error:
        form.add_error(error.field, error.message)
        return False
    return True


def without_questions(query: QueryDict) -> str:
    """Return a query without its parameter for questions."""
    rest = query.copy()
    rest.pop("QUESTIONS", None)
    return rest.urlencode()


def _asked(request: HttpRequest) -> list[Question]:
    """Return the questions in the address that are ours; NotFoundError if others are among them."""
    text = request.GET.get("QUESTIONS", "")
    try:
        texts = [each["question"] for each in json.loads(text[:MAX_QUERY])]
        return [KNOWN[text] for text in dict.fromkeys([*(each.text for each in NAMES), *texts])]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise NotFoundError from None


KNOWN = {each.text: each for each in QUESTIONS}


class QuestionnaireForm(forms.Form):
    """A form with a field for each question (docs/dialects/dandi.md#questionnaire). Long answers are cut."""

    def __init__(self, questions: Sequence[Question], data: QueryDict | None) -> None:
        super().__init__(data)
        for number, question in enumerate(questions):
            is_name = question in NAMES
            identity = {"id": f"question-{number}"}
            widget = forms.TextInput(identity) if is_name else forms.Textarea({**identity, "rows": 3})
            self.fields[question.text] = forms.CharField(label=question.text, required=is_name, widget=widget)

    @property
    def answers(self) -> dict[str, str]:
        """Return the answers by question."""
        return {text: str(answer) for text, answer in self.cleaned_data.items()}
