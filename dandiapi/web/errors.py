"""What the domain refuses, as a page."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from archive.errors import ArchiveError, BusyError
from dandiapi.errors import REPLIES, in_the_domain
from dandiapi.middleware import GetResponse

TITLES = {
    HTTPStatus.BAD_REQUEST: "That does not work",
    HTTPStatus.FORBIDDEN: "This is not open to you",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.CONFLICT: "Not just now",
    HTTPStatus.LOCKED: "Not just now",
    HTTPStatus.SERVICE_UNAVAILABLE: "Back in a moment",
}


class ErrorPageMiddleware:
    """Answers what goes wrong on a page with a page. The API, which is for programs, answers for itself."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page; None, for Django's own 500, if this is a fault of ours."""
        error = in_the_domain(exception)
        if request.path_info.startswith("/api/") or not isinstance(error, ArchiveError):
            return None
        return error_page(request, error)


def error_page(request: HttpRequest, error: ArchiveError) -> HttpResponse:
    """The page that says what is wrong."""
    status = REPLIES[type(error)].web
    facts = {"title": TITLES[status], "message": _message(error)}
    # A page made for the request names who is signed in, and so needs the database: the very thing that may be away.
    page = render_to_string("error.html", facts, request=None if isinstance(error, BusyError) else request)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, BusyError) else {}
    return HttpResponse(page, status=status, headers=headers)


def _message(error: ArchiveError) -> str:
    # "Not found.", the contract's word to programs, says nothing to a person; error.html has more to say.
    return "" if error.message == "Not found." else error.message
