"""What OpenNeuro's web app and search engines read of the whole site: its configuration, and all versions."""

from collections.abc import Iterator
from urllib.parse import quote
from xml.sax.saxutils import escape

import orjson
from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from archive.catalogue.queries import open_versions
from dandiapi.auth import Anyone
from dandiapi.graphql.ids import ENDPOINT, dataset_id

XML = "application/xml; charset=utf-8"
START = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
PAGES = ("/",)


@require_safe
def configuration(request: HttpRequest) -> HttpResponse:
    """Answer the script by which the web app learns where this archive is (docs/dialects/openneuro.md#site)."""
    address = settings.ARCHIVE_URL
    told = {
        "CRN_SERVER_URL": address,
        "GRAPHQL_URI": f"{address}/crn/graphql",
        "GOOGLE_CLIENT_ID": settings.PROVIDERS["google"][0],
        "ORCID_CLIENT_ID": settings.PROVIDERS["orcid"][0],
        "ORCID_API_ENDPOINT": "",
        "GLOBUS_CLIENT_ID": "",
        "GOOGLE_TRACKING_IDS": "",
        "ENVIRONMENT": "production",
        "SENTRY_DSN": "",
        "SUPPORT_URL": "",
        "DATALAD_GITHUB_ORG": "",
        "AWS_S3_PUBLIC_BUCKET": "",
    }
    return HttpResponse(f"window.OpenNeuroConfig = {orjson.dumps(told).decode()}\n", content_type="text/javascript")


@require_safe
def sitemap(request: HttpRequest) -> StreamingHttpResponse:
    """Answer the addresses of all versions that everybody may read."""
    return StreamingHttpResponse(_lines(), content_type=XML)


def _lines() -> Iterator[str]:
    yield START
    yield from (f"<url><loc>{settings.ARCHIVE_URL}{page}</loc></url>\n" for page in PAGES)
    for version in open_versions():
        address = f"{settings.ARCHIVE_URL}/datasets/{dataset_id(version.dataset_id)}/versions/{version.tag}"
        yield f"<url><loc>{escape(address)}</loc><lastmod>{version.created:%Y-%m-%d}</lastmod></url>\n"
    yield "</urlset>\n"


@csrf_exempt
def repository(request: HttpRequest, identifier: str, rest: str | None) -> HttpResponse:
    """Send git on to the repository of a dataset, with what it asks."""
    query = request.META.get("QUERY_STRING", "")
    # Reads below `/api/` come with a last slash, whether they were asked with one or not.
    address = f"/git/{ENDPOINT}/ds{identifier}{quote((rest or '').rstrip('/'))}"
    return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)


@require_safe
def page(request: HttpRequest, identifier: str, tag: str | None = None) -> HttpResponse:
    """Lead who comes to a page of OpenNeuro's addresses, as its tools tell them, to the page that there is here."""
    return HttpResponseRedirect(f"/dandiset/{identifier}/{quote(tag, safe='') if tag else ''}".rstrip("/"))


for _view in (configuration, sitemap, repository, page):
    _view.__dict__["permission_classes"] = [Anyone]
