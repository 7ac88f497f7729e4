"""Content by its key at the address of a repository, as OpenNeuro's tools send and fetch it.

docs/dialects/openneuro.md#content-by-key
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_http_methods

from archive.accounts.policy import Action, Actor, require
from archive.blobs.services import receive, remove_sent_content
from archive.datasets.models import Dataset
from archive.errors import InvalidError, NotFoundError
from archive.git_annex.keys import AnnexKey, parse_annex_key
from archive.snapshots.queries import Content, find_content
from archive.storage.queries import sign_read
from dandiapi.bodies import chunks_of
from dandiapi.git.access import dataset_seen_by, git_view
from dandiapi.git.words import number
from dandiapi.streams import answer_slot

NO_SENDER = "Only owners and editors of the dataset may send content to it."


@require_http_methods(["GET", "HEAD", "POST", "DELETE"])
@git_view
def content(request: HttpRequest, actor: Actor, identifier: str, key: str) -> HttpResponseBase:
    """Answer whether there is content of a key, where it is read, or take or remove it."""
    dataset, parsed = dataset_seen_by(actor, identifier), parse_annex_key(key)
    if request.method == "POST":
        return _take(request, actor, dataset, parsed)
    if request.method == "DELETE":
        return _remove(actor, dataset, parsed)
    found = find_content(actor, dataset, parsed)
    if found is None:
        raise NotFoundError("There is no content of that key.")
    return _told(found) if request.method == "HEAD" else _redirect(found, key)


def _told(found: Content) -> HttpResponse:
    headers = {"Content-Length": str(found.size), "Accept-Ranges": "bytes"}
    return HttpResponse(content_type="application/octet-stream", headers=headers)


def _redirect(found: Content, key: str) -> HttpResponse:
    """Return the way to the store, which answers ranges too."""
    address = sign_read(found.object_key, filename=key)
    return HttpResponse(status=HTTPStatus.SEE_OTHER, headers={"Location": address, "Cache-Control": "no-store"})


def _take(request: HttpRequest, actor: Actor, dataset: Dataset, key: AnnexKey) -> HttpResponse:
    """Take content, which is hashed while it comes: what is not what its key says is not kept."""
    require(actor, Action.CHANGE_DRAFT, dataset, message=NO_SENDER)
    # Who sends in chunks announces no length; what comes is counted either way.
    length = number(request.headers.get("Content-Length") or str(key.size), "Content-Length")
    if length != key.size:
        raise InvalidError(f"The key says that there are {key.size} bytes; {length} are announced.")
    with answer_slot():
        receive(actor=actor, dataset=dataset, key=key, offset=0, length=length, chunks=chunks_of(request))
    return HttpResponse()


def _remove(actor: Actor, dataset: Dataset, key: AnnexKey) -> HttpResponse:
    if not remove_sent_content(actor=actor, dataset=dataset, key=key):
        raise InvalidError("The dataset has files of that content.")
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
