"""Content by its key, in git-annex's protocol of versions 0 to 4 (docs/dialects/git.md#content-over-http)."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import chain
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.http.response import StreamingHttpResponse
from django.views.decorators.http import require_POST, require_safe

from archive.accounts.policy import Action, Actor, require
from archive.blobs.services import receive, received_so_far, remove_sent_content
from archive.datasets.models import Dataset
from archive.errors import InvalidError, NotFoundError
from archive.git_annex.keys import AnnexKey, parse_annex_key
from archive.snapshots.queries import Content, database_timestamp, find_annexed, find_content, is_retained
from archive.storage.queries import read_from, sign_read
from dandiapi.bodies import chunks_of
from dandiapi.git.access import absent_to, git_view
from dandiapi.git.words import number, plain, required
from dandiapi.streams import Stream, answer_slot

LENGTH = "X-git-annex-data-length"
NO_CONTENT = "There is no content of that key."


def _dataset(actor: Actor, annex_uuid: str) -> Dataset:
    """Return the dataset whose repository clones know by that UUID; refuses as `absent_to` does."""
    with absent_to(actor):
        return find_annexed(actor, _uuid(annex_uuid))


def _uuid(text: str) -> UUID:
    try:
        return UUID(plain(text))
    except (InvalidError, ValueError):
        raise NotFoundError("There is no such repository.") from None


def _key(request: HttpRequest) -> AnnexKey:
    return parse_annex_key(plain(required(request.GET, "key")))


def _content(actor: Actor, dataset: Dataset, key: str) -> Content:
    content = _find(actor, dataset, key)
    if content is None:
        raise NotFoundError(NO_CONTENT)
    return content


def _find(actor: Actor, dataset: Dataset, key: str) -> Content | None:
    """Return the content, or None if there is none, as for keys of other kinds than this archive has."""
    try:
        return find_content(actor, dataset, parse_annex_key(plain(key)))
    except InvalidError:
        return None


# --- Reading ----------------------------------------------------------------------------------------------------------


@require_safe
@git_view
def content(request: HttpRequest, actor: Actor, annex_uuid: str, key: str) -> HttpResponse:
    """Answer `GET {uuid}/key/{key}` with a redirect to the store, for programs that know nothing of git-annex."""
    found = _content(actor, _dataset(actor, annex_uuid), key)
    return HttpResponseRedirect(sign_read(found.object_key, filename=plain(key), method=str(request.method)))


@require_safe
@git_view
def get(request: HttpRequest, actor: Actor, annex_uuid: str, version: str, key: str) -> HttpResponseBase:
    """Answer `GET {uuid}/v{version}/key/{key}` with the content, from an offset on."""
    found = _content(actor, _dataset(actor, annex_uuid), key)
    offset = number(request.GET.get("offset", "0"), "offset")
    if offset > found.size:
        raise InvalidError(f"The content has {found.size} bytes, and none at {offset}.")
    left = found.size - offset
    headers = {LENGTH: str(left), "Content-Length": str(left), "Cache-Control": "no-store"}
    with ExitStack() as held:
        held.enter_context(answer_slot())
        chunks = _read(found, offset, held) if left and request.method == "GET" else iter(())
        return StreamingHttpResponse(Stream(chunks, held), content_type="application/octet-stream", headers=headers)


def _read(content: Content, offset: int, held: ExitStack) -> Iterator[bytes]:
    chunks = held.enter_context(closing(read_from(content.object_key, offset)))
    # Whether the store gives it is known before the answer begins, and can be told by its status.
    first = next(chunks, b"")
    return chain([first], chunks)


@require_POST
@git_view
def checkpresent(request: HttpRequest, actor: Actor, annex_uuid: str, version: str) -> HttpResponse:
    """Answer whether there is content of the key."""
    found = _find(actor, _dataset(actor, annex_uuid), required(request.GET, "key"))
    return JsonResponse({"present": found is not None})


@require_POST
@git_view
def lockcontent(request: HttpRequest, actor: Actor, annex_uuid: str, version: str) -> HttpResponse:
    """Lock content. The archive keeps what a dataset shows, so nothing is recorded."""
    key = required(request.GET, "key")
    found = _find(actor, _dataset(actor, annex_uuid), key)
    if found is None or not is_retained(found):
        return JsonResponse({"locked": False})
    return JsonResponse({"locked": True, "lockid": plain(key)})


@require_POST
@git_view
def keeplocked(request: HttpRequest, actor: Actor, annex_uuid: str, version: str) -> HttpResponse:
    """Answer that a lock has ended. Nothing was recorded of it; see docs/dialects/git.md#locks."""
    _dataset(actor, annex_uuid)
    required(request.GET, "lockid")
    return JsonResponse({"locked": False})


