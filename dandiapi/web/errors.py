"""The pages for errors of the domain."""

from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views import defaults

from archive.errors import ArchiveError, BusyError, UnauthenticatedError
from dandiapi.errors import Statuses, as_domain_error, headers_of, status_of
from dandiapi.faces import is_for_programs
from dandiapi.middleware import GetResponse

# For browsers, not being signed in is a 403: a 401 would make them show a password dialog of their own.
EXCEPTIONS: Statuses = {UnauthenticatedError: HTTPStatus.FORBIDDEN}
# The message for users who are not signed in, whichever code found it out.
SIGN_IN = "Sign in first, and then try again."
# The title of an error page, and its message if the error itself has none.
WORDS = {
    HTTPStatus.BAD_REQUEST: ("That does not work", "The request is not one that this server understands."),
    HTTPStatus.FORBIDDEN: ("This is not open to you", "Perhaps you need to sign in, or to wait for an approval."),
    HTTPStatus.NOT_FOUND: ("There is nothing here", "It may have moved, or be open to its owners only."),
    HTTPStatus.CONFLICT: ("Not just now", "Something else has to happen first."),
    HTTPStatus.PRECONDITION_FAILED: ("Somebody was faster", "It has been changed since you opened it."),
    HTTPStatus.LOCKED: ("Not just now", "Somebody is at work on it."),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Back in a moment", "A service that this page needs is away."),
}


class ErrorPageMiddleware:
    """A middleware that answers errors of pages with a page. The API, which is for programs, answers its own errors."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page for an error of the domain; None, for Django's own 500, for any other."""
        error = as_domain_error(exception)
        if is_for_programs(request.path_info) or not isinstance(error, ArchiveError):
            return None
        return error_page(request, error)


def error_page(request: HttpRequest, error: ArchiveError) -> HttpResponse:
    """Return the page that says what is wrong."""
    status = status_of(error, EXCEPTIONS)
    title, words = WORDS[status]
    facts = {
        "title": title,
        "message": error.message or (SIGN_IN if isinstance(error, UnauthenticatedError) else words),
        "instance_name": settings.ARCHIVE_INSTANCE_NAME,
    }
    # A page with the request shows who is signed in, and so needs the database, which may be the service that is away.
    page = render_to_string("error.html", facts, request=None if isinstance(error, BusyError) else request)
    return HttpResponse(page, status=status, headers=headers_of(error))


# The handlers that Django calls by name (`dandiapi/urls.py`) for errors before a view is called, and for failures.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that is refused before any view is called."""
    if is_for_programs(request.path_info):
        detail = str(exception) if isinstance(exception, BadRequest) else WORDS[HTTPStatus.BAD_REQUEST][1]
        return JsonResponse({"detail": detail}, status=400)
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request to an address that does not exist."""
    if is_for_programs(request.path_info):
        detail = "There is no such address; /api/schema/ describes those that there are."
        return JsonResponse({"detail": detail}, status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed by a fault of this program, which is in its log."""
    if is_for_programs(request.path_info):
        return JsonResponse({"detail": "Something went wrong here; it has been noted."}, status=500)
    return defaults.server_error(request)
