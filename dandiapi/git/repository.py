"""Repositories, as git and git-annex read them: docs/dialects/git.md#smart-http, docs/dialects/git.md#configuration."""

from contextlib import ExitStack
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_POST, require_safe

from archive.accounts.policy import Action, Actor, require
from archive.datasets.models import Dataset
from archive.errors import ForbiddenError, InvalidError
from archive.snapshots.services import Service, advertise, fetching, find_repository
from dandiapi.bodies import spooled
from dandiapi.git.access import dataset_seen_by, git_view
from dandiapi.streams import Stream, answer_slot

# What the client wants and has, in lines of some 50 bytes: more than any real clone sends.
MAX_REQUEST = 32 * 2**20
FRESH = {"Cache-Control": "no-cache, max-age=0, must-revalidate", "Expires": "Fri, 01 Jan 1980 00:00:00 GMT"}


@require_safe
@git_view
def references(request: HttpRequest, actor: Actor, identifier: str) -> HttpResponseBase:
    """Answer `GET {repository}/info/refs?service=…` with the branches and tags of the repository."""
    service = _service(request.GET.get("service", ""))
    dataset = dataset_for(actor, identifier, service)
    with answer_slot():
        said = advertise(find_repository(actor, dataset), service, _protocol(request, service))
    return HttpResponse(said, content_type=f"application/x-{service}-advertisement", headers=FRESH)


@require_POST
@git_view
def upload_pack(request: HttpRequest, actor: Actor, identifier: str) -> HttpResponseBase:
    """Answer `POST {repository}/git-upload-pack` with the objects that the client lacks."""
    service = Service.UPLOAD_PACK
    require_type(request, service)
    repository = find_repository(actor, dataset_for(actor, identifier, service))
    with ExitStack() as held:
        wanted = held.enter_context(spooled(request, limit=MAX_REQUEST))
        held.enter_context(answer_slot())
        chunks = held.enter_context(fetching(repository, wanted, _protocol(request, service)))
        return StreamingHttpResponse(
            Stream(chunks, held), content_type=f"application/x-{service}-result", headers=FRESH
        )


@require_safe
@git_view
def configuration(request: HttpRequest, actor: Actor, identifier: str) -> HttpResponseBase:
    """Answer `GET {repository}/config` with the UUID of the archive's copy, and the address of its content."""
    repository = find_repository(actor, dataset_seen_by(actor, identifier))
    lines = ("[annex]", f"\tuuid = {repository.annex_uuid}", f"\turl = {annex_url()}")
    text = "".join(f"{line}\n" for line in lines)
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=FRESH)


def annex_url() -> str:
    """Return the address of content for git-annex, with its port, since its default port is not that of browsers."""
    archive = urlsplit(settings.ARCHIVE_URL)
    port = archive.port or {"http": 80, "https": 443}[archive.scheme]
    return f"annex+{archive.scheme}://{archive.hostname}:{port}{archive.path}/git-annex/"


def require_type(request: HttpRequest, service: Service) -> None:
    """Raise InvalidError unless the content type is the service's own, which no form on a page can send."""
    if request.content_type != f"application/x-{service}-request":
        raise InvalidError(f"The content type must be application/x-{service}-request.")


def _service(name: str) -> Service:
    try:
        return Service(name)
    except ValueError:
        raise ForbiddenError("This repository is read by smart HTTP alone; please use git 1.6.6 or newer.") from None


def dataset_for(actor: Actor, identifier: str, service: Service) -> Dataset:
    """Return the dataset, if the actor may use that service of its repository; ArchiveError if not."""
    dataset = dataset_seen_by(actor, identifier)
    if service is Service.RECEIVE_PACK:
        require(actor, Action.CHANGE_DRAFT, dataset, message="Only owners and editors of the dataset may push to it.")
    return dataset


def _protocol(request: HttpRequest, service: Service) -> str:
    """Return the version of git's protocol that the client asks for; clients that push speak none of the newest."""
    return "" if service is Service.RECEIVE_PACK else request.headers.get("Git-Protocol", "")
