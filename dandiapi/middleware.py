"""What holds for every request."""

from collections.abc import Callable
from contextlib import suppress

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from dandiapi.errors import AWAY, RETRY_AFTER
from dandiapi.oauth import app_origins

GetResponse = Callable[[HttpRequest], HttpResponse]


class UnavailableServiceMiddleware:
    """Says 503, and when to come back, when the database or another service is away; refuses NUL in addresses."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Postgres cannot hold NUL, so nothing has a name with it.
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest("An address must not contain NUL.", content_type="text/plain")
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The 503; None, for the usual handling, of any other exception."""
        if not isinstance(exception, AWAY):
            return None
        message = "A service this needs is away just now; please try again."
        return JsonResponse(message, safe=False, status=503, headers={"Retry-After": str(RETRY_AFTER)})


class CompressionMiddleware(GZipMiddleware):
    """Compresses answers, but for those in git's own formats, which are compressed already, and content."""

    PLAIN = ("application/x-git-", "application/octet-stream")

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The answer, compressed if that is of use."""
        if response.headers.get("Content-Type", "").startswith(self.PLAIN):
            return response
        return super().process_response(request, response)


class OptionalSlashMiddleware:
    """Serves what is read with or without the last slash of its address: real clients leave it out (contract 1.1.7)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"} and request.path_info.startswith("/api/"):
            # Only what the routes are matched against: `next` links repeat the address as it was asked for.
            request.path_info = request.path_info.rstrip("/") + "/"
        return self.get_response(request)


class RequestUsernameMiddleware:
    """Names the user in a header that the access log keeps (contract 1.1.8)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["X-Request-Username"] = self._username(request) or "AnonymousUser"
        return response

    def _username(self, request: HttpRequest) -> str:
        user = getattr(request, "api_user", None) or getattr(request, "user", None)
        # Whose session it is may be a question to the database, and that may be what is away.
        with suppress(*AWAY):
            return getattr(user, "username", "")
        return ""


class ContentSecurityPolicyMiddleware:
    """Tells browsers what a page may load: our own style and pictures. There is no script to run, so none may."""

    POLICY = (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    # Django's admin has scripts of its own, and so have the pages about the API, which write some into the page.
    POLICIES = {
        "/admin/": "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'self'",
        "/api/docs/": (
            "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data:; worker-src blob:; base-uri 'none'; frame-ancestors 'none'"
        ),
    }
    # Their forms lead, in the end, back to the web app that somebody came from.
    ENTRANCES = ("/accounts/", "/oauth/authorize/", "/api/users/questionnaire-form/")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", self._policy(request.path_info))
        return response

    def _policy(self, path: str) -> str:
        if path.startswith(self.ENTRANCES):
            return self.POLICY.replace("form-action 'self'", " ".join(["form-action 'self'", *self._app_origins()]))
        return next((policy for start, policy in self.POLICIES.items() if path.startswith(start)), self.POLICY)

    def _app_origins(self) -> list[str]:
        with suppress(*AWAY):
            return app_origins()
        return []
