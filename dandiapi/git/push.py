"""Pushes: what owners send with `git push`."""

from contextlib import ExitStack

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_POST

from archive.accounts.policy import Actor
from archive.snapshots.services import Service, receiving
from dandiapi.bodies import spooled
from dandiapi.git.access import git_view
from dandiapi.git.repository import FRESH, dataset_for, require_type
from dandiapi.streams import Stream, answer_slot

# The size of the commands before the objects: lines that name the branches to move.
MAX_COMMANDS = 2**20


@require_POST
@git_view
def receive_pack(request: HttpRequest, actor: Actor, identifier: str) -> HttpResponseBase:
    """Answer `POST {repository}/git-receive-pack`: objects, and the branches that are to move to them."""
    service = Service.RECEIVE_PACK
    require_type(request, service)
    dataset = dataset_for(actor, identifier, service)
    with ExitStack() as held:
        pushed = held.enter_context(spooled(request, limit=settings.GIT_PUSH_MAX_BYTES + MAX_COMMANDS))
        held.enter_context(answer_slot())
        chunks = held.enter_context(receiving(actor=actor, dataset=dataset, request=pushed))
        return StreamingHttpResponse(
            Stream(chunks, held), content_type=f"application/x-{service}-result", headers=FRESH
        )