@require_POST
@git_view
def gettimestamp(request: HttpRequest, actor: Actor, annex_uuid: str, version: str) -> HttpResponse:
    """Answer the time, by the one clock that all processes share."""
    _dataset(actor, annex_uuid)
    return JsonResponse({"timestamp": database_timestamp()})


# --- Writing ----------------------------------------------------------------------------------------------------------


@require_POST
@git_view
def putoffset(request: HttpRequest, actor: Actor, annex_uuid: str, version: str) -> HttpResponse:
    """Answer from which byte on content is still to be sent."""
    offset = received_so_far(actor=actor, dataset=_dataset(actor, annex_uuid), key=_key(request))
    if offset is None:
        return JsonResponse({"alreadyhave": True} | _others(version))
    return JsonResponse({"offset": offset})


@require_POST
@git_view
def put(request: HttpRequest, actor: Actor, annex_uuid: str, version: str) -> HttpResponse:
    """Take content, from an offset on. Content that is not as it was announced is not stored."""
    dataset, key = _dataset(actor, annex_uuid), _key(request)
    require(
        actor, Action.CHANGE_DRAFT, dataset, message="Only owners and editors of the dataset may send content to it."
    )
    if request.GET.get("data-present") == "true":
        return _stored(version, is_stored=find_content(actor, dataset, key) is not None)
    offset = number(request.GET.get("offset", "0"), "offset")
    length = number(required(request.headers, LENGTH), LENGTH)
    with answer_slot():
        try:
            receive(actor=actor, dataset=dataset, key=key, offset=offset, length=length, chunks=chunks_of(request))
        except InvalidError as error:
            if error.field != "content":
                raise
            # git-annex reads `stored`, and people read the reason.
            return JsonResponse({"stored": False, "reason": error.message} | _others(version))
    return _stored(version, is_stored=True)


def _stored(version: str, *, is_stored: bool) -> HttpResponse:
    return JsonResponse({"stored": is_stored} | _others(version))


@require_POST
@git_view
def remove(request: HttpRequest, actor: Actor, annex_uuid: str, version: str) -> HttpResponse:
    """Remove content that the actor sent and that no asset uses."""
    return _removed(request, actor, annex_uuid, version)


@require_POST
@git_view
def remove_before(request: HttpRequest, actor: Actor, annex_uuid: str, version: str) -> HttpResponse:
    """Remove content like `remove`, unless the time named in the request has passed."""
    until = number(required(request.GET, "timestamp"), "timestamp")
    if database_timestamp() > until:
        require(actor, Action.CHANGE_DRAFT, _dataset(actor, annex_uuid))
        return JsonResponse({"removed": False} | _others(version))
    return _removed(request, actor, annex_uuid, version)


def _removed(request: HttpRequest, actor: Actor, annex_uuid: str, version: str) -> HttpResponse:
    dataset = _dataset(actor, annex_uuid)
    removed = remove_sent_content(actor=actor, dataset=dataset, key=_key(request))
    return JsonResponse({"removed": removed} | _others(version))


def _others(version: str) -> dict[str, list[str]]:
    """Return the other repositories that did the same, of which there are none; named from version 2 on."""
    return {"plusuuids": []} if int(version) >= 2 else {}


# --- Whatever else ----------------------------------------------------------------------------------------------------


@git_view
def unknown_version(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Answer 404 for other versions of the protocol: clients go on to try one that there is."""
    raise NotFoundError("There is no such address, or no such version of the protocol here.")
