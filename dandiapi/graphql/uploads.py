"""The files of an upload, one by one (docs/dialects/openneuro.md#uploads)."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from archive.accounts.policy import Action, Actor, require
from archive.datasets.models import Dataset
from archive.datasets.queries import find_dataset
from archive.errors import ArchiveError, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from archive.uploads.queries import find_session
from archive.uploads.services import receive_file
from dandiapi.auth import Anyone
from dandiapi.bodies import chunks_of
from dandiapi.credentials import actor_by_secret, secret_of
from dandiapi.errors import as_domain_error, headers_of, status_of
from dandiapi.graphql.views import with_cors
from dandiapi.graphql.words import NO_WRITE, sentence
from dandiapi.streams import slot_for_body
from dandiapi.web_tokens import is_broken


@csrf_exempt
def receive(request: HttpRequest, identifier: str, upload_id: str, path: str) -> HttpResponse:
    """Take a file, whatever type its body says it has. No cookie is read, so there is nothing to forge it with."""
    if request.method == "OPTIONS":
        return with_cors(HttpResponse(status=HTTPStatus.NO_CONTENT), request)
    if request.method != "POST":
        return with_cors(HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"}), request)
    try:
        answer = _received(request, int(identifier), upload_id, path.replace(":", "/"))
    except Exception as exception:
        error = as_domain_error(exception)
        if not isinstance(error, ArchiveError):
            raise
        answer = JsonResponse({"error": sentence(error)}, status=status_of(error), headers=headers_of(error))
    return with_cors(answer, request)


receive.__dict__["permission_classes"] = [Anyone]


def _received(request: HttpRequest, number: int, upload_id: str, path: str) -> HttpResponse:
    actor = _sender(request)
    session = find_session(actor, upload_id, dataset=_dataset(actor, number))
    length, chunks = _length(request), chunks_of(request)
    with slot_for_body(request):
        file = receive_file(actor=actor, session=session, path=path, length=length, chunks=chunks)
    told = {"skipped": True} if file.is_skipped else {"path": file.path, "size": file.size}
    return JsonResponse(told, headers={"Cache-Control": "no-store"})


def _sender(request: HttpRequest) -> Actor:
    """Return who sends; raises for nobody, and for a token that is broken or has ended."""
    if is_broken(secret_of(request)):
        raise InvalidError("The token cannot be read: it is broken.")
    actor = actor_by_secret(request)
    if actor is None:
        raise UnauthenticatedError
    return actor


def _dataset(actor: Actor, number: int) -> Dataset:
    """Return the dataset; one that the token is not for is refused like one that is not there."""
    try:
        dataset = find_dataset(actor, number)
    except NotFoundError:
        raise ForbiddenError(NO_WRITE) from None
    require(actor, Action.UPLOAD, dataset)
    return dataset


def _length(request: HttpRequest) -> int | None:
    """Return how long the body was announced to be; None if it comes in chunks, and ends by itself."""
    given = request.headers.get("Content-Length")
    return int(given) if given else None
