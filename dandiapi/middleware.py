"""The middleware of all requests."""

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.template.loader import render_to_string
from rest_framework.permissions import SAFE_METHODS

from archive.errors import BusyError
from archive.storage.queries import store_origin
from dandiapi.bounds import ADDRESS_TOO_LONG, HEADERS_TOO_LARGE, MAX_ADDRESS, MAX_HEADERS
from dandiapi.errors import AWAY, as_domain_error, headers_of
from dandiapi.faces import is_for_git, is_for_programs
from dandiapi.limits import is_admitted, seconds_to_wait
from dandiapi.oauth import app_origins
from dandiapi.postgres.patience import statements_within

GetResponse = Callable[[HttpRequest], HttpResponse]


class BoundsMiddleware:
    """A middleware that refuses addresses and headers that are larger than any honest ones, before they are read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if len(request.path_info) + len(request.META.get("QUERY_STRING", "")) > MAX_ADDRESS:
            return _refusal(HTTPStatus.REQUEST_URI_TOO_LONG, ADDRESS_TOO_LONG)
        headers = sum(len(key) + len(value) for key, value in request.META.items() if key.startswith("HTTP_"))
        if headers > MAX_HEADERS:
            return _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HEADERS_TOO_LARGE)
        return self.get_response(request)


class PatienceMiddleware:
    """A middleware that has Postgres give up statements of reading requests sooner than others."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in SAFE_METHODS:
            return self.get_response(request)
        with statements_within(settings.DATABASE_READ_SECONDS):
            return self.get_response(request)


def _refusal(status: HTTPStatus, message: str) -> HttpResponse:
    return HttpResponse(f"{message}\n", status=status, content_type="text/plain")


class UnavailableServiceMiddleware:
    """A middleware that answers 503 when the database or another service is away, and refuses NUL in addresses."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Postgres cannot hold NUL, so nothing has a name with it.
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("An address must not contain NUL.")
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the 503 for a service that is away; None, for the usual handling, of any other exception."""
        error = as_domain_error(exception)
        if not isinstance(error, BusyError):
            return None
        return JsonResponse(error.message, safe=False, status=503, headers=headers_of(error))


class CompressionMiddleware(GZipMiddleware):
    """A middleware that compresses answers, but not git's own formats, which are compressed, nor content."""

    PLAIN = ("application/x-git-", "application/octet-stream")

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the answer, compressed if that is of use."""
        if response.headers.get("Content-Type", "").startswith(self.PLAIN):
            return response
        return super().process_response(request, response)


class OptionalSlashMiddleware:
    """A middleware that serves reads with or without the last slash (docs/dialects/dandi.md#slashes)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"} and request.path_info.startswith("/api/"):
            # `path_info` is what routes are matched against; `next` links repeat the address as it was requested.
            request.path_info = request.path_info.rstrip("/") + "/"
        return self.get_response(request)


class RateLimitMiddleware:
    """A middleware that answers 429 with `Retry-After` to clients that have used up this minute's requests.

    It stands before all that refuses, so that answers of 401, 403 and 404 are counted too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_admitted(request):
            return self.get_response(request)
        response = self._refusal(request.path_info)
        response.status_code, response.headers["Retry-After"] = 429, str(seconds_to_wait())
        return response

    def _refusal(self, path: str) -> HttpResponse:
        if is_for_git(path):
            return HttpResponse("Too many requests.\n", content_type="text/plain; charset=utf-8")
        if is_for_programs(path):
            return JsonResponse({"detail": f"Too many requests; ask again in {seconds_to_wait()} seconds."})
        return HttpResponse(render_to_string("429.html", {"instance_name": settings.ARCHIVE_INSTANCE_NAME}))


class RequestUsernameMiddleware:
    """A middleware that names the user in a header for access logs (docs/dialects/dandi.md#headers)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["X-Request-Username"] = self._username(request) or "AnonymousUser"
        return response

    def _username(self, request: HttpRequest) -> str:
        user = getattr(request, "api_user", None) or getattr(request, "user", None)
        # Reading the user of a session needs the database, which may be away.
        with suppress(*AWAY):
            return getattr(user, "username", "")
        return ""


class ContentSecurityPolicyMiddleware:
    """A middleware that tells browsers what a page may load: our style, and pictures of ours and of datasets.

    There is no script to run, so none may.
    """

    POLICY = (
        "default-src 'none'; style-src 'self'; img-src 'self' {store}; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    # Django's admin has scripts, and so have the pages about the API, some of them inline.
    POLICIES = {
        "/admin/": "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'self'",
        "/api/docs/": (
            "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data:; worker-src blob:; base-uri 'none'; frame-ancestors 'none'"
        ),
    }
    # Forms on these pages redirect, in the end, to the web app that the user came from.
    ENTRANCES = ("/accounts/", "/oauth/authorize/", "/api/users/questionnaire-form/")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", self._policy(request.path_info))
        return response

    def _policy(self, path: str) -> str:
        policy = self.POLICY.format(store=store_origin())
        if path.startswith(self.ENTRANCES):
            return policy.replace("form-action 'self'", " ".join(["form-action 'self'", *self._app_origins()]))
        return next((other for start, other in self.POLICIES.items() if path.startswith(start)), policy)

    def _app_origins(self) -> list[str]:
        with suppress(*AWAY):
            return app_origins()
        return []
