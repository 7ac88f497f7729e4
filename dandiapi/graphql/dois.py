"""The DOIs of versions over HTTP (docs/dialects/openneuro.md#dois)."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from archive.datasets.queries import find_version
from archive.datasets.services import request_doi_registration
from archive.errors import ArchiveError
from dandiapi.auth import Anyone
from dandiapi.errors import headers_of, status_of
from dandiapi.graphql.access import actor_of
from dandiapi.graphql.words import sentence

UNKEPT = {"Cache-Control": "no-store"}


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def doi(request: HttpRequest, identifier: str, tag: str) -> HttpResponse:
    """Answer the DOI of a version and what became of it, or have it registered, or brought up to date.

    The cookie of another page's visitor does not come along with a POST (`Lax`).
    """
    actor = actor_of(request)
    try:
        version = find_version(actor, int(identifier), tag)
        if request.method == "POST":
            request_doi_registration(actor=actor, version=version)
            return JsonResponse({"doi": version.doi}, headers=UNKEPT)
    except ArchiveError as error:
        return JsonResponse({"error": sentence(error)}, status=status_of(error), headers=UNKEPT | headers_of(error))
    return JsonResponse({"doi": version.doi, "state": version.doi_state}, headers=UNKEPT)


doi.__dict__["permission_classes"] = [Anyone]
