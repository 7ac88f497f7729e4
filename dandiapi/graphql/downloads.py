"""Downloads of files, by path or by key (docs/dialects/openneuro.md#downloads)."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_safe

from archive.accounts.policy import Actor
from archive.catalogue.queries import find_file, find_keyed_content
from archive.datasets.models import Dataset
from archive.datasets.queries import find_dataset, find_version
from archive.errors import ArchiveError, NotFoundError
from archive.snapshots.queries import Content
from archive.storage.queries import sign_read
from dandiapi.auth import Anyone
from dandiapi.errors import as_domain_error, headers_of, status_of
from dandiapi.graphql.access import actor_of
from dandiapi.graphql.words import NO_READ

P = ParamSpec("P")
DRAFT = "draft"


def _download(view: Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """Wrap a view that is given who asks, and answer its errors as clients of this dialect read them."""

    @wraps(view)
    @require_safe
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, actor_of(request), *args, **kwargs)
        except Exception as exception:
            error = as_domain_error(exception)
            if not isinstance(error, ArchiveError):
                raise
            return JsonResponse({"error": str(error)}, status=status_of(error), headers=headers_of(error))

    guarded.__dict__["permission_classes"] = [Anyone]
    return guarded


@_download
def file(request: HttpRequest, actor: Actor, identifier: str, path: str, tag: str = DRAFT) -> HttpResponse:
    """Answer the file at a path of the draft, or of the version with a tag."""
    dataset = _seen(actor, identifier)
    if dataset is None:
        return _forbidden()
    version = find_version(actor, dataset.number, tag)
    path = path.replace(":", "/")
    return _answer(request, find_file(actor, version, path), path.rpartition("/")[2])


@_download
def content(request: HttpRequest, actor: Actor, identifier: str, key: str) -> HttpResponse:
    """Answer the content that lists of files call by a key."""
    dataset = _seen(actor, identifier)
    if dataset is None:
        return _forbidden()
    return _answer(request, find_keyed_content(actor, dataset, key), request.GET.get("filename") or key)


def _seen(actor: Actor, identifier: str) -> Dataset | None:
    try:
        return find_dataset(actor, int(identifier))
    except NotFoundError:
        return None


def _forbidden() -> HttpResponse:
    """Return the answer about a dataset that is hidden, or not there."""
    return JsonResponse({"error": NO_READ}, status=HTTPStatus.FORBIDDEN)


def _answer(request: HttpRequest, found: Content, filename: str) -> HttpResponse:
    """Return the way to the store, which answers ranges; HEAD is answered here, since clients do not follow that."""
    if request.method == "HEAD":
        headers = {"Content-Length": str(found.size), "Accept-Ranges": "bytes", "Cache-Control": "no-store"}
        if found.blob and found.blob.md5:
            headers["ETag"] = f'"{found.blob.md5}"'
        return HttpResponse(content_type="application/octet-stream", headers=headers)
    response = HttpResponseRedirect(sign_read(found.object_key, filename=filename))
    response.headers["Cache-Control"] = "no-store"
    return response
