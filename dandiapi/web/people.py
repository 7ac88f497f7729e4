"""The dashboard: people, and whether they are let in (docs/dialects/dandi.md#dashboard)."""

import csv
from collections.abc import Iterable, Iterator

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from archive.accounts.models import User
from archive.accounts.queries import approved_users, find_user, users_by_need
from archive.accounts.services import approve_user, reject_user
from archive.errors import InvalidError
from dandiapi.auth import Staff
from dandiapi.credentials import actor_by_session
from dandiapi.web.access import open_to
from dandiapi.web.forms import ReviewForm
from dandiapi.web.paging import Page

PEOPLE_PER_PAGE = 50
# The characters that make a spreadsheet treat a cell as a formula.
FORMULA_STARTS = "=+-@\t\r\n "


@require_safe
@open_to(Staff)
def dashboard(request: HttpRequest) -> HttpResponse:
    """List all users, those first who wait to be approved."""
    people = users_by_need(actor_by_session(request))
    page = Page.of(request, count=people.count(), size=PEOPLE_PER_PAGE)
    return render(request, "dashboard.html", {"page": page, "people": people[page.start : page.end]})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@open_to(Staff)
def review_user(request: HttpRequest, username: str) -> HttpResponse:
    """Show what a user has answered; by POST, approve or reject them."""
    person = find_user(actor_by_session(request), username)
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _is_reviewed(request, form, person):
        return redirect("review-user", username)
    return render(request, "review.html", {"person": person, "form": form})


def _is_reviewed(request: HttpRequest, form: ReviewForm, person: User) -> bool:
    """Approve or reject the user, and return whether that was taken; if not, the form says why."""
    actor = actor_by_session(request)
    try:
        if form.cleaned_data["status"] == User.Status.APPROVED:
            approve_user(actor=actor, user=person)
        else:
            reject_user(actor=actor, user=person, reason=form.cleaned_data["rejection_reason"])
    except InvalidError as error:
        form.add_error(error.field, error.message)
        return False
    messages.success(request, f"{person.display_name} is now {form.cleaned_data['status'].lower()}.")
    return True


@require_safe
def mailing_list(request: HttpRequest) -> HttpResponseBase:
    """Return the approved users as CSV, for newsletters. Others than staff are refused, and not asked to sign in."""
    rows = approved_users(actor_by_session(request)).exclude(email="").values_list("email", "first_name", "last_name")
    return StreamingHttpResponse(
        _lines(rows.iterator(chunk_size=1000)),
        content_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="dandi_users_mailchimp.csv"'},
    )


mailing_list.__dict__["permission_classes"] = [Staff]


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _lines(rows: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(["email", "first_name", "last_name"])
    for row in rows:
        yield writer.writerow([cell.lstrip(FORMULA_STARTS) for cell in row])
